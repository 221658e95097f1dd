"""Simulate detected products (IW GRDH) whose targets and radiometry are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import ProductError, RequestError
from kernels.model import GrdProduct, Shape
from kernels.products.sentinel1 import open_sentinel1
from kernels.products.sentinel1_writer import write_manifest
from kernels.products.sentinel1_writer_grd import write_grd_annotation
from kernels.simulation.acquisition import Acquisition, Track
from kernels.simulation.derive import copy_metadata
from kernels.simulation.detected_acquisition import DetectedMode, make_detected
from kernels.simulation.detected_filling import DetectedFiles, fill_detected
from kernels.simulation.detected_image import Background
from kernels.simulation.detected_view import (
    TargetGrid,
    ground_view,
    spread_targets,
)
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.publishing import TRUTH, publish_folders
from kernels.simulation.scene import PointTarget, Scene, terrain_of

_POLARISATIONS = ("VV", "VH", "HH", "HV")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDetected:
    """What a simulation of detected products left behind.

    Attributes
    ----------
    products : tuple of Path
        SAFE folders, date by date, the slices of a date in order.
    truth : Path
        Folder for load_detected_truth, which counts products in the same order.
    """

    products: tuple[Path, ...]
    truth: Path


def simulate_detected(
    scene: Scene,
    acquisitions: Sequence[Acquisition],
    folder: Path,
    *,
    track: Track | None = None,
    mode: DetectedMode | None = None,
    background: Background | None = None,
    target_grid: TargetGrid | None = None,
    polarisations: Sequence[str] = ("VV",),
    border: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedDetected:
    """Simulate detected products with parameters of their own.

    Parameters
    ----------
    scene : Scene
        Gives terrain, height of the sea, seed and targets; the rest belongs to complex images.
    acquisitions : sequence of Acquisition
        One per date; their motion, ramps and misregistration are without effect.
    folder : Path
        Gets the SAFE folders and the folder ``truth``, once all are complete.
    track : Track or None
        Where the sensor passes; None: over La Réunion.
    mode : DetectedMode or None
        Size and slices.
    background : Background or None
        Brightness of the ground; None: speckle of constant gamma nought.
    target_grid : TargetGrid or None
        Targets beside those of the scene, spread over the images of the first date.
    polarisations : sequence of str
        For example VV, VH; the same targets in all.
    border : int
        Widest border of zeros around a pass [lines and samples]; none where slices meet.
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each image.

    Returns
    -------
    SimulatedDetected
        Where everything is.

    Raises
    ------
    RequestError
        No acquisition, two of the same instant and platform, no polarisation, or a border that
        leaves no pixel.
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    track, mode = track or Track(), mode or DetectedMode()
    if not acquisitions:
        raise RequestError("acquisitions", "at least one", "none")
    polarisations = _checked(polarisations)
    _check_border(border, Shape(mode.lines, mode.samples))
    terrain = terrain_of(scene.dem)
    with scratch_folder(folder) as scratch:
        passes = []
        for acquisition in acquisitions:
            slices = make_detected(track, mode, acquisition, terrain, polarisations=polarisations)
            for k, images in enumerate(slices):
                number = k + 1 if mode.slices > 1 else 0
                passes.append(_write_metadata(scratch, images, number, len(slices)))
        if len({p.safe for p in passes}) < len(passes):
            raise RequestError("acquisitions", "of different instants or platforms", "equal ones")
        facts = {"acquisitions": [asdict(a) for a in acquisitions], "track": asdict(track)}
        first = passes[: mode.slices]
        fill_detected(
            scratch,
            scene,
            passes,
            terrain=terrain,
            background=background or Background(),
            targets=_targets(scene, terrain, first, target_grid),
            border=border,
            facts=facts | {"mode": asdict(mode)},
            threads=threads,
            progress=progress,
        )
        for made in passes:
            write_manifest(made.safe, made.images)
        return _publish(scratch, folder, passes)


