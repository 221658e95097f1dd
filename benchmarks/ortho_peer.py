"""Orfeo ToolBox beside the chain: calibration and orthorectification by its two commands.

Debian's package (``apt-get install otb-bin``) has no binding that keeps the calibrated image in
memory; it goes through an uncompressed file instead, and only the part under the tile is
calibrated. The result is not compressed either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import say
from benchmarks.measuring import Measurement, measure
from kernels.engine.bands import Band
from kernels.errors import ProcessingError
from kernels.model import MapGrid

GRID_SPACING = 40
"""Of the resampling grid [m], as S1Tiling advises."""

RAM_MB = 2048
"""What either command may use, as S1Tiling asks for."""

COMMANDS = ("otbcli_SARCalibration", "otbcli_OrthoRectification")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtbRun:
    """What OTB took for one tile.

    Attributes
    ----------
    version : str
        Of OTB.
    calibration, orthorectification : Measurement
        Of the two commands.
    file : Path
        The tile.
    """

    version: str
    calibration: Measurement[None]
    orthorectification: Measurement[None]
    file: Path

    @property
    def wall_s(self) -> float:
        """Of both commands [s]."""
        return self.calibration.wall_s + self.orthorectification.wall_s

    @property
    def cpu_s(self) -> float:
        """Of both commands [s]."""
        return self.calibration.cpu_s + self.orthorectification.cpu_s

    @property
    def peak_memory_mb(self) -> float:
        """Of the larger command [MB]."""
        return max(self.calibration.peak_memory_mb, self.orthorectification.peak_memory_mb)


def otb_version() -> str | None:
    """Tell the version of OTB, None where it is not installed."""
    if any(shutil.which(command) is None for command in COMMANDS):
        return None
    done = subprocess.run([COMMANDS[0], "-help"], capture_output=True, text=True, check=False)
    _, found, rest = (done.stdout + done.stderr).partition(", version ")
    return rest.split()[0].rstrip(".") if found else "unknown"


def measure_otb(
    measurement: Path, part: tuple[Band, Band], dem: Path, grid: MapGrid, folder: Path
) -> OtbRun | None:
    """Make one tile with OTB: gamma, bicubic.

    Parameters
    ----------
    measurement : Path
        Measurement file inside its SAFE folder.
    part : tuple of Band
        Lines and pixels that are calibrated.
    dem : Path
        Folder of elevation files.
    grid : MapGrid
        The tile, in UTM.
    folder : Path
        Receives the files.

    Returns
    -------
    OtbRun or None
        None where OTB is not installed.

    Raises
    ------
    ProcessingError
        A command failed.
    """
    version = otb_version()
    if version is None:
        say("OTB is not installed (apt-get install otb-bin): no peer's figures")
        return None
    calibrated, tile = folder / "otb_calibrated.tif", folder / "otb_tile.tif"
    lines, pixels = part
    box = f"{pixels.first}:{lines.first}:{pixels.rows}:{lines.rows}"
    say(f"OTB {version}: calibration")
    calibration = measure(
        _call,
        [
            COMMANDS[0],
            *("-in", str(measurement)),
            *("-out", f"{calibrated}?&box={box}", "float"),
            *("-lut", "gamma", "-removenoise", "false", "-ram", str(RAM_MB)),
        ],
    )
    say(f"OTB {version}: orthorectification")
    orthorectification = measure(_call, _orthorectification(calibrated, dem, grid, tile))
    return OtbRun(
        version=version,
        calibration=calibration,
        orthorectification=orthorectification,
        file=tile,
    )


def _orthorectification(calibrated: Path, dem: Path, grid: MapGrid, tile: Path) -> list[str]:
    code = grid.crs.removeprefix("EPSG:")
    return [
        COMMANDS[1],
        *("-io.in", f"{calibrated}", "-io.out", str(tile), "float"),
        *("-map", "epsg", "-map.epsg.code", code),
        *("-outputs.mode", "auto"),
        *("-outputs.ulx", f"{grid.west:.1f}", "-outputs.uly", f"{grid.north:.1f}"),
        *("-outputs.sizex", str(grid.shape.samples), "-outputs.sizey", str(grid.shape.lines)),
        *("-outputs.spacingx", f"{grid.x_spacing:.1f}"),
        *("-outputs.spacingy", f"{-grid.y_spacing:.1f}"),
        *("-elev.dem", str(dem), "-elev.default", "0"),
        *("-interpolator", "bco", "-interpolator.bco.radius", "2"),
        *("-opt.gridspacing", str(GRID_SPACING), "-opt.ram", str(RAM_MB)),
    ]


def _call(command: list[str]) -> None:
    """Run a command; OTB crashes on an empty OTB_MAX_RAM_HINT."""
    environment = {key: value for key, value in os.environ.items() if key != "OTB_MAX_RAM_HINT"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ProcessingError(f"{command[0]} ended with code {done.returncode}: {last}")
