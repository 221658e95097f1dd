"""Simulate a series of acquisitions of one scene as real products, with the truth beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernels.engine.bands import Band, default_threads, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import RequestError
from kernels.model import SPEED_OF_LIGHT, Shape, SlcProduct
from kernels.simulation.acquisition import Acquisition, Track, make_products
from kernels.simulation.containers import container_of
from kernels.simulation.dates import Date, Selection, overlying_burst
from kernels.simulation.facts import scene_facts, target_facts
from kernels.simulation.image import BurstImage, render
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.mapping_numba import Appearance, Frame
from kernels.simulation.modes import Mode, TopsMode
from kernels.simulation.points import cells_under, see_target
from kernels.simulation.publishing import TRUTH, SimulatedSeries, publish_series
from kernels.simulation.reflectivity import OVERSAMPLING, band_kernel
from kernels.simulation.scene import Scene, motion_of, terrain_of
from kernels.simulation.truth import SecondaryBurst, save_burst_truth, save_scene

TRUTH_STEP = Shape(4, 8)
_BAND_PIXELS = 1_000_000
_OWN_SEED, _SWATH_SEED = 1_000_003, 1_009
"""Steps of the seed between dates and swaths: noise of every burst is its own, as in nature."""


def simulate(
    scene: Scene,
    acquisitions: Sequence[Acquisition],
    folder: Path,
    *,
    track: Track | None = None,
    mode: Mode | None = None,
    truth_step: Shape = TRUTH_STEP,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedSeries:
    """Simulate a series with parameters of its own.

    Parameters
    ----------
    scene : Scene
        What all dates see.
    acquisitions : sequence of Acquisition
        The reference first.
    folder : Path
        Gets the products and the folder ``truth``, once all are complete.
    track : Track or None
        Where the sensor passes; None: over La Réunion.
    mode : TopsMode, StripMapMode or None
        Of imaging; None: two bursts of IW1.
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
        No acquisition, two of the same instant and platform, or a swath or platform that does
        not fit.
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    if not acquisitions:
        raise RequestError("acquisitions", "at least one", "none")
    terrain = terrain_of(scene.dem)
    track, mode = track or Track(), mode or TopsMode()
    dates = [
        Date(
            images=make_products(track, mode, acquisition, terrain),
            motion=motion_of(scene, acquisition.motion, acquisition.ramps),
            misregistration=acquisition.misregistration,
        )
        for acquisition in acquisitions
    ]
    return simulate_dates(
        scene,
        dates,
        folder,
        facts={"acquisitions": [asdict(a) for a in acquisitions], "track": asdict(track)},
        truth_step=truth_step,
        threads=threads,
        progress=progress,
    )