def simulate_detected_on_annotation(
    scene: Scene,
    product: Path,
    folder: Path,
    *,
    background: Background | None = None,
    target_grid: TargetGrid | None = None,
    polarisations: Sequence[str] = ("VV",),
    lines: Band | None = None,
    border: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedDetected:
    """Simulate the measurement files of a real detected product; its metadata is copied.

    Parameters
    ----------
    scene : Scene
        Gives terrain, height of the sea, seed and targets; the rest belongs to complex images.
    product : Path
        A SAFE folder; it needs no measurement files.
    folder : Path
        Gets the SAFE folder and the folder ``truth``, once both are complete.
    background : Background or None
        Brightness of the ground; None: speckle of constant gamma nought.
    target_grid : TargetGrid or None
        Targets beside those of the scene, spread over the lines that get pixels.
    polarisations : sequence of str
        The metadata of one that the product lacks is that of the first one that it has, renamed.
    lines : Band or None
        Lines that get pixels; the others take no room and read as 0. None: all.
    border : int
        Widest border of zeros around the whole image [lines and samples].
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each image.

    Returns
    -------
    SimulatedDetected
        Where everything is.

    Raises
    ------
    RequestError
        No polarisation, or lines beyond the image.
    ProductError
        The product is no GRD, or is damaged.
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    polarisations = _checked(polarisations)
    terrain = terrain_of(scene.dem)
    with scratch_folder(folder) as scratch:
        safe = copy_metadata(product, scratch)
        _complete(safe, polarisations)
        images = tuple(open_sentinel1(safe).grd(p, need_pixels=False) for p in polarisations)
        everything = images[0].grid.shape.lines
        band = lines or Band(0, everything)
        if not 0 <= band.first < band.first + band.rows <= everything:
            raise RequestError("lines", f"within {everything} lines", f"{band.first}")
        _check_border(border, images[0].grid.shape)
        made = DetectedFiles(
            safe=safe,
            images=images,
            measurements=tuple(
                safe / "measurement" / f"{Path(image.state_vectors.origin).stem}.tiff"
                for image in images
            ),
            band=band,
        )
        fill_detected(
            scratch,
            scene,
            [made],
            terrain=terrain,
            background=background or Background(),
            targets=_targets(scene, terrain, [made], target_grid),
            border=border,
            facts={"lines": list(band)},
            threads=threads,
            progress=progress,
        )
        return _publish(scratch, folder, [made])


def _checked(polarisations: Sequence[str]) -> tuple[str, ...]:
    """Return the polarisations in capitals if they are known and different."""
    chosen = tuple(polarisation.upper() for polarisation in polarisations)
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(_POLARISATIONS):
        rule = f"different ones of {', '.join(_POLARISATIONS)}"
        raise RequestError("polarisations", rule, ", ".join(chosen) or "none")
    return chosen


def _check_border(border: int, shape: Shape) -> None:
    if not 0 <= 4 * border < min(shape):
        raise RequestError("border", "from 0 to a quarter of the image", border)


def _write_metadata(
    scratch: Path, images: tuple[GrdProduct, ...], number: int, slices: int
) -> DetectedFiles:
    """Write the annotation of one slice, counted from 1, or of a product that is none (0)."""
    safe = scratch / f"{images[0].name}.SAFE"
    return DetectedFiles(
        safe=safe,
        images=images,
        measurements=write_grd_annotation(safe, images, slice_number=number),
        band=Band(0, images[0].grid.shape.lines),
        at_start=number <= 1,
        at_end=number in (0, slices),
    )


def _complete(safe: Path, polarisations: Sequence[str]) -> None:
    """Make the metadata of missing polarisations from that of the first one that is there."""
    there = [image.polarisation for image in open_sentinel1(safe).images]
    if not there:
        raise ProductError(f"{safe.name} has no annotation")
    old = there[0]
    for new in (p for p in polarisations if p not in there):
        for path in sorted(safe.glob(f"annotation/**/*-{old.lower()}-*.xml")):
            name = path.name.replace(f"-{old.lower()}-", f"-{new.lower()}-")
            name = name.replace("-001.xml", "-002.xml")
            text = path.read_text(encoding="utf-8")
            text = text.replace(f"<polarisation>{old}<", f"<polarisation>{new}<")
            text = text.replace("<imageNumber>001<", "<imageNumber>002<")
            path.with_name(name).write_text(text, encoding="utf-8")


def _targets(
    scene: Scene, terrain: Terrain, passes: Sequence[DetectedFiles], grid: TargetGrid | None
) -> list[PointTarget]:
    """Targets of the scene, and those spread over the lines that get pixels."""
    targets = list(scene.targets)
    if grid is None:
        return targets
    for number, made in enumerate(passes):
        image = made.images[0]
        start = image.grid.first_line_time + made.band.first * image.grid.line_interval
        view = ground_view(image.grid, image.state_vectors)._replace(first_line_time=start)
        targets += spread_targets(
            grid,
            image.grid.shape._replace(lines=made.band.rows),
            view,
            terrain,
            seed=scene.seed + number,
            share=len(passes),
        )
    return targets


def _publish(scratch: Path, folder: Path, passes: Sequence[DetectedFiles]) -> SimulatedDetected:
    names = [made.safe.name for made in passes]
    publish_folders(scratch, folder, (*names, TRUTH))
    return SimulatedDetected(products=tuple(folder / name for name in names), truth=folder / TRUTH)
