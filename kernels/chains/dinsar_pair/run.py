"""The run function of the chain `dinsar_pair`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.chains.artefacts import ChainResult
from kernels.chains.dinsar_pair.checkpoint import Checkpoint, checkpoint_key, open_checkpoint
from kernels.chains.dinsar_pair.corrections import correct_pairs, describe_corrections
from kernels.chains.dinsar_pair.fine_metadata import refine_metadata
from kernels.chains.dinsar_pair.footprint import load_pair_dem, map_grid
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.item import pair_item
from kernels.chains.dinsar_pair.matching import match_amplitudes
from kernels.chains.dinsar_pair.merged import write_merged
from kernels.chains.dinsar_pair.ortho import write_map
from kernels.chains.dinsar_pair.phase_products import (
    make_phase_products,
    prepare_phase_products,
)
from kernels.chains.dinsar_pair.radar import RadarResult, process_swath
from kernels.chains.dinsar_pair.refinement import refine
from kernels.chains.dinsar_pair.report import SIGN, make_report
from kernels.chains.dinsar_pair.request import OUTPUTS, DinsarPairRequest
from kernels.chains.reports import StepClock, write_report
from kernels.engine.bands import default_threads
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProductError
from kernels.insar.geocode import Geocoder, RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.model import Dem
from kernels.products.bundle import zip_files
from kernels.products.preview import Preview
from kernels.products.qgis import phase_style, write_style

FILES = {
    "interferogram": "interferogram.tif",
    "interferogram_radar": "interferogram_radar.zip",
    "phase_picture": "phase.png",
    "coherence_picture": "coherence.png",
    "style": "interferogram.qml",
    "filtered": "filtered.tif",
    "displacement": "displacement.tif",
    "displacement_picture": "displacement.png",
    "displacement_style": "displacement.qml",
    "stac_item": "item.json",
    "report": "report.json",
}
"""Names of the results by output; of optional outputs those that the request wants are there."""

_MERGED = "interferogram_radar.tif"


def run(request: DinsarPairRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make the interferogram of a pair.

    Parameters
    ----------
    request : DinsarPairRequest
        Checked request.
    folder : Path
        Receives the files FILES, all or none. A run that is killed or cancelled leaves look sums in
        a hidden folder there, and the next run of the same request goes on from them.
    progress : Progress
        Told of steps and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; `folder` is as it was, but for Cancelled.
    """
    threads = request.threads or default_threads()
    clock = StepClock()
    progress.update(0.0, "metadata")
    pairs = correct_pairs(request, open_pair(request))
    clock.lap("metadata")
    progress.update(0.02, "elevation model")
    dem = load_pair_dem(request, pairs)
    pairs, fine = refine_metadata(
        request, pairs, dem, threads=threads, progress=progress.part(0.02, 0.05)
    )
    grid = map_grid(request, pairs, dem)
    unbiased_looks = prepare_phase_products(request, pairs, dem)
    clock.lap("elevation")
    with (
        scratch_folder(folder) as scratch,
        open_checkpoint(folder, checkpoint_key(request, pairs, dem)) as checkpoint,
    ):
        pairs, refinement = _refine(
            request, pairs, dem, checkpoint, threads=threads, progress=progress.part(0.05, 0.15)
        )
        clock.lap("refinement")
        swaths = _process_swaths(
            request,
            pairs,
            dem,
            scratch,
            checkpoint,
            unbiased_looks=unbiased_looks,
            threads=threads,
            progress=progress.part(0.15, 0.7),
        )
        sums = tuple(swath.sums for swath in swaths)
        clock.lap("interferogram")
        progress.update(0.7, "map")
        statistics, preview = write_map(
            Geocoder.of(grid, dem, sums),
            scratch / FILES["interferogram"],
            threads=threads,
            memory_mb=request.memory_mb,
            tags=_tags(pairs),
            progress=progress.part(0.7, 0.85),
            unbiased_looks=unbiased_looks,
        )
        clock.lap("map")
        merging = progress.part(0.85, 0.87)
        _merge(
            request,
            pairs,
            sums,
            scratch,
            unbiased_looks=unbiased_looks,
            threads=threads,
            progress=merging,
        )
        clock.lap("merged")
        phase_products = make_phase_products(
            request,
            pairs,
            sums,
            dem=dem,
            grid=grid,
            scratch=scratch,
            files=FILES,
            tags=_tags(pairs),
            unbiased_looks=unbiased_looks,
            threads=threads,
            progress=progress.part(0.87, 0.95),
        )
        clock.lap("unwrapping")
        progress.update(0.95, "pictures and report")
        report = make_report(
            request,
            pairs,
            dem=dem,
            grid=grid,
            statistics=statistics,
            refinement=refinement,
            warnings=[
                *refinement.pop("warnings"),
                *(line for swath in swaths for line in swath.warnings),
                *phase_products.warnings,
            ],
            unwrapping=phase_products.report,
            seconds=clock.seconds,
        )
        report["corrections"] = describe_corrections(request, pairs)
        report["fine_metadata"] = fine
        _draw(pairs, report, preview, scratch)
        clock.lap("pictures")
        report["seconds"]["pictures"] = round(clock.seconds["pictures"], 2)
        _bundle_radar(pairs, scratch)
        write_report(scratch / FILES["report"], report)
        item = pair_item(pairs, dem, grid, _there(scratch))
        write_report(scratch / FILES["stac_item"], item)
        progress.check()
        paths = {
            name: publish(scratch / file, folder / file) for name, file in _there(scratch).items()
        }
    progress.update(1.0, "done")
    return ChainResult.of(OUTPUTS, paths, report)


