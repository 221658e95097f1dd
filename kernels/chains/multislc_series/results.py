"""What a series hands back: the stack as MintPy reads it, pictures, tables, report and zip."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kernels.chains.dinsar_pair.report import SIGN, describe_product
from kernels.chains.dinsar_pair.unwrapped import unwrapping_factors
from kernels.chains.multislc_series.baselines import write_baselines
from kernels.chains.multislc_series.dates import Images
from kernels.chains.multislc_series.footprint import write_footprint, write_scene_dem
from kernels.chains.multislc_series.pair_files import PairFiles
from kernels.chains.multislc_series.stack import SeriesDate, Stack, StackImage
from kernels.chains.multislc_series.statistics import StackStatistics
from kernels.chains.reports import named_values, rounded, versions, write_report
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.insar.networks import subsets
from kernels.model import Looks
from kernels.products.bundle import zip_files
from kernels.products.mintpy import create_stack
from kernels.products.mintpy_scene import scene_attributes, write_radar_geometry
from kernels.products.raster import RasterReader, read_radar_grid

INTERFEROGRAM_STACK, GEOMETRY = "ifgramStack.h5", "geometryRadar.h5"


def write_interferogram_stack(
    stack: Stack, pairs: Sequence[PairFiles], folder: Path, *, threads: int, progress: Progress
) -> tuple[Path, Path] | None:
    """Write the unwrapped pairs as MintPy reads them.

    Parameters
    ----------
    stack : Stack
        All images.
    pairs : sequence of PairFiles
        Finished ones.
    folder : Path
        Receives both files.
    threads : int
        Computing threads.
    progress : Progress
        Told of each pair.

    Returns
    -------
    tuple of Path or None
        Interferograms and geometry; None where nothing was unwrapped.

    Raises
    ------
    ProcessingError
        The file system did not take the files.
    """
    rasters = [pair.unwrapped for pair in pairs]
    first = next((raster for raster in rasters if raster is not None), None)
    if first is None:
        return None
    swath = stack.swaths[0]
    looks = Looks(*(a * b for a, b in zip(swath.looks, unwrapping_factors(swath), strict=True)))
    grid = read_radar_grid(first)
    attributes = scene_attributes(
        grid,
        swath.reference_orbit,
        platform=swath.reference.platform,
        looks=looks,
        effective_looks=swath.independent_looks(looks),
    )
    write_radar_geometry(
        folder / GEOMETRY,
        grid=grid,
        orbit=swath.reference_orbit,
        dem=stack.dem,
        attributes=attributes,
        threads=threads,
        progress=progress.part(0.0, 0.3),
    )
    with create_stack(
        folder / INTERFEROGRAM_STACK,
        days=[image.date.day for image in stack.images],
        pairs=[pair.pair for pair in pairs],
        baselines=[image.perpendicular_baseline for image in stack.images],
        shape=grid.shape,
        attributes=attributes,
    ) as writer:
        for number, raster in enumerate(rasters):
            progress.update(0.3 + 0.7 * number / len(rasters), "stack of interferograms")
            progress.check()
            if raster is not None:
                phase, coherence, components = RasterReader(raster).read()
                found = np.nan_to_num(components).astype(np.int64)
                writer.write(number, phase, coherence, found)
        writer.drop_missing()
    return folder / INTERFEROGRAM_STACK, folder / GEOMETRY


def describe_series(
    stack: Stack,
    images: Images,
    *,
    left_out: Sequence[str],
    statistics: StackStatistics,
    pairs: Sequence[PairFiles],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Put the report together.

    Parameters
    ----------
    stack : Stack
        All images.
    images : Images
        What became of the dates.
    left_out : sequence of str
        Products and dates that are not in the series, and why.
    statistics : StackStatistics
        Of the images.
    pairs : sequence of PairFiles
        Finished ones.
    seconds : dict of str to float
        Wall clock by step.

    Returns
    -------
    dict
        Ready for JSON.
    """
    days = [image.date.text for image in stack.images]
    groups = subsets(len(days), [pair.pair for pair in pairs])
    swath = stack.swaths[0]
    return {
        "process": "multislc-series",
        "request": named_values(stack.request),
        "reference": describe_product(swath.reference, swath.reference_names),
        "swaths": [
            {
                "swath": one.reference.swath,
                "bursts": [p.burst.index + 1 for p in one.layout.placements if p.partner],
                "lines": one.layout.grid.shape.lines,
                "samples": one.layout.grid.shape.samples,
            }
            for one in stack.swaths
        ],
        "dates": [
            {
                "day": image.date.text,
                "products": list(image.date.names),
                "perpendicular_baseline_m": round(image.perpendicular_baseline, 3),
                "parallel_baseline_m": round(image.parallel_baseline, 3),
                "azimuth_shift_lines": round(image.shift, 7),
                "from_store": image.date.text in images.from_store,
            }
            for image in stack.images
        ],
        "left_out": list(left_out),
        "spectral_diversity": images.diversity,
        "network": {
            "pairs": [pair.record | {"made": pair.made} for pair in pairs],
            "subsets": [[days[k] for k in group] for group in groups] if pairs else [],
        },
        "coherence_of_dates": [
            [None if math.isnan(value) else round(value, 4) for value in row]
            for row in statistics.coherence.tolist()
        ],
        "elevation": {
            "sources": list(stack.dem.sources),
            "lowest_m": round(float(stack.dem.heights.min()), 1),
            "highest_m": round(float(stack.dem.heights.max()), 1),
        },
        "warnings": [
            *images.warnings,
            *(
                f"{p.record['first']}_{p.record['second']}: {line}"
                for p in pairs
                for line in p.record["warnings"]
            ),
        ],
        "sign": SIGN,
        "versions": versions(),
        "seconds": rounded(seconds),
    }


