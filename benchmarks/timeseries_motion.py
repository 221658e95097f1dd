"""Velocity and error of the elevation by MintPy from the very series that ours are from.

The whole chain runs twice on the files of a network, without and with the error of the elevation;
MintPy's dem_error (its temporal model a straight line, as ours is) and timeseries2velocity take the
series of the first run. Range and incidence differ from cell to cell.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timeseries_peer import run_mintpy
from kernels.chains.insar_timeseries import InsarTimeseriesRequest
from kernels.chains.insar_timeseries.run import run
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.model import Shape
from kernels.products.mintpy import GEOMETRY, create_mintpy
from kernels.products.mintpy_results import LayerFile

_LAYERS = {
    "velocity": ("velocity", 1e3, "mm_per_year"),
    "velocity_error": ("velocityStd", 1e3, "mm_per_year"),
    "dem_error": ("dem", 1.0, "m"),
}
"""By their names in the figures: MintPy's names, factors to the units, and units."""


def compare_motion(peer: Path, stack: Path, shape: Shape, folder: Path) -> dict[str, float]:
    """Fit the motion with ours and with MintPy.

    Parameters
    ----------
    peer : Path
        From `peer_python`.
    stack : Path
        The file ifgramStack.h5.
    shape : Shape
        Of its cells.
    folder : Path
        Receives all files.

    Returns
    -------
    dict of str to float
        Largest differences of the velocity and its standard error [mm/year], before and after the
        error of the elevation is taken out, and of that error [m]; what they are of, as RMS.

    Raises
    ------
    PeerError
        MintPy ended with an error.
    """
    geometry = _write_geometry(folder / "geometryRadar.h5", shape)
    plain = _ours(stack, geometry, folder / "plain", dem_error=False)
    freed = _ours(stack, geometry, folder / "freed", dem_error=True)
    series = plain / "timeseries.h5"
    run_mintpy(peer, "timeseries2velocity", (series, "-o", "plain.h5"), folder)
    options = ("-g", geometry, "-p", "1", "-o", "freed_series.h5", "--dem-err-file", "dem.h5")
    run_mintpy(peer, "dem_error", (series, *options), folder)
    run_mintpy(peer, "timeseries2velocity", ("freed_series.h5", "-o", "freed.h5"), folder)
    figures: dict[str, float] = {}
    for name in ("velocity", "velocity_error"):
        ours, theirs = plain / "velocity.h5", folder / "plain.h5"
        figures |= _differences("motion", name, ours, theirs)
        ours, theirs = freed / "velocity.h5", folder / "freed.h5"
        figures |= _differences("motion_without_dem_error", name, ours, theirs)
    return figures | _differences("motion", "dem_error", freed / "demErr.h5", folder / "dem.h5")


def _write_geometry(path: Path, shape: Shape) -> Path:
    rows, columns = np.indices(shape)
    layers = {
        "longitude": 55.0 + 5e-4 * columns,
        "latitude": -21.0 - 5e-4 * rows,
        "height": np.full(shape, 100.0),
        "slantRangeDistance": 8e5 + 1e5 * columns / shape.samples,
        "incidenceAngle": 31.0 + 8.0 * columns / shape.samples,
    }
    with create_mintpy(path, GEOMETRY, shape, {}) as file:
        for name, values in layers.items():
            file.small(name, values)
    return path


def _ours(stack: Path, geometry: Path, folder: Path, *, dem_error: bool) -> Path:
    request = InsarTimeseriesRequest(
        interferograms=stack,
        geometry=geometry,
        minimum_coherence=0.0,
        minimum_pairs=0.0,
        dem_error=dem_error,
        threads=1,
    )
    run(request, folder, Progress())
    with zipfile.ZipFile(folder / "mintpy.zip") as archive:
        archive.extractall(folder)
    return folder


def _differences(prefix: str, name: str, ours: Path, theirs: Path) -> dict[str, float]:
    layer, factor, unit = _LAYERS[name]
    one, other = (factor * _read(path, layer) for path in (ours, theirs))
    # MintPy leaves cells without a solution at 0
    known = np.isfinite(one) & (other != 0.0)
    return {
        f"{prefix}_{name}_difference_max_{unit}": _figure(np.abs(one - other)[known].max()),
        f"{prefix}_{name}_rms_{unit}": _figure(np.sqrt(np.square(other[known]).mean())),
    }


def _read(path: Path, layer: str) -> NDArray[np.float64]:
    file = LayerFile(path, layer)
    return file.rows(Band(0, file.shape.lines)).astype(np.float64)


def _figure(value: float) -> float:
    return float(f"{value:.3g}")
