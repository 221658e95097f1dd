"""Simulate pixels on the annotation of real products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import RequestError
from kernels.model import Shape, SlcProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation.dates import Date, Selection, overlying_burst, seen_lines
from kernels.simulation.derive import Derivation, copy_metadata, derive_metadata
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.modes import look_angle_at
from kernels.simulation.publishing import SimulatedSeries, publish_series
from kernels.simulation.scene import RangeRamp, Scene, motion_of, terrain_of
from kernels.simulation.series import TRUTH_STEP, Output, fill

_LINE_MARGIN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedDate:
    """One date of a series on real metadata; the first one of a series is the reference.

    Attributes
    ----------
    product : Path
        A SAFE folder; it needs no measurement files.
    derivation : Derivation or None
        How this date differs from the product; None: it is the product's own.
    motion : float
        Share of the scene's displacement that has happened [1].
    ramps : tuple of RangeRamp
        What lengthens the ranges of this date alone, for example the atmosphere.
    misregistration : float
        Line l of the files truly is line l + misregistration.
    """

    product: Path
    derivation: Derivation | None = None
    motion: float = 0.0
    ramps: tuple[RangeRamp, ...] = ()
    misregistration: float = 0.0


def simulate_on_annotation(
    scene: Scene,
    dates: Sequence[AnnotatedDate],
    folder: Path,
    *,
    swaths: Sequence[str],
    polarisation: str = "VV",
    bursts: Sequence[int] | None = None,
    lines: Band | None = None,
    truth_step: Shape = TRUTH_STEP,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedSeries:
    """Simulate measurement files for real metadata; all else is copied.

    The files have the annotated size, but hold pixels only where asked and take room only for
    those; the same ground is filled on every date.

    Parameters
    ----------
    scene : Scene
        What all dates see.
    dates : sequence of AnnotatedDate
        The reference first.
    folder : Path
        Gets the SAFE folders and the folder ``truth``, once all are complete.
    swaths : sequence of str
        For example IW1, IW2.
    polarisation : str
        Of the measurement files.
    bursts : sequence of int or None
        Of the reference, counted from 0, in every swath; None: all.
    lines : Band or None
        Lines of the reference's StripMap image; None: all.
    truth_step : Shape
        Lines and samples between saved points.
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each date.

    Returns
    -------
    SimulatedSeries
        Where everything is.

    Raises
    ------
    RequestError
        No date, twice the same date, or a burst that the reference does not have.
    ProductError
        A product lacks a swath or is damaged.
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    if not dates or not swaths:
        raise RequestError("dates and swaths", "at least one each", "none")
    terrain = terrain_of(scene.dem)
    with scratch_folder(folder) as scratch:
        safes = [place_metadata(date, scratch, swaths[0], polarisation) for date in dates]
        made = [
            Date(
                images=tuple(_image(safe, swath, polarisation) for swath in swaths),
                motion=motion_of(scene, date.motion, date.ramps),
                misregistration=date.misregistration,
            )
            for date, safe in zip(dates, safes, strict=True)
        ]
        wanted = [_wanted(image, bursts, lines) for image in made[0].images]
        outputs = [
            Output(
                measurements=tuple(measurement_path(safe, image) for image in date.images),
                selections=tuple(
                    _over(made[0], date, swath, selection, terrain)
                    for swath, selection in enumerate(wanted)
                ),
            )
            for date, safe in zip(made, safes, strict=True)
        ]
        fill(
            scratch,
            scene,
            made,
            outputs,
            facts={"dates": [asdict(date) for date in dates]},
            step=truth_step,
            threads=threads,
            progress=progress,
        )
        return publish_series(scratch, folder, [safe.name for safe in safes])


def place_metadata(date: AnnotatedDate, folder: Path, swath: str, polarisation: str) -> Path:
    """Copy the metadata of a date, or derive it.

    Parameters
    ----------
    date : AnnotatedDate
        Whose metadata is wanted.
    folder : Path
        Gets the SAFE folder.
    swath, polarisation : str
        Of the image in whose middle a baseline is perpendicular.

    Returns
    -------
    Path
        The SAFE folder, with an empty folder for measurement files.

    Raises
    ------
    ProductError
        The product is damaged.
    RequestError
        There is a product of that name already.
    """
    if date.derivation is None:
        return copy_metadata(date.product, folder)
    image = _image(date.product, swath, polarisation)
    middle = image.grid.slant_range(0.5 * (image.grid.shape.samples - 1))
    tie_points = image.geolocation
    latitude = np.radians(tie_points.latitudes.mean())
    ground = 6_378_137.0 - 21_385.0 * np.sin(latitude) ** 2 + tie_points.heights.mean()
    orbit = np.linalg.norm(image.state_vectors.positions, axis=1).mean()
    look_angle = look_angle_at(middle, orbit_radius=float(orbit), ground_radius=float(ground))
    return derive_metadata(date.product, folder, date.derivation, look_angle=look_angle)


def _image(safe: Path, swath: str, polarisation: str) -> SlcProduct:
    return open_sentinel1(safe).slc(swath, polarisation, need_pixels=False)


def measurement_path(safe: Path, image: SlcProduct) -> Path:
    """Return the measurement file's path: it has the name of the annotation file."""
    return safe / "measurement" / f"{Path(image.state_vectors.origin).stem}.tiff"


def _wanted(image: SlcProduct, bursts: Sequence[int] | None, lines: Band | None) -> Selection:
    """Lines of the reference that get pixels."""
    count = len(image.bursts)
    chosen = range(count) if bursts is None else bursts
    for index in chosen:
        if not 0 <= index < count:
            raise RequestError("bursts", f"from 0 to {count - 1}", index)
    everything = image.bursts[0].grid.shape.lines
    within = lines or Band(0, everything)
    if not 0 <= within.first < within.first + within.rows <= everything:
        raise RequestError("lines", f"within {everything} lines", f"{within.first}")
    return dict.fromkeys(chosen, within)


def _over(
    reference: Date, date: Date, swath: int, wanted: Selection, terrain: Terrain
) -> Selection:
    """Lines of a date over the wanted ones of the reference, with a margin around a window."""
    if date is reference:
        return wanted
    above, views = reference.views(swath), date.views(swath)
    selection = {}
    for index, within in wanted.items():
        over = overlying_burst(above[index], views, terrain)
        lines = date.images[swath].bursts[over].grid.shape.lines
        if within.rows == reference.images[swath].bursts[index].grid.shape.lines:
            selection[over] = Band(0, lines)
            continue
        first, last = seen_lines(above[index], within, views[over], terrain)
        start = max(int(first) - _LINE_MARGIN, 0)
        selection[over] = Band(start, min(int(last) + _LINE_MARGIN, lines) - start)
    return selection
