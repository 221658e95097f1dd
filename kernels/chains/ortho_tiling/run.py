"""The run function of the chain `ortho_tiling`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernels.chains.artefacts import ChainResult
from kernels.chains.ortho_tiling.coverage import plan_tiles
from kernels.chains.ortho_tiling.inputs import check_composite, open_passes
from kernels.chains.ortho_tiling.making import MadeTile, make_tile, small_tile
from kernels.chains.ortho_tiling.report import make_report
from kernels.chains.ortho_tiling.request import OUTPUTS, OrthoTilingRequest
from kernels.chains.reports import write_report
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.products.bundle import zip_files
from kernels.products.quicklook import quicklook_pixels, write_quicklook
from kernels.products.raster import create_raster

_TILES, _QUICKLOOK, _MAP, _REPORT = "tiles.zip", "quicklook.png", "quicklook_map.tif", "report.json"


def run(request: OrthoTilingRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make ortho tiles; a run on the folder of an earlier one makes only what is missing.

    Parameters
    ----------
    request : OrthoTilingRequest
        Checked request.
    folder : Path
        Receives the files of every tile when they are complete; then quicklooks, report and
        zip.
    progress : Progress
        Told of tiles and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; tiles that are complete stay for the next run.
    """
    start = time.perf_counter()
    progress.update(0.0, "metadata")
    passes, notes = open_passes(request)
    check_composite(request, passes)
    jobs, left_out = plan_tiles(request, passes)
    made = []
    for number, job in enumerate(jobs):
        part = progress.part(
            0.02 + 0.93 * number / len(jobs), 0.02 + 0.93 * (number + 1) / len(jobs)
        )
        found = make_tile(request, job, folder, part)
        if found.covered * 100.0 >= request.minimum_coverage:
            made.append(found)
        else:
            left_out.append(job.note(found.covered))
    if not made:
        raise ProcessingError(
            f"no tile has {request.minimum_coverage:g} percent of data: "
            f"{', '.join(sorted({str(note['tile']) for note in left_out}))}"
        )
    progress.update(0.96, "quicklook and report")
    report = make_report(request, passes, made, left_out, notes)
    report["seconds"] = round(time.perf_counter() - start, 2)
    best = max(made, key=lambda item: item.covered)
    progress.check()
    _finish(request, made, best, report, folder)
    progress.update(1.0, "done")
    paths = {
        "tiles": folder / _TILES,
        "first_tile": folder / best.files[0],
        "quicklook": folder / _QUICKLOOK,
        "quicklook_map": folder / _MAP,
        "report": folder / _REPORT,
    }
    return ChainResult.of(OUTPUTS, paths, report)


def _finish(
    request: OrthoTilingRequest,
    made: Sequence[MadeTile],
    best: MadeTile,
    report: dict[str, Any],
    folder: Path,
) -> None:
    """Write quicklooks, report and zip."""
    with scratch_folder(folder) as scratch:
        _draw(request, best, scratch)
        write_report(scratch / _REPORT, report)
        packed = {Path(_REPORT): scratch / _REPORT}
        if request.archive == "all":
            packed |= {name: folder / name for one in made for name in (*one.files, *one.masks)}
        names = [name.as_posix() for name in packed]
        zip_files(scratch / _TILES, list(packed.values()), names=names)
        for file in (_TILES, _QUICKLOOK, _MAP, _REPORT):
            publish(scratch / file, folder / file)


def _draw(request: OrthoTilingRequest, made: MadeTile, scratch: Path) -> None:
    """Write the quicklook for the eye, and for the map."""
    small = small_tile(made)
    cross = small.backscatter[1] if request.composite else None
    write_quicklook(scratch / _QUICKLOOK, small.backscatter[0], cross)
    colours = ("red", "green", "blue", "opacity")
    with create_raster(
        scratch / _MAP,
        small.grid.shape,
        colours,
        grid=small.grid,
        nodata=0.0,
        dtype="uint8",
        compression="DEFLATE",
        overviews="nearest",
    ) as writer:
        writer.write(0, quicklook_pixels(small.backscatter[0], cross))
