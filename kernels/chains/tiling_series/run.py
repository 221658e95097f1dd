"""The run function of the chain `tiling_series`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from kernels.chains.artefacts import ChainResult
from kernels.chains.reports import write_report
from kernels.chains.tiling_series.filtering import TileSeries, make_series
from kernels.chains.tiling_series.making import SeriesTile, make_series_tile
from kernels.chains.tiling_series.plan import Plan, plan_series
from kernels.chains.tiling_series.report import FailedPass, make_report
from kernels.chains.tiling_series.request import OUTPUTS, TilingSeriesRequest
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import InputError, RequestError
from kernels.products.bundle import zip_files
from kernels.products.preview import LONG_SIDE
from kernels.products.quicklook import write_quicklook
from kernels.products.raster import RasterReader

_ARCHIVE, _QUICKLOOK, _REPORT = "series.zip", "quicklook.png", "report.json"


def run(request: TilingSeriesRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make a series of tiles and filter it; a run on an earlier folder adds what is missing.

    Parameters
    ----------
    request : TilingSeriesRequest
        Checked request.
    folder : Path
        Receives the tiles, their filtered versions and the states of the filter in
        ``S1-L1-ORTHO/TILE``, each when it is complete; then quicklook, report and zip.
    progress : Progress
        Told of passes, filters and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; what is complete stays for the next run.
    """
    clock = time.perf_counter()
    plan = plan_series(request, progress.part(0.0, 0.02))
    seconds = {"products": time.perf_counter() - clock}
    clock = time.perf_counter()
    made, failed = _make_tiles(request, plan, folder, progress.part(0.02, 0.75))
    seconds["tiles"] = time.perf_counter() - clock
    clock = time.perf_counter()
    series = make_series(request, made, folder, progress.part(0.75, 0.95))
    seconds["filter"] = time.perf_counter() - clock
    progress.update(0.95, "quicklook, report and zip")
    newest = _newest(series)
    report = make_report(request, series, plan.left_out, failed, seconds)
    with scratch_folder(folder) as scratch:
        _draw(scratch / _QUICKLOOK, *newest)
        write_report(scratch / _REPORT, report)
        _pack(request, series, scratch / _REPORT, folder)
        progress.check()
        for name in (_ARCHIVE, _QUICKLOOK, _REPORT):
            publish(scratch / name, folder / name)
    progress.update(1.0, "done")
    paths = {
        "series": folder / _ARCHIVE,
        "newest_tile": newest[0].result(newest[1]),
        "quicklook": folder / _QUICKLOOK,
        "report": folder / _REPORT,
    }
    return ChainResult.of(OUTPUTS, paths, report)


def _make_tiles(
    request: TilingSeriesRequest, plan: Plan, folder: Path, progress: Progress
) -> tuple[list[SeriesTile], list[FailedPass]]:
    """Make the tiles of every pass; one that cannot be used is left out unless none is left."""
    made: list[SeriesTile] = []
    failed: list[FailedPass] = []
    first_error: InputError | RequestError | None = None
    for number, one in enumerate(plan.passes):
        part = progress.part(number / len(plan.passes), (number + 1) / len(plan.passes))
        step = f"{one.day} tile {one.tile}"
        part.update(0.0, step)
        try:
            made.append(make_series_tile(request, one, folder, part.named(step)))
        except (InputError, RequestError) as error:
            first_error = first_error or error
            failed.append(FailedPass(one, str(error)))
    if first_error is not None and not made:
        raise first_error
    return made, failed


def _newest(series: Sequence[TileSeries]) -> tuple[TileSeries, SeriesTile]:
    """Of the newest day the tile with the most data, co-polarised."""
    return max(
        ((one, item) for one in series for item in one.made),
        key=lambda found: (
            found[1].one.day,
            found[1].covered,
            found[0].polarisation == found[1].one.polarisations[0],
        ),
    )


def _draw(path: Path, series: TileSeries, made: SeriesTile) -> None:
    if series.filtered is not None:
        sources = [acquisition.path for acquisition in series.filtered.acquisitions]
        series.filtered.draw(path, sources.index(made.file_of(series.polarisation)))
        return
    # the newest tile is shown in its first polarisation
    write_quicklook(path, RasterReader(made.files[0]).overview(LONG_SIDE).array[0])


def _pack(
    request: TilingSeriesRequest, series: Sequence[TileSeries], report: Path, folder: Path
) -> None:
    """Zip what the report names, in the layout of the folder."""
    files = {report: report.name}
    if request.archive == "all":
        for one in series:
            for item in one.made:
                for file in (*item.files, *item.masks, one.result(item)):
                    files[file] = file.relative_to(folder).as_posix()
    zip_files(report.with_name(_ARCHIVE), list(files), names=list(files.values()))
