"""The run function of the chain `insar_timeseries`."""

from __future__ import annotations

from pathlib import Path

from kernels.chains.artefacts import ChainResult
from kernels.chains.insar_timeseries.delays import open_delays
from kernels.chains.insar_timeseries.inputs import open_inputs
from kernels.chains.insar_timeseries.inversion import invert_stack
from kernels.chains.insar_timeseries.maps import ERROR_KIND, choose_map, locate, write_maps
from kernels.chains.insar_timeseries.motion import FILES as MINTPY_FILES
from kernels.chains.insar_timeseries.motion import find_corrections, write_motion
from kernels.chains.insar_timeseries.pictures import draw_motion
from kernels.chains.insar_timeseries.points import points_of, write_points
from kernels.chains.insar_timeseries.reference import StackReference, find_reference
from kernels.chains.insar_timeseries.report import SIGN, make_report
from kernels.chains.insar_timeseries.request import OUTPUTS, InsarTimeseriesRequest
from kernels.chains.planning import threads_of
from kernels.chains.reports import StepClock, write_report
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError
from kernels.products.bundle import zip_files
from kernels.products.qgis import displacement_style, write_style

FILES = {
    "velocity": "velocity.tif",
    "velocity_picture": "velocity.png",
    "velocity_style": "velocity.qml",
    "displacement": "displacement.tif",
    "displacement_picture": "displacement.png",
    "cube": "displacement.nc",
    "timeseries": MINTPY_FILES["timeseries"],
    "mintpy": "mintpy.zip",
    "points": "points.csv",
    "points_picture": "points.png",
    "report": "report.json",
}
"""Names of the results by output; the cube is there where there is a map."""


def run(request: InsarTimeseriesRequest, folder: Path, progress: Progress) -> ChainResult:
    """Turn a network of unwrapped interferograms into motion.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Checked request.
    folder : Path
        Receives the files FILES, all or none.
    progress : Progress
        Told of steps and shares; asked for cancellation.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    FournaiseError
        One line that names what is wrong; `folder` is as it was.
    """
    threads, clock = threads_of(request.threads), StepClock()
    progress.update(0.0, "network")
    opened = open_inputs(request)
    reference = find_reference(request, opened, progress.part(0.0, 0.1))
    inputs = reference.inputs
    delays = None
    if request.tropospheric_delays is not None:
        delays = open_delays(request.tropospheric_delays, inputs)
    clock.lap("reference")
    with scratch_folder(folder) as scratch:
        cells = invert_stack(
            request, reference, scratch, threads=threads, progress=progress.part(0.1, 0.55)
        )
        if not cells.reliable.any():
            raise ProcessingError(
                "no cell reaches minimum_temporal_coherence = "
                f"{request.minimum_temporal_coherence:g} with minimum_pairs = "
                f"{request.minimum_pairs:g} percent"
            )
        clock.lap("inversion")
        corrections = find_corrections(
            request, reference, cells, delays, folder=scratch, progress=progress.part(0.55, 0.6)
        )
        motions = write_motion(
            request,
            corrections,
            cells,
            scratch,
            attributes=_attributes(reference, corrections.date),
            threads=threads,
            progress=progress.part(0.6, 0.75),
        )
        clock.lap("motion")
        points = points_of(request, inputs, motions, scratch, progress.part(0.75, 0.77))
        write_points(scratch / FILES["points"], inputs, points)
        grid = located = None
        if inputs.has_positions:
            grid = choose_map(request, inputs, progress)
            located = locate(inputs, grid, progress.part(0.77, 0.8))
        drawn = write_maps(
            request,
            inputs,
            cells,
            motions,
            grid=grid,
            located=located,
            folder=scratch,
            names=FILES,
            tags=_tags(reference, corrections.date),
            threads=threads,
            progress=progress.part(0.8, 0.95),
        )
        clock.lap("maps")
        progress.update(0.95, "pictures and report")
        limit = draw_motion(
            inputs, reference, points, drawn, grid=grid, folder=scratch, names=FILES
        )
        style = displacement_style(1, limit=limit, wrapped=False, unit="mm/year")
        write_style(scratch / FILES["velocity_style"], style)
        others = [scratch / name for key, name in MINTPY_FILES.items() if key != "timeseries"]
        zip_files(scratch / FILES["mintpy"], others)
        clock.lap("pictures")
        report = make_report(
            request,
            reference,
            cells,
            corrections,
            motions,
            grid=grid,
            points=points,
            seconds=clock.seconds,
        )
        write_report(scratch / FILES["report"], report)
        progress.check()
        paths = {
            name: publish(scratch / file, folder / file)
            for name, file in FILES.items()
            if (scratch / file).exists()
        }
    progress.update(1.0, "done")
    return ChainResult.of(OUTPUTS, paths, report)


def _attributes(reference: StackReference, number: int) -> dict[str, str]:
    """Attributes of the results: those of the stack, and the reference."""
    inputs = reference.inputs
    kept = {
        name: value
        for name, value in inputs.stack.attributes.items()
        if name not in ("FILE_TYPE", "UNIT", "FILE_PATH", "DATE12", "REF_LAT", "REF_LON")
    }
    own = {
        "REF_Y": str(reference.row),
        "REF_X": str(reference.column),
        "REF_DATE": f"{inputs.days[number]:%Y%m%d}",
        "START_DATE": f"{inputs.days[0]:%Y%m%d}",
        "END_DATE": f"{inputs.days[-1]:%Y%m%d}",
    }
    if len(reference.outline) == 1:
        longitude, latitude = reference.outline[0]
        own |= {"REF_LON": str(longitude), "REF_LAT": str(latitude)}
    return kept | own


def _tags(reference: StackReference, number: int) -> dict[str, str]:
    inputs = reference.inputs
    return {
        "SIGN": SIGN,
        "VELOCITY_ERROR": f"standard error {ERROR_KIND}",
        "WAVELENGTH": repr(inputs.stack.wavelength),
        "FIRST_DATE": inputs.days[0].isoformat(),
        "LAST_DATE": inputs.days[-1].isoformat(),
        "REFERENCE_DATE": inputs.days[number].isoformat(),
    }
