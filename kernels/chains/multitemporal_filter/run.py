"""The run function of the chain `multitemporal_filter`."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from kernels.chains.artefacts import ChainResult
from kernels.chains.multitemporal_filter.passes import FilterPlan, Pass, run_pass
from kernels.chains.multitemporal_filter.picture import before_and_after
from kernels.chains.multitemporal_filter.reading import Layer
from kernels.chains.multitemporal_filter.report import describe_looks, make_report
from kernels.chains.multitemporal_filter.request import OUTPUTS, MultitemporalFilterRequest
from kernels.chains.multitemporal_filter.sampling import (
    middle,
    sample_counts,
    sample_looks,
    sample_speckle,
)
from kernels.chains.multitemporal_filter.series import Acquisition, Series, open_series
from kernels.chains.multitemporal_filter.state import (
    State,
    filter_tags,
    filtered_images,
    find_state,
    is_filtered,
    state_name,
    state_tags,
)
from kernels.chains.multitemporal_filter.state_pixels import counts_of
from kernels.chains.reports import write_report
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError, RequestError
from kernels.model import Shape
from kernels.products.bundle import zip_files
from kernels.products.raster import Compression
from kernels.radiometry.speckle import Speckle

_REPORT, _PICTURE, _ARCHIVE = "report.json", "quicklook.png", "filtered_series.zip"

Figure = TypeVar("Figure")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredSeries:
    """What the filter left behind.

    Attributes
    ----------
    acquisitions : tuple of Acquisition
        In order of time.
    results : tuple of Path
        Their filtered files.
    state : Path
        Sums and counts.
    report : dict
        Ready for JSON.
    """

    acquisitions: tuple[Acquisition, ...]
    results: tuple[Path, ...]
    state: Path
    report: dict[str, Any]

    def draw(self, path: Path, number: int = -1) -> None:
        """Draw one acquisition before and after, by default the newest."""
        acquisition = self.acquisitions[number]
        before_and_after(
            path,
            Layer(acquisition.path, acquisition.band, acquisition.holes),
            Layer(self.results[number], 1, acquisition.holes),
        )


@dataclass(slots=True)
class _Run:
    """One run: what was asked, where it goes, what is done so far."""

    request: MultitemporalFilterRequest
    folder: Path
    beside: bool
    series: Series
    plan: FilterPlan
    state: State | None
    written: set[str]

    @property
    def state_path(self) -> Path:
        return self.folder / state_name(self.series)

    def result(self, acquisition: Acquisition) -> Path:
        if self.beside:
            return acquisition.path.parent / acquisition.result.name
        return self.folder / acquisition.result


def run(request: MultitemporalFilterRequest, folder: Path, progress: Progress) -> ChainResult:
    """Filter a series; a run on the folder of an earlier one does only what is missing.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        Checked request.
    folder : Path
        Receives a filtered file per acquisition (in the folders that the series has below the
        one given), the state, zip, quicklook and report. Every
        file appears when it is complete; the state before the results that it belongs to.
    progress : Progress
        Told of steps and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report; the filtered file among them is that of the newest acquisition.

    Raises
    ------
    FournaiseError
        One line that names what is wrong.
    """
    done = filter_series(request, folder, progress.part(0.0, 0.95))
    progress.update(0.95, "zip and quicklook")
    with scratch_folder(folder) as scratch:
        done.draw(scratch / _PICTURE)
        write_report(scratch / _REPORT, done.report)
        packed = {scratch / _REPORT: _REPORT}
        if request.archive == "all":
            packed |= {
                path: acquisition.result.as_posix()
                for acquisition, path in zip(done.acquisitions, done.results, strict=True)
            }
        zip_files(scratch / _ARCHIVE, list(packed), names=list(packed.values()))
        for name in (_PICTURE, _ARCHIVE, _REPORT):
            publish(scratch / name, folder / name)
    progress.update(1.0, "done")
    paths = {
        "filtered": done.results[-1],
        "filtered_series": folder / _ARCHIVE,
        "state": done.state,
        "picture": folder / _PICTURE,
        "report": folder / _REPORT,
    }
    return ChainResult.of(OUTPUTS, paths, done.report)


def filter_series(
    request: MultitemporalFilterRequest,
    folder: Path,
    progress: Progress,
    *,
    beside: bool = False,
) -> FilteredSeries:
    """Filter a series without packing the results.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        Checked request.
    folder : Path
        Receives the state, and the filtered files unless they lie `beside`.
    progress : Progress
        Told of steps and shares; asked for cancellation.
    beside : bool
        Whether each filtered file goes to the folder of its acquisition, which must be on the
        file system of `folder`.

    Returns
    -------
    FilteredSeries
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong.
    """
    clock = time.perf_counter()
    progress.update(0.0, "series")
    series = open_series(request)
    state = find_state(folder / state_name(series), series, request)
    sampled = _sampled(series, state)
    before = _known((a.name, sample_speckle(Layer(a.path, a.band, a.holes))) for a in sampled)
    plan = _plan(request, series.grid.shape, before)
    job = _Run(request, folder, beside, series, plan, state, set())
    seconds = {"series": time.perf_counter() - clock}
    clock = time.perf_counter()
    _filter(job, progress.part(0.02, 0.95))
    seconds["filter"] = time.perf_counter() - clock
    progress.update(0.95, "report")
    clock = time.perf_counter()
    after = _known((a.name, sample_looks(Layer(job.result(a), 1, a.holes))) for a in sampled)
    report = _report(job, before, after, seconds)
    report["seconds"]["report"] = round(time.perf_counter() - clock, 2)
    return FilteredSeries(
        acquisitions=series.acquisitions,
        results=tuple(job.result(a) for a in series.acquisitions),
        state=job.state_path,
        report=report,
    )


def _plan(
    request: MultitemporalFilterRequest, shape: Shape, before: dict[str, Speckle]
) -> FilterPlan:
    looks = request.looks or middle(s.looks for s in before.values())
    pixels = middle(s.window_pixels(request.window) for s in before.values())
    if looks is None and request.method != "quegan":
        raise RequestError(
            "looks", f"given for the method {request.method} on so small an image", "nothing"
        )
    counts_mb = shape.lines * shape.samples / 1e6  # of the new state, held until it is complete
    return FilterPlan(
        method=request.method,
        window=request.window,
        looks=looks or 1.0,
        window_pixels=pixels or float(request.window**2),
        threads=request.threads or default_threads(),
        memory_mb=max(request.memory_mb - counts_mb, request.memory_mb / 2),
    )


def _sampled(series: Series, state: State | None) -> tuple[Acquisition, ...]:
    """Choose the first, the middle and the last of what is new, or the last of all."""
    known = state.names if state else ()
    new = [a for a in series.acquisitions if a.name not in known] or [series.acquisitions[-1]]
    return tuple(new[k] for k in sorted({0, len(new) // 2, len(new) - 1}))


def _known(measured: Iterable[tuple[str, Figure | None]]) -> dict[str, Figure]:
    """Keep what could be measured, by name of the acquisition."""
    return {name: figure for name, figure in measured if figure is not None}


def _filter(job: _Run, progress: Progress) -> None:
    """Bring the state up to date and write the results that are missing.

    Acquisitions of the last group that goes into the state are filtered in the same pass; the
    others need the complete state first, and are read a second time.
    """
    columns = job.series.grid.shape.samples
    known = job.state.names if job.state else ()
    new = [a for a in job.series.acquisitions if a.name not in known]
    images = _images(job.request, len(known) + len(new))

    def is_done(acquisition: Acquisition) -> bool:
        path = job.result(acquisition)
        if acquisition.name not in known or not is_filtered(path, job.request, acquisition):
            return False
        return not job.request.refilter or filtered_images(path) == images

    todo = [a for a in job.series.acquisitions if not is_done(a)]
    adding = job.plan.groups(new, columns) if new else []
    together = adding[-1] if adding else []
    rest = [a for a in todo if a not in together]
    again = job.plan.groups(rest, columns) if rest else []
    passes = len(adding) + len(again)
    for number, group in enumerate([*adding, *again]):
        part = progress.part(number / passes, (number + 1) / passes)
        add = number < len(adding)
        write = not add or group is together
        _one_pass(job, group, add=add, write=write, progress=part)
    if job.state is not None and job.state.path != job.state_path:
        _adopt_state(job, job.state)


def _images(request: MultitemporalFilterRequest, known: int) -> int:
    """Count the acquisitions that take part in filtering one."""
    return 1 if request.method == "lee" else known


def _one_pass(
    job: _Run, group: Sequence[Acquisition], *, add: bool, write: bool, progress: Progress
) -> None:
    names = job.state.names if job.state else ()
    if add:
        names = (*names, *(a.name for a in group))
    compression = job.request.compression
    images = _images(job.request, len(names))
    with scratch_folder(job.folder) as scratch:
        results = {
            a.name: (scratch / a.result.name, filter_tags(job.request, a, images=images))
            for a in group
            if write
        }
        new_state = scratch / job.state_path.name if add else None
        run_pass(
            Pass(
                acquisitions=group,
                state=job.state.path if job.state else None,
                new_state=new_state,
                images=len(names),
                results=results,
            ),
            job.plan,
            grid=job.series.grid,
            state_tags=state_tags(job.series, job.request, names),
            compression=None if compression == "same" else cast(Compression, compression),
            progress=progress,
            step="filter" if write else "state",
        )
        if new_state is not None:
            if job.state is None:  # what is there belongs to a state that is now replaced
                for acquisition in job.series.acquisitions:
                    job.result(acquisition).unlink(missing_ok=True)
            job.state = State(publish(new_state, job.state_path), names)
        for acquisition in group if write else ():
            publish(results[acquisition.name][0], job.result(acquisition))
        job.written |= set(results)


def _adopt_state(job: _Run, state: State) -> None:
    """Copy a state that needed nothing new to the results."""
    with scratch_folder(job.folder) as scratch:
        copy = scratch / job.state_path.name
        try:
            shutil.copyfile(state.path, copy)
        except OSError as error:
            raise ProcessingError(f"{copy.name} could not be written: {error.strerror}") from error
        job.state = State(publish(copy, job.state_path), state.names)


def _report(
    job: _Run,
    before: dict[str, Speckle],
    after: dict[str, float],
    seconds: dict[str, float],
) -> dict[str, Any]:
    counts = sample_counts(counts_of(job.state_path))
    names = job.state.names if job.state else ()
    looks = describe_looks(
        job.request, before=before, after=after, images=counts.median if counts else len(names)
    )
    return make_report(
        job.request,
        job.series,
        images={a.name: filtered_images(job.result(a)) for a in job.series.acquisitions},
        written=job.written,
        state_names=names,
        counts=counts,
        looks=looks,
        seconds=seconds,
    )