def write_results(
    stack: Stack,
    folder: Path,
    *,
    statistics: StackStatistics,
    pairs: Sequence[PairFiles],
    mintpy: tuple[Path, Path] | None,
    report: dict[str, Any],
    progress: Progress,
) -> dict[str, Path]:
    """Write tables, pictures, footprint and report, and pack the folders.

    Parameters
    ----------
    stack : Stack
        All images.
    folder : Path
        Of the results.
    statistics : StackStatistics
        Already written.
    pairs : sequence of PairFiles
        Finished ones.
    mintpy : tuple of Path or None
        Interferograms and geometry as MintPy reads them.
    report : dict
        Ready for JSON.
    progress : Progress
        Told of the steps; asked for cancellation.

    Returns
    -------
    dict of str to Path
        By output.
    """
    request = stack.request
    home = folder / master_folder(stack.images[stack.reference].date)
    files = [*write_scene_dem(stack.dem, folder), *write_footprint(stack.swaths, stack.dem, home)]
    paths = {"mean_amplitude": statistics.mean_amplitude}
    if mintpy is not None:
        paths |= dict(zip(("interferogram_stack", "geometry"), mintpy, strict=True))
    progress.update(0.2, "tables and pictures")
    tables = write_baselines(
        stack, [pair.pair for pair in pairs], home, coherence=statistics.coherence
    )
    paths |= {"baselines": tables.dates, "baselines_picture": tables.network}
    files += [path for path in tables if path is not None]
    files += [
        *statistics.amplitude_stacks,
        *statistics.mean_amplitudes,
        *statistics.coherence_matrices,
    ]
    files += _draw_amplitudes(stack, statistics)
    if pairs:
        paths["phase_picture"] = _draw_phases(stack, pairs, folder / "phases.png")
    with scratch_folder(folder) as scratch:
        write_report(scratch / "report.json", report)
        paths["report"] = publish(scratch / "report.json", folder / "report.json")
    if not request.light:
        for image in stack.images:
            files += _show_images(image, folder / "coregistered" / image.date.text)
    progress.update(0.5, "zip")
    progress.check()
    packed = [paths["report"]]
    if request.archive == "all":
        # those of this run, whatever earlier ones left in the folder
        files += [path for pair in pairs for path in pair.folder.iterdir() if path.is_file()]
        packed = sorted({*paths.values(), *files})
    inside = [path.relative_to(folder).as_posix() for path in packed]
    paths["series"] = zip_files(folder / "series.zip", packed, names=inside)
    return paths


def master_folder(reference: SeriesDate) -> str:
    """Name of the folder of the reference, as DiapOTB names it."""
    return f"{reference.text}_master_directory"


def _show_images(image: StackImage, folder: Path) -> list[Path]:
    """Put the coregistered images of a date among the results, as links where that is possible."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = [folder / raster.name for raster in image.rasters]
    for raster, target in zip(image.rasters, shown, strict=True):
        target.unlink(missing_ok=True)
        try:
            os.link(raster, target)
        except OSError:
            try:
                shutil.copyfile(raster, target)
            except OSError as error:
                target.unlink(missing_ok=True)
                raise ProcessingError(
                    f"{target.name} could not be written: {error.strerror}"
                ) from error
    return shown


def _draw_amplitudes(stack: Stack, statistics: StackStatistics) -> list[Path]:
    """Draw the amplitudes beside their rasters."""
    from kernels.chains.multislc_series.pictures import (  # noqa: PLC0415 - not by the web tier
        draw_amplitudes,
    )

    return [
        draw_amplitudes(stack, raster, raster.with_suffix(".png"), swath=number)
        for number, raster in enumerate(statistics.amplitude_stacks)
    ]


def _draw_phases(stack: Stack, pairs: Sequence[PairFiles], path: Path) -> Path:
    from kernels.chains.multislc_series.pictures import (  # noqa: PLC0415 - not by the web tier
        draw_phases,
    )

    return draw_phases(stack, {pair.pair: pair.folder / pair.raster for pair in pairs}, path)
