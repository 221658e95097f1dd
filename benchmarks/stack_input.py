"""Simulated stacks with known motion, elevation error, decorrelation and air.

Twelve dates in 1.7 years on the real annotation of two IW1 bursts over the Alps, whose valid
samples are narrowed to the middle of the swath, or on a track of parameters of its own where that
is missing. The ground above a Mogi source comes towards the satellite by 20 mm per year at most;
the elevation model that the chain gets is wrong by a smooth field; lakes and the lowest valleys
lose all coherence; each date has air of its own that is linear to the east, to the north and with
height; and files are shifted in azimuth.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import cached_input, say
from benchmarks.relief import hills, real_relief
from benchmarks.stack_scene import (
    COHERENCE,
    DATES,
    DEM_ERROR,
    LOST_COHERENCE,
    PEAK_VELOCITY,
    REFERENCE,
    WAVELENGTH,
    StackDate,
    air_over,
    dates_over,
    erroneous,
    scene_over,
)
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.model import Dem, GeographicBox, MapGrid, Shape
from kernels.products.raster import read_raster
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Acquisition,
    AnnotatedDate,
    Derivation,
    Scene,
    TopsMode,
    load_truth,
    save_dem,
    simulate,
    simulate_on_annotation,
)
from kernels.simulation.dates import Date
from kernels.simulation.derive import copy_metadata, derive_metadata
from kernels.simulation.scene import motion_of, terrain_of
from kernels.simulation.truth_numba import ground_truth

_TRUTH_STEP = Shape(8, 32)
_ALPS = ("alps_iw_pair/*20190101T*.SAFE", "alps_iw_pair/*20190113T*.SAFE")
_ALPS_TILES = "srtm3_alps"
_ALPS_BOX = GeographicBox(7.0, 46.2, 9.3, 47.7)
_ALPS_BURSTS = (5, 6)
_ALPS_SAMPLES = 6_000, 15_999
"""First and last that are valid: simulation takes 3 s of one core per Mpx."""
_ALPS_BASELINE = -77.0
"""Perpendicular, of the second real date from the first [m]."""
_TRACK = (55.7, -21.0)
_TRACK_BOX = GeographicBox(55.4, -21.3, 56.0, -20.7)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackInput:
    """A stack that is there.

    Attributes
    ----------
    folder : Path
        Of everything.
    dates : tuple of StackDate
        In order of time.
    products : tuple of Path
        SAFE folders of the same dates.
    reference : int
        Number of the date in whose geometry the truth is.
    bursts : tuple of int
        That hold pixels, counted from 0.
    """

    folder: Path
    dates: tuple[StackDate, ...]
    products: tuple[Path, ...]
    reference: int
    bursts: tuple[int, ...]

    @property
    def dem(self) -> Path:
        """Elevation model with its error."""
        return self.folder / "dem.tif"

    @property
    def days(self) -> tuple[str, ...]:
        """Of the dates, as 20190101."""
        return tuple(product.name.split("_")[5][:8] for product in self.products)


_QUICK = (4, 5, 6, 7, 9)


def has_alps(shared: Path) -> bool:
    """Whether a folder holds the real annotation."""
    return all(any(shared.glob(pattern)) for pattern in _ALPS)


def alps_stack(shared: Path) -> StackInput:
    """Make twelve dates of two whole IW1 bursts on real annotation.

    Parameters
    ----------
    shared : Path
        Folder with the products of the Alps and their elevation tiles.

    Returns
    -------
    StackInput
        360 Mpx; twenty minutes of one core the first time.
    """
    centre = (8.05, 46.92)
    dates = dates_over(centre, range(DATES))

    def annotated(number: int, sources: list[Path]) -> AnnotatedDate:
        date = dates[number]
        # every other date has the bursts, Doppler and orbit of the second real one
        second = bool((number - REFERENCE) % 2)
        derivation = Derivation(
            days=date.days - (12 if second else 0),
            perpendicular_baseline=date.baseline - (_ALPS_BASELINE if second else 0.0),
        )
        return AnnotatedDate(
            product=sources[second],
            derivation=derivation,
            motion=date.years,
            ramps=(date.air,),
            misregistration=date.shift,
        )

    def make(folder: Path) -> None:
        dem = real_relief(shared / _ALPS_TILES, _ALPS_BOX)
        save_dem(erroneous(dem), folder / "dem.tif")
        with scratch_folder(folder) as scratch:
            found = [next(iter(sorted(shared.glob(pattern)))) for pattern in _ALPS]
            sources = [_narrowed(copy_metadata(safe, scratch)) for safe in found]
            simulate_on_annotation(
                scene_over(dem, centre, depth=4000.0, lost_below=485.0),
                [annotated(number, sources) for number in _order(len(dates), REFERENCE)],
                folder,
                swaths=("IW1",),
                bursts=_ALPS_BURSTS,
                truth_step=_TRUTH_STEP,
                progress=_tell(),
            )

    return _cached("stack-alps", make, dates, REFERENCE, _ALPS_BURSTS)


def _narrowed(safe: Path) -> Path:
    """Annotate only the samples in the middle of IW1 as valid."""
    (annotation,) = safe.glob("annotation/s1?-iw1-slc-vv-*.xml")
    limits = {"first": (max, _ALPS_SAMPLES[0]), "last": (min, _ALPS_SAMPLES[1])}

    def narrow(match: re.Match[str]) -> str:
        choose, limit = limits[match[2]]
        values = [v if v == "-1" else str(choose(int(v), limit)) for v in match[3].split()]
        return match[1] + " ".join(values)

    text = annotation.read_text(encoding="utf-8")
    narrowed = re.sub(r"(<(first|last)ValidSample [^>]*>)([^<]*)", narrow, text)
    annotation.write_text(narrowed, encoding="utf-8")
    return safe


def track_stack(*, quick: bool) -> StackInput:
    """Make a stack of two short bursts with parameters of its own; quick: of five dates."""
    numbers = _QUICK if quick else tuple(range(DATES))
    reference = numbers.index(REFERENCE)
    dates = dates_over(_TRACK, numbers)

    def acquisition(number: int) -> Acquisition:
        date = dates[number]
        return Acquisition(
            centre=datetime(2026, 1, 1, 2) + timedelta(days=date.days),
            perpendicular_baseline=date.baseline,
            motion=date.years,
            ramps=(date.air,),
            misregistration=date.shift,
            timing_offset=1e-3 * (number % 2),
        )

    def make(folder: Path) -> None:
        dem = hills(_TRACK_BOX)
        save_dem(erroneous(dem), folder / "dem.tif")
        simulate(
            scene_over(dem, _TRACK, depth=1500.0, lost_below=300.0),
            [acquisition(number) for number in _order(len(dates), reference)],
            folder,
            mode=TopsMode(samples=3000, burst_lines=700),
            truth_step=_TRUTH_STEP,
            progress=_tell(),
        )

    return _cached(f"stack-track-{len(dates)}", make, dates, reference, (0, 1))


def further_dates(stack: StackInput, folder: Path, count: int) -> list[Path]:
    """Add dates with the pixels of others, twelve days after them and more.

    Parameters
    ----------
    stack : StackInput
        Whose dates are repeated.
    folder : Path
        Gets the SAFE folders, on the file system of the stack.
    count : int
        Dates of the whole.

    Returns
    -------
    list of Path
        The added ones alone.
    """
    added: list[Path] = []
    for number in range(count - len(stack.products)):
        safe = stack.products[number % len(stack.products)]
        days = 12 * (1 + number // len(stack.products))
        made = derive_metadata(safe, folder, Derivation(days=days), look_angle=0.0)
        pixels = {path.stem.rpartition("-")[2]: path for path in safe.glob("measurement/*.tiff")}
        for annotation in made.glob("annotation/*.xml"):
            if (number_of := annotation.stem.rpartition("-")[2]) in pixels:
                (made / "measurement" / f"{annotation.stem}.tiff").hardlink_to(pixels[number_of])
        added.append(made)
    return added


def velocity(stack: StackInput, truth: Path, burst: int) -> NDArray[np.float64]:
    """Velocity towards the satellite on the nodes of the truth.

    Parameters
    ----------
    stack : StackInput
        With its dates.
    truth : Path
        The folder `truth`.
    burst : int
        Of the reference, counted from 0.

    Returns
    -------
    ndarray of float64
        From the range of the date farthest in time, less its air [m/year].
    """
    order = _order(len(stack.dates), stack.reference)
    last = max(range(1, len(order)), key=lambda n: abs(stack.dates[order[n]].days))
    date, reference = stack.dates[order[last]], stack.dates[stack.reference]
    known = load_truth(truth, swath="IW1", burst=burst, date=last)
    moved = known.range_change - air_over(date.air, known) + air_over(reference.air, known)
    return -moved / date.years


def height_error(stack: StackInput, truth: Path, burst: int) -> NDArray[np.float64]:
    """Height that each pixel lacks on the nodes of the truth, by the simulation's own geometry.

    On slopes it differs from the elevation model's error at the place: the same range meets the
    wrong surface elsewhere.

    Parameters
    ----------
    stack : StackInput
        With its elevation model.
    truth : Path
        The folder `truth`.
    burst : int
        Of the reference, counted from 0.

    Returns
    -------
    ndarray of float64
        True height less that on the wrong elevation model [m].
    """
    known = load_truth(truth, swath="IW1", burst=burst)
    product = open_sentinel1(stack.products[stack.reference])
    dem = _read_dem(stack.dem)
    reference = stack.dates[stack.reference]
    date = Date(
        images=(product.slc("IW1", "VV", need_pixels=False),),
        motion=motion_of(Scene(dem=dem), 0.0, (reference.air,)),
        misregistration=reference.shift,
    )
    found = ground_truth(date.views(0)[burst], terrain_of(dem), known.lines, known.samples)
    return np.asarray(known.height - found[2])


def _read_dem(path: Path) -> Dem:
    """Read what `save_dem` wrote."""
    raster = read_raster(path)
    grid = raster.grid
    assert isinstance(grid, MapGrid)
    return Dem(
        heights=raster.array[0],
        west=grid.west + 0.5 * grid.x_spacing,
        north=grid.north - 0.5 * grid.y_spacing,
        longitude_step=grid.x_spacing,
        latitude_step=-grid.y_spacing,
    )


def _order(count: int, reference: int) -> list[int]:
    """Numbers of the dates as they are simulated: the reference first."""
    return [reference, *(k for k in range(count) if k != reference)]


def _cached(
    name: str,
    make: Callable[[Path], None],
    dates: tuple[StackDate, ...],
    reference: int,
    bursts: tuple[int, ...],
) -> StackInput:
    parameters = {
        "dates": [asdict(date) for date in dates],
        "bursts": bursts,
        "samples": _ALPS_SAMPLES,
        "scene": (PEAK_VELOCITY, DEM_ERROR, COHERENCE, LOST_COHERENCE, WAVELENGTH),
    }
    folder = cached_input(name, parameters, make)
    return StackInput(
        folder=folder,
        dates=dates,
        products=tuple(sorted(folder.glob("*.SAFE"), key=lambda p: p.name.split("_")[5])),
        reference=reference,
        bursts=bursts,
    )


def _tell() -> Progress:
    """Progress that tells every image once."""
    told: list[str] = []

    def report(_share: float, step: str) -> None:
        if step not in told:
            told.append(step)
            say(f"  {step}")

    return Progress.to(report)