def simulate_dates(
    scene: Scene,
    dates: Sequence[Date],
    folder: Path,
    *,
    facts: dict[str, Any] | None = None,
    truth_step: Shape = TRUTH_STEP,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedSeries:
    """Simulate the products that some metadata describes, whoever made it.

    Parameters
    ----------
    scene : Scene
        What all dates see.
    dates : sequence of Date
        The reference first.
    folder : Path
        Gets the products, named as their images say, and the folder ``truth``.
    facts : dict or None
        To save with those of the scene.
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
        Two dates of one name.
    ProcessingError
        The file system did not take the files.
    Cancelled
        If asked to stop; nothing is left.
    """
    names = {date.images[0].name for date in dates}
    if len(names) < len(dates):
        raise RequestError("acquisitions", "of different instants or platforms", min(names))
    with scratch_folder(folder) as scratch:
        containers = [container_of(date.images[0]) for date in dates]
        products = [
            scratch / f"{date.images[0].name}{container.ending}"
            for date, container in zip(dates, containers, strict=True)
        ]
        outputs = [
            Output(
                measurements=container.begin(product, date.images),
                selections=tuple(map(whole, date.images)),
            )
            for container, product, date in zip(containers, products, dates, strict=True)
        ]
        fill(
            scratch,
            scene,
            dates,
            outputs,
            facts=facts or {},
            step=truth_step,
            threads=threads,
            progress=progress,
        )
        for container, product, date in zip(containers, products, dates, strict=True):
            container.finish(product, date.images)
        return publish_series(scratch, folder, [product.name for product in products])


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the pixels of one date go, and which of them are made; one entry per swath."""

    measurements: tuple[Path, ...]
    selections: tuple[Selection, ...]


def whole(image: SlcProduct) -> Selection:
    """Select all lines of all bursts."""
    return {burst.index: Band(0, burst.grid.shape.lines) for burst in image.bursts}


def fill(
    scratch: Path,
    scene: Scene,
    dates: Sequence[Date],
    outputs: Sequence[Output],
    *,
    facts: dict[str, Any],
    step: Shape,
    threads: int | None,
    progress: Progress | None,
) -> None:
    """Write all pixels of a series, and its truth beside.

    Parameters
    ----------
    scratch : Path
        Gets the folder of the truth.
    scene : Scene
        What is seen.
    dates : sequence of Date
        The reference first.
    outputs : sequence of Output
        Of each date.
    facts : dict
        To save with those of the scene.
    step : Shape
        Lines and samples between saved points.
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each band.
    """
    terrain = terrain_of(scene.dem)
    threads, progress = threads or default_threads(), progress or Progress()
    tasks = [(n, s) for n, date in enumerate(dates) for s in range(len(date.images))]
    seen: list[dict[str, Any]] = []
    for done, (number, swath) in enumerate(tasks):
        plans = burst_images(scene, terrain, dates, number=number, swath=swath)
        image = dates[number].images[swath]
        seen += target_facts(plans, image)
        write_pixels(
            outputs[number].measurements[swath],
            plans,
            image,
            outputs[number].selections[swath],
            threads=threads,
            progress=progress.part(0.9 * done / len(tasks), 0.9 * (done + 1) / len(tasks)),
        )
    truth = scratch / TRUTH
    truth.mkdir()
    for swath, selection in enumerate(outputs[0].selections):
        save_swath_truth(truth, terrain, dates, selection, swath=swath, step=step, threads=threads)
    save_scene(truth, scene_facts(scene, dates) | {"targets_seen": seen} | facts)
    progress.update(1.0, "truth")


def write_pixels(
    path: Path,
    plans: Sequence[BurstImage],
    image: SlcProduct,
    selection: Selection,
    *,
    threads: int,
    progress: Progress,
) -> None:
    """Write the measurement file of one swath of one date.

    Parameters
    ----------
    path : Path
        Of the file.
    plans : sequence of BurstImage
        Of all bursts.
    image : SlcProduct
        Gives size and tags of the file.
    selection : dict of int to Band
        Lines of bursts that get pixels.
    threads : int
        Computing threads.
    progress : Progress
        Told of each band.
    """
    rows = max(_BAND_PIXELS // image.grid.shape.samples, 16)
    if plans[0].cells is not None:
        # Every band would visit all cells under its burst.
        rows = image.grid.shape.lines
    tasks = [
        (plans[index], band)
        for index, lines in sorted(selection.items())
        for band in split_rows(lines.rows, band_rows=rows, first=lines.first)
    ]
    with container_of(image).pixels(path, image) as writer:
        run_bands(
            tasks,
            read=lambda task: task,
            compute=lambda _task, task: render(*task),
            write=lambda task, pixels: writer.write(
                task[0].burst.first_line + task[1].first, pixels
            ),
            threads=threads,
            progress=progress,
            step=f"{image.platform} {image.start:%Y-%m-%d} {image.swath}",
        )


def burst_images(
    scene: Scene, terrain: Terrain, dates: Sequence[Date], *, number: int, swath: int
) -> list[BurstImage]:
    """Gather what the pixels of each burst of one swath of one date follow from."""
    reference, date = dates[0], dates[number]
    image = date.images[swath]
    grid = reference.images[swath].grid
    above, views = reference.views(swath), date.views(swath)
    spacing = scene.scatterer_spacing
    kernel = band_kernel(
        sharp=spacing is not None,
        azimuth_band=image.azimuth_bandwidth * grid.line_interval,
        range_band=image.range_bandwidth * grid.slant_range_spacing / (0.5 * SPEED_OF_LIGHT),
    )
    still = not (date.motion.mogi.size or date.motion.ramps.size)
    return [
        BurstImage(
            burst=burst,
            view=view,
            reference=above[overlying_burst(view, above, terrain)],
            terrain=terrain,
            looks=_appearance(scene),
            frame=Frame(0.0, grid.line_interval, grid.slant_range_spacing / OVERSAMPLING),
            kernel=kernel,
            common_seed=scene.seed,
            own_seed=scene.seed + _OWN_SEED * (number + 1) + _SWATH_SEED * swath + burst.index,
            in_reference=number == 0 and still and scene.plain,
            cells=None
            if spacing is None
            else cells_under(
                scene,
                terrain,
                view,
                lines=burst.grid.shape.lines,
                samples=burst.grid.shape.samples,
                spacing=spacing,
            ),
            targets=tuple(see_target(view, terrain, t, kernel) for t in scene.targets),
        )
        for burst, view in zip(image.bursts, views, strict=True)
    ]


def save_swath_truth(
    folder: Path,
    terrain: Terrain,
    dates: Sequence[Date],
    selection: Selection,
    *,
    swath: int,
    step: Shape,
    threads: int,
) -> None:
    """Save what is true of the simulated lines of the reference in one swath."""
    image = dates[0].images[swath]
    views = [date.views(swath) for date in dates]
    for index, within in sorted(selection.items()):
        secondaries = []
        for date, seen in zip(dates[1:], views[1:], strict=True):
            over = overlying_burst(views[0][index], seen, terrain)
            epoch = date.images[swath].grid.epoch
            secondaries.append(SecondaryBurst(index=over, view=seen[over], epoch=epoch))
        save_burst_truth(
            folder,
            swath=image.swath,
            burst=index,
            view=views[0][index],
            within=within,
            samples=image.grid.shape.samples,
            step=step,
            terrain=terrain,
            secondaries=tuple(secondaries),
            threads=threads,
        )


def _appearance(scene: Scene) -> Appearance:
    sea = scene.amplitude if scene.sea_amplitude is None else scene.sea_amplitude
    return Appearance(
        scene.amplitude,
        sea,
        scene.sea_height,
        scene.land_coherence,
        scene.sea_coherence,
        scene.noise,
        scene.relief,
    )