def _there(scratch: Path) -> dict[str, str]:
    """Names of the results that have been made."""
    return {name: file for name, file in FILES.items() if (scratch / file).exists()}


def _refine(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    checkpoint: Checkpoint,
    *,
    threads: int,
    progress: Progress,
) -> tuple[tuple[SwathPair, ...], dict[str, Any]]:
    """Take what an earlier run found in the images, or look for it."""
    kept = checkpoint.refined(pairs)
    if kept is not None:
        return kept
    pairs, amplitudes = match_amplitudes(
        request, pairs, dem, threads=threads, progress=progress.part(0.0, 0.5)
    )
    pairs, found = refine(request, pairs, dem, threads=threads, progress=progress.part(0.5, 1.0))
    warnings = [*amplitudes.pop("warnings"), *found["warnings"]]
    found = found | {"amplitudes": amplitudes, "warnings": warnings}
    checkpoint.keep_refinement(pairs, found)
    return pairs, found


def _process_swaths(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    dem: Dem,
    scratch: Path,
    checkpoint: Checkpoint,
    *,
    unbiased_looks: float | None,
    threads: int,
    progress: Progress,
) -> tuple[RadarResult, ...]:
    swaths = tuple(
        process_swath(
            pair,
            dem,
            scratch / _radar_name(pair),
            checkpoint,
            taps=request.kernel,
            flattening=request.flattening,  # type: ignore[arg-type]  # checked by the request
            threads=threads,
            memory_mb=request.memory_mb,
            tags=_tags(pairs),
            progress=progress.part(k / len(pairs), (k + 1) / len(pairs)),
            unbiased_looks=unbiased_looks,
        )
        for k, pair in enumerate(pairs)
    )
    if all(swath.is_lost for swath in swaths):
        raise ProductError(f"no burst of the pair can be used: {swaths[0].warnings[0]}")
    return swaths


def _merge(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    swaths: tuple[RadarSums, ...],
    scratch: Path,
    *,
    unbiased_looks: float | None,
    threads: int,
    progress: Progress,
) -> None:
    """Write the raster of all swaths in radar geometry, where there are several on one grid."""
    merged = MergedSwaths.of(swaths)
    if len(swaths) > 1 and merged is not None:
        write_merged(
            merged,
            scratch / _MERGED,
            threads=threads,
            memory_mb=request.memory_mb,
            tags=_tags(pairs) | {"SWATHS": " ".join(pair.reference.swath for pair in pairs)},
            progress=progress,
            unbiased_looks=unbiased_looks,
        )


def _radar_name(pair: SwathPair) -> str:
    return f"interferogram_{pair.reference.swath.lower()}_radar.tif"


def _bundle_radar(pairs: tuple[SwathPair, ...], scratch: Path) -> None:
    """Zip the rasters in radar geometry, each with its style beside."""
    files = []
    for name in (*map(_radar_name, pairs), _MERGED):
        raster = scratch / name
        if raster.exists():
            style = phase_style(2, wavelength=pairs[0].layout.grid.wavelength)
            files += [raster, write_style(raster.with_suffix(".qml"), style)]
    zip_files(scratch / FILES["interferogram_radar"], files)


def _tags(pairs: tuple[SwathPair, ...]) -> dict[str, str]:
    first = pairs[0]
    return {
        "REFERENCE": " ".join(first.reference_names),
        "SECONDARY": " ".join(first.secondary_names),
        "POLARISATION": first.reference.polarisation,
        "WAVELENGTH": repr(first.layout.grid.wavelength),
        "SIGN": SIGN,
    }


def _draw(
    pairs: tuple[SwathPair, ...], report: dict[str, Any], preview: Preview, scratch: Path
) -> None:
    """Draw what people look at first; matplotlib is imported here, not by the web tier."""
    from kernels.products.pictures import coherence_picture, phase_picture  # noqa: PLC0415

    first, wavelength = pairs[0], pairs[0].layout.grid.wavelength
    swath = report["swaths"][0]
    dates = f"{first.reference.start:%Y-%m-%d} to {first.secondary.start:%Y-%m-%d}"
    names = ", ".join(pair.reference.swath for pair in pairs)
    subtitle = (
        f"{first.reference.platform} {names} {first.reference.polarisation}, "
        f"perpendicular baseline {swath['perpendicular_baseline_m']:.0f} m, "
        f"{first.looks.azimuth} x {first.looks.range} looks (azimuth x range)"
    )
    phase_picture(
        scratch / FILES["phase_picture"],
        amplitude=preview.amplitude,
        phase=preview.phase,
        is_data=preview.is_data,
        grid=preview.grid,
        title=f"Wrapped phase, {dates}",
        subtitle=subtitle,
        wavelength=wavelength,
        looks=preview.looks,
    )
    coherence_picture(
        scratch / FILES["coherence_picture"],
        coherence=preview.coherence,
        is_data=preview.is_data,
        grid=preview.grid,
        title=f"Coherence, {dates}",
        subtitle=subtitle,
        looks=preview.looks,
    )
    write_style(scratch / FILES["style"], phase_style(2, wavelength=wavelength))
