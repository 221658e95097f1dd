"""The run function of the chain `multislc-series`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kernels.chains.artefacts import ChainResult
from kernels.chains.dinsar_pair.footprint import load_pair_dem, map_grid
from kernels.chains.dinsar_pair.phase_products import prepare_phase_products
from kernels.chains.multislc_series.dates import make_images
from kernels.chains.multislc_series.network import check_pairs, choose_pairs
from kernels.chains.multislc_series.opening import best_reference, open_frame
from kernels.chains.multislc_series.pair_files import PairFiles
from kernels.chains.multislc_series.pairs import PairMaker
from kernels.chains.multislc_series.plan import STATISTICS_MB, check_room
from kernels.chains.multislc_series.request import OUTPUTS, MultislcSeriesRequest
from kernels.chains.multislc_series.results import (
    describe_series,
    master_folder,
    write_interferogram_stack,
    write_results,
)
from kernels.chains.multislc_series.selection import select_dates
from kernels.chains.multislc_series.stack import Stack
from kernels.chains.multislc_series.statistics import write_statistics
from kernels.chains.multislc_series.store import open_store, store_key
from kernels.chains.reports import StepClock
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import InputError
from kernels.insar.networks import Pair, read_pair


def run(request: MultislcSeriesRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make a coregistered series and its interferograms.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Checked request.
    folder : Path
        Receives a folder for the reference and one for each pair, each file when it is complete.
        A run on an earlier folder, or with an earlier store, adds what is missing.
    progress : Progress
        Told of dates, pairs and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; what is complete stays for the next run.
    """
    threads = request.threads or default_threads()
    clock = StepClock()
    selection = select_dates(request, progress.part(0.0, 0.02))
    number = selection.reference
    if number is None:
        number = best_reference(request, selection.dates)
    reference = selection.dates[number]
    # what can be refused now is not refused hours later
    check_pairs(request, selection.dates, number)
    frame = open_frame(request, reference.paths)
    clock.lap("metadata")
    progress.update(0.03, "elevation model")
    of_pair = request.pair(frame.paths, frame.paths)
    dem = load_pair_dem(of_pair, frame.swaths)
    grid = map_grid(of_pair, frame.swaths, dem)
    unbiased_looks = prepare_phase_products(of_pair, frame.swaths, dem)
    clock.lap("elevation")
    key = store_key(frame, dem)
    with open_store(request, folder, key, progress) as store:
        said = check_room(frame, selection.dates, number, store, folder)
        progress.update(0.05, said)
        images = make_images(
            frame,
            selection.dates,
            reference,
            dem,
            store,
            threads=threads,
            progress=progress.part(0.05, 0.6),
        )
        clock.lap("images")
        stack = Stack(
            request=request,
            swaths=frame.swaths,
            dem=dem,
            grid=grid,
            images=images.images,
            reference=[image.date for image in images.images].index(reference),
        )
        if len(stack.images) < 2:
            raise InputError(f"no date can be used beside the reference: {images.left_out[0]}")
        network = _network(stack)
        statistics = write_statistics(
            stack,
            folder / master_folder(reference),
            threads=threads,
            memory_mb=min(request.memory_mb, STATISTICS_MB),
            progress=progress.part(0.6, 0.68),
        )
        clock.lap("statistics")
        pairs = _make_pairs(
            stack,
            network,
            key,
            folder,
            unbiased_looks=unbiased_looks,
            threads=threads,
            progress=progress.part(0.68, 0.93),
        )
        clock.lap("interferograms")
        mintpy = write_interferogram_stack(
            stack, pairs, folder, threads=threads, progress=progress.part(0.93, 0.96)
        )
        clock.lap("interferogram stack")
        report = describe_series(
            stack,
            images,
            left_out=(
                *selection.left_out,
                *images.left_out,
                *(
                    f"{p} was left out: it lacks an image"
                    for p in request.pairs
                    if _lacks(stack, p)
                ),
            ),
            statistics=statistics,
            pairs=pairs,
            seconds=clock.seconds,
        )
        paths = write_results(
            stack,
            folder,
            statistics=statistics,
            pairs=pairs,
            mintpy=mintpy,
            report=report,
            progress=progress.part(0.96, 1.0),
        )
    progress.update(1.0, "done")
    return ChainResult.of(OUTPUTS, paths, report)


def _lacks(stack: Stack, pair: str) -> bool:
    """Tell whether a pair of the list lacks an image."""
    return not {image.date.day for image in stack.images} >= set(read_pair(pair))


def _network(stack: Stack) -> tuple[Pair, ...]:
    """Choose the pairs of the dates that can be used."""
    request = stack.request
    days = [image.date.day for image in stack.images]
    usable = [text for text in request.pairs if not _lacks(stack, text)]
    if request.pairs and not usable:
        raise InputError(f"no pair of the list can be made, {request.pairs[0]} lacks an image")
    return choose_pairs(
        replace(request, pairs=tuple(usable)),
        days,
        stack.reference,
        [image.perpendicular_baseline for image in stack.images],
    )


def _make_pairs(
    stack: Stack,
    pairs: tuple[Pair, ...],
    key: str,
    folder: Path,
    *,
    unbiased_looks: float | None,
    threads: int,
    progress: Progress,
) -> tuple[PairFiles, ...]:
    """Make the interferograms, one after the other."""
    done = []
    with scratch_folder(folder) as scratch:
        maker = PairMaker(
            stack, key, unbiased_looks=unbiased_looks, threads=threads, scratch=scratch
        )
        for number, pair in enumerate(pairs):
            progress.check()
            first, second = (stack.images[k].date.text for k in pair)
            part = progress.part(number / len(pairs), (number + 1) / len(pairs))
            done.append(maker.make(pair, folder, part.named(f"{first}_{second}")))
    return tuple(done)
