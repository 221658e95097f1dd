"""Cost of whole frames: three IW swaths with all their bursts, and a StripMap image.

All lines and samples of real annotation, noise in every block (see `frame_input`), through the
whole chain from SAFE to the ortho interferogram at 0.0003 degrees with the 8-tap kernel. Mpx are
pixels of the reference's files. What the machine can do at best is measured in the same run. No
peer runs beside: none of those known makes a merged interferogram of a frame and installs from
the package index.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import frame_input, frame_pixels_numba
from benchmarks.frame_floor import measure_floor
from benchmarks.frame_input import Frames, fill, make_pair, make_product
from benchmarks.frame_passes import measure_passes
from benchmarks.harness import cached_input, say
from benchmarks.measuring import measure
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import InputError
from kernels.model import GeographicBox
from kernels.products.dem import load_dem
from kernels.products.sentinel1 import open_sentinel1, read_annotation
from kernels.simulation import AnnotatedDate, Derivation, save_dem, volcano_island
from kernels.simulation.annotated import place_metadata

SPACING, KERNEL = 0.0003, 8
POLARISATION = "VV"
IW_PRODUCTS = ("alps_iw_pair/*20190101T*.SAFE", "alps_iw_pair/*20190113T*.SAFE")
IW_DEM = "srtm3_alps"
IW_BOX = GeographicBox(6.5, 45.2, 11.5, 48.2)
QUICK_BURST, QUICK_LINES = 5, 200
STRIPMAP_ANNOTATION = "sm_annotations/s1a-s6-slc-vv-*.xml"
STRIPMAP_NAME = "S1A_S6_SLC__1SSV_20150619T195043_20150619T195101_006447_00887D_0001"
STRIPMAP_DATE = Derivation(days=12, perpendicular_baseline=80.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pair that is there, and what is asked of it."""

    name: str
    request: DinsarPairRequest

    @property
    def mpx(self) -> float:
        """Pixels of the reference's files, or of the chosen burst [1e6]."""
        product = open_sentinel1(self.request.reference[0])
        swaths = self.request.swaths or {image.swath for image in product.images}
        total = 0
        for swath in swaths:
            image = product.slc(swath, self.request.polarisation)
            chosen = (
                image.bursts[self.request.first_burst - 1] if self.request.first_burst else image
            )
            total += chosen.grid.shape.lines * chosen.grid.shape.samples
        return total / 1e6


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this benchmark's own options."""
    parser.add_argument(
        "--case", choices=("iw", "stripmap", "both"), default="both", help="default: both"
    )


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the frames; the figures without a prefix are those of the IW pair."""
    shared: Path = arguments.shared
    figures: dict[str, Any] = {"spacing_deg": SPACING, "kernel": KERNEL, "peer": None}
    # the IW pair's first burst warms up for both: the compiled kernels are the same
    interferometric = _iw_case(shared, quick=arguments.quick)
    warm_up = replace(
        interferometric.request, swaths=("IW2",), first_burst=QUICK_BURST, last_burst=QUICK_BURST
    )
    floor = measure_floor(interferometric.request.reference[0].parent)
    figures |= {f"floor_{name}": value for name, value in floor.items()}
    figures["pass_ns_per_pixel"] = measure_passes(warm_up)
    if arguments.case != "stripmap":
        figures |= _measure(interferometric, warm_up)
    if arguments.case != "iw" and not arguments.quick:
        found = _measure(_stripmap_case(shared), warm_up)
        figures |= {f"stripmap_{name}": value for name, value in found.items()}
    return figures


def _measure(case: Case, warm_up: DinsarPairRequest) -> dict[str, Any]:
    say(f"{case.name}: the chain")
    with scratch_folder(case.request.reference[0].parent) as scratch:
        taken = measure(
            _run, case.request, scratch / "measured", warm_up=(warm_up, scratch / "warm_up")
        )
        written = sum(file.stat().st_size for file in (scratch / "measured").iterdir())
    report = taken.value
    return {
        "mpx": case.mpx,
        "wall_s": taken.wall_s,
        "cpu_s": taken.cpu_s,
        "cpu_s_per_mpx": taken.cpu_s / case.mpx,
        "peak_memory_mb": taken.peak_memory_mb,
        "compile_s": taken.compile_s,
        "seconds_by_step": report["seconds"],
        "read_gb": 2.0 * 4.0 * case.mpx / 1e3,
        "written_gb": written / 1e9,
        "map_mpx": report["map"]["rows"] * report["map"]["columns"] / 1e6,
        "coherence": report["coherence"],
    }


def _run(request: DinsarPairRequest, folder: Path) -> dict[str, Any]:
    return run_chain(request, folder, Progress()).report


def _iw_case(shared: Path, *, quick: bool) -> Case:
    dates = [AnnotatedDate(product=_only(shared, pattern)) for pattern in IW_PRODUCTS]
    frames = _iw_frames(shared, quick=quick)

    def make(folder: Path) -> None:
        make_pair(dates, folder, frames(), _progress())

    folder = _cached("frame-iw-quick" if quick else "frame-iw", make)
    reference, secondary = sorted(folder.glob("*.SAFE"))
    request = DinsarPairRequest(
        reference=(reference,),
        secondary=(secondary,),
        dem=(shared / IW_DEM,),
        dem_missing="sea",
        polarisation=POLARISATION,
        kernel=KERNEL,
        spacing=SPACING,
    )
    if quick:
        request = replace(request, swaths=("IW2",), first_burst=QUICK_BURST, last_burst=QUICK_BURST)
    return Case(name="iw", request=request)


def _iw_frames(shared: Path, *, quick: bool) -> Callable[[], Frames]:
    def frames() -> Frames:
        return Frames(
            swaths=("IW2",) if quick else ("IW1", "IW2", "IW3"),
            polarisation=POLARISATION,
            dem=load_dem([shared / IW_DEM], IW_BOX, heights="egm96", missing="sea"),
            lines=QUICK_LINES if quick else None,
        )

    return frames


def _stripmap_case(shared: Path) -> Case:
    annotation = _only(shared, STRIPMAP_ANNOTATION)

    def make(folder: Path) -> None:
        tie_points = read_annotation(annotation).geolocation
        box = GeographicBox(
            west=float(tie_points.longitudes.min()) - 0.2,
            south=float(tie_points.latitudes.min()) - 0.2,
            east=float(tie_points.longitudes.max()) + 0.2,
            north=float(tie_points.latitudes.max()) + 0.2,
        )
        dem = volcano_island(box, radius=25_000.0, summit=2_800.0, step=1.0 / 1200.0)
        save_dem(dem, folder / "dem.tif")
        reference = make_product(annotation, STRIPMAP_NAME, folder)
        date = AnnotatedDate(product=reference, derivation=STRIPMAP_DATE)
        secondary = place_metadata(date, folder, "S6", POLARISATION)
        frames = Frames(swaths=("S6",), polarisation=POLARISATION, dem=dem)
        fill((reference, secondary), frames, _progress())

    folder = _cached("frame-stripmap", make)
    reference, secondary = sorted(folder.glob("*.SAFE"))
    request = DinsarPairRequest(
        reference=(reference,),
        secondary=(secondary,),
        dem=(folder / "dem.tif",),
        dem_heights="ellipsoid",
        polarisation=POLARISATION,
        kernel=KERNEL,
        spacing=SPACING,
    )
    return Case(name="stripmap", request=request)


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    modules = (frame_input, frame_pixels_numba)
    sources = [Path(str(module.__file__)).read_bytes() for module in modules]
    return cached_input(name, {"sources": [hashlib.sha256(s).hexdigest() for s in sources]}, make)


def _only(shared: Path, pattern: str) -> Path:
    found = next(iter(sorted(shared.glob(pattern))), None)
    if found is None:
        raise InputError(f"{shared} must hold {pattern}")
    return found


def _progress() -> Progress:
    """Progress that tells every image once."""
    told: list[str] = []

    def report(_share: float, step: str) -> None:
        if step not in told:
            told.append(step)
            say(f"  {step}")

    return Progress.to(report)
