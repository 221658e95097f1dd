"""A process is run: its inputs as a job has them, its outputs as files of the job and values."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pywps
from pywps import ComplexOutput, Process
from pywps.app.exceptions import ProcessError
from pywps.app.WPSRequest import WPSRequest
from pywps.exceptions import InvalidParameterValue
from pywps.response.execute import ExecuteResponse
from pywps.response.status import WPS_STATUS

from kernels.chains.artefacts import Artefact
from kernels.chains.dry_run import dry_run
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError
from processes.chain_process import ChainProcess
from processes.jobs.model import Inputs, NewJob, Output


def run_process(
    process: Process, job: NewJob, *, work: Path, results: Path, progress: Progress
) -> tuple[Output, ...]:
    """Run a process to its end.

    Parameters
    ----------
    process : pywps.Process
        The declared one, or one of the operator's own.
    job : NewJob
        Inputs, and the outputs that are wanted.
    work : Path
        Existing folder for files while the process runs. What an interrupted run left there is
        used by chains that can.
    results : Path
        Existing folder that receives the files of the outputs.
    progress : Progress
        Told of steps and shares; asked for cancellation.

    Returns
    -------
    tuple of Output
        Those that are wanted, in the order of the declaration.

    Raises
    ------
    FournaiseError
        One line that says why there is no result.
    """
    if isinstance(process, ChainProcess) and process.is_dry_run(job.inputs):
        request = process.prepare(job.inputs, job.user).plan_request()
        result = dry_run(process.chain, request, work, progress)
        return _move_artefacts(result.artefacts, results)
    if isinstance(process, ChainProcess):
        result = process.prepare(job.inputs, job.user).run(work, progress)
        there = {artefact.name: artefact for artefact in result.artefacts}
        for name in job.outputs:
            if name not in there:
                raise ProcessingError(f"these inputs give no output {name}")
        return _move_artefacts((there[name] for name in job.outputs or there), results)
    return _run_plain(process, job, work, results, progress)


def _move_artefacts(artefacts: Iterable[Artefact], results: Path) -> tuple[Output, ...]:
    found = []
    for artefact in artefacts:
        target = results / artefact.path.name
        shutil.move(artefact.path, target)
        found.append(
            Output(
                identifier=artefact.name,
                media_type=artefact.media_type.value,
                file=target.name,
                size=target.stat().st_size,
            )
        )
    return tuple(found)


class _Telling(ExecuteResponse):
    """What the handler of a PyWPS process tells, without documents and files."""

    def __init__(self, request: WPSRequest, process: Process, progress: Progress) -> None:
        super().__init__(request, "", process=process)
        self._progress = progress

    def _update_status(
        self, status: int, message: str, status_percentage: float, clean: bool = True
    ) -> None:
        self.status, self.message, self.status_percentage = status, message, status_percentage
        self._progress.check()
        self._progress.update(min(max(float(status_percentage), 0.0), 100.0) / 100.0, message)


def pywps_inputs(process: Process, inputs: Inputs) -> Mapping[str, Any]:
    """Make the inputs that the handler of a PyWPS process reads.

    Parameters
    ----------
    process : pywps.Process
        Declares them.
    inputs : Inputs
        Checked against the declaration.

    Returns
    -------
    mapping
        By name, a sequence of PyWPS inputs; of those left out, the declared default.

    Raises
    ------
    pywps.exceptions.InvalidParameterValue
        A value that the declaration does not allow.
    """
    service = pywps.Service([process])
    makers = {
        "literal": service.create_literal_inputs,
        "complex": service.create_complex_inputs,
        "bbox": service.create_bbox_inputs,
    }
    made = {}
    for put in process.inputs:
        given = inputs.get(put.identifier)
        if given:
            made[put.identifier] = makers[put.json["type"]](put, [dict(item) for item in given])
        elif put._default is not None:  # as PyWPS itself asks
            made[put.identifier] = [put.clone()]
    return made


def _run_plain(
    process: Process, job: NewJob, work: Path, results: Path, progress: Progress
) -> tuple[Output, ...]:
    process.set_workdir(str(work))
    request = WPSRequest()
    request.identifier = process.identifier
    try:
        request.inputs = pywps_inputs(process, job.inputs)
    except InvalidParameterValue as error:
        # values were checked when the job was accepted, contents are looked at here only
        raise ProcessingError("an input does not hold what its media type says") from error
    response = _Telling(request, process, progress)
    response.status = WPS_STATUS.STARTED
    try:
        process.handler(request, response)
    except ProcessError as error:
        raise ProcessingError(str(error)) from error
    wanted = job.outputs or tuple(put.identifier for put in process.outputs)
    return tuple(_take(response.outputs[name], results) for name in wanted)


def _take(put: Any, results: Path) -> Output:
    """Turn what the handler set on an output into a file or a value."""
    name = put.identifier
    if isinstance(put, ComplexOutput):
        media_type = put.data_format.mime_type
        if put.prop == "file":
            target = results / Path(put.file).name
            shutil.move(put.file, target)
        elif put.prop in {"data", "stream"} and put.as_reference:
            target = results / f"{name}{put.data_format.extension or ''}"
            target.write_bytes(_as_bytes(put.data))
        elif put.prop in {"data", "stream"}:
            return Output(identifier=name, media_type=media_type, value=_as_text(put.data))
        else:
            raise ProcessingError(f"the process did not set its output {name}")
        return Output(
            identifier=name, media_type=media_type, file=target.name, size=target.stat().st_size
        )
    if put.data is None:
        raise ProcessingError(f"the process did not set its output {name}")
    if put.json["type"] == "bbox":
        return Output(identifier=name, value={"data": list(map(float, put.data)), "crs": put.crs})
    value = put.data if isinstance(put.data, bool | int | float | str) else str(put.data)
    return Output(identifier=name, value=value)


def _as_bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else _as_text(data).encode()


def _as_text(data: Any) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)
