"""A PyWPS process made of a chain; each declared process is a subclass of a few lines."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pywps import ComplexOutput, LiteralInput, Process
from pywps.app.exceptions import ProcessError
from pywps.app.WPSRequest import WPSRequest
from pywps.exceptions import InvalidParameterValue, MissingParameterValue
from pywps.inout.storage.file import FileStorage
from pywps.response.execute import ExecuteResponse
from sqlalchemy.exc import OperationalError

from kernels.chains.artefacts import Artefact
from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo, Request
from kernels.engine.progress import Report
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import FournaiseError, RequestError
from processes.binding import (
    complex_output,
    given_texts,
    literal_input,
    plain_message,
    stored_inputs,
    stored_texts,
)
from processes.isolation import run_isolated, stop_with
from processes.jobs.model import Inputs
from processes.resolve import FoldersOfServer, resolve_values
from processes.settings import Settings, read_settings
from processes.texts import read_texts

LOGGER = logging.getLogger(__name__)
REPORT_INTERVAL = 1.0
"""Least time between two status documents of one step [s]."""


class ChainProcess(Process):
    """Runs its chain for WPS clients.

    Subclasses set `chain` and nothing else; PyWPS makes them without arguments.

    Parameters
    ----------
    settings : Settings, optional
        Of the server; as the configuration files have them by default.
    """

    chain: ClassVar[Chain]
    is_long: ClassVar[bool] = True
    inputs: list[LiteralInput]
    outputs: list[ComplexOutput]

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or read_settings()
        self.stopping = False
        super().__init__(
            self._run_chain,
            identifier=self.chain.name,
            title=self.chain.title,
            abstract=self.chain.abstract,
            version=self.chain.version,
            inputs=[
                literal_input(info, server_default=self.settings.default_for(info) is not None)
                for info in self.options
            ],
            outputs=[complex_output(info) for info in self.chain.outputs],
            store_supported=True,
            status_supported=True,
        )

    @property
    def options(self) -> tuple[OptionInfo, ...]:
        """The options of the chain that users of this server may set."""
        return tuple(i for i in self.chain.request.describe() if self.settings.offers(i))

    def accept(self, wps_request: WPSRequest) -> None:
        """Check a request before it becomes a job; refuses it naming the input."""
        if wps_request.raw:
            raise InvalidParameterValue(
                "RawDataOutput is not possible, ask for a ResponseDocument", "ResponseForm"
            )
        try:
            texts = given_texts(wps_request)
            for put in self.inputs:
                _check_occurrences(put, len(texts.get(put.identifier, ())))
            self._make_request(texts)
        except RequestError as error:
            raise InvalidParameterValue(plain_message(error), error.argument) from error
        wps_request.inputs = stored_inputs(texts)
        self.setup_outputs_from_wps_request(wps_request)

    def setup_outputs_from_wps_request(self, wps_request: WPSRequest) -> None:
        """Keep the outputs that are asked for, all of them by reference."""
        wanted: Mapping[str, Mapping[str, Any]] = wps_request.outputs or {}
        formats = {output.identifier: output.data_format.mime_type for output in self.outputs}
        for name, form in wanted.items():
            if name not in formats:
                raise InvalidParameterValue(
                    f"output must be one of {', '.join(formats)}, got {name}", name
                )
            if form.get("mimetype") not in {None, "", formats[name]}:
                raise InvalidParameterValue(f"mimeType must be {formats[name]}", name)
        if wanted:
            self.outputs = [output for output in self.outputs if output.identifier in wanted]

    def clean(self) -> None:
        """Leave nothing to PyWPS: the working folder lives only while the chain runs."""

    def launch_next_process(self) -> None:
        """Start the job that waits longest, unless the server is stopping."""
        if not self.stopping:
            super().launch_next_process()

    def _stop(self) -> None:
        self.stopping = True
        for child in multiprocessing.active_children():
            child.terminate()

    def _setup_status_storage(self) -> None:
        self._status_store = StatusStorage(
            str(self.settings.outputs_folder), self.settings.outputs_url
        )

    def make_request(self, inputs: Inputs) -> Request:
        """Make the chain's request of the inputs of a job; raises RequestError naming an input."""
        texts = {name: [str(item["data"]) for item in items] for name, items in inputs.items()}
        return self._make_request(texts)

    def _make_request(self, texts: Mapping[str, Sequence[str]]) -> Request:
        values = read_texts(self.options, texts)
        found = resolve_values(self.options, values, FoldersOfServer(self.settings.data_roots))
        for info in self.chain.request.describe():
            if info.name not in found:
                found[info.name] = self.settings.default_for(info)
        return self.chain.request.from_values(found)

    def _run_chain(self, wps_request: WPSRequest, wps_response: ExecuteResponse) -> None:
        if self.async_:
            stop_with(self._stop)
        names = [output.identifier for output in self.outputs]
        try:
            request = self._make_request(stored_texts(wps_request.inputs))
            with scratch_folder(self.settings.work_folder) as folder:
                result = run_isolated(
                    lambda progress: self.chain.run(request, folder, progress),
                    throttled(wps_response),
                )
                artefacts = [result.artefact(name) for name in names]
                hand_over(artefacts, self.settings.outputs_folder / str(self.uuid))
        except FournaiseError as error:
            LOGGER.info("job %s of %s failed: %s", self.uuid, self.identifier, error)
            raise ProcessError(plain_message(error)) from None
        for output, artefact in zip(self.outputs, artefacts, strict=True):
            output.url = f"{self.settings.outputs_url}/{self.uuid}/{artefact.path.name}"


class StatusStorage(FileStorage):
    """Status documents that a reader finds whole, whenever it looks."""

    def write(self, data: str, destination: str, data_format: object = None) -> str:
        """Write a document beside its name and rename it."""
        target = Path(self.target) / destination
        staged = target.with_name(f".{destination}.{os.getpid()}")
        staged.write_text(data, encoding="utf-8")
        publish(staged, target)
        return str(self.url(destination))


def _check_occurrences(put: LiteralInput, count: int) -> None:
    if count < put.min_occurs:
        raise MissingParameterValue(f"{put.identifier} must be given", put.identifier)
    if count > put.max_occurs:
        rule = f"given at most {put.max_occurs} times"
        raise RequestError(put.identifier, rule, f"{count} values")


def throttled(wps_response: ExecuteResponse) -> Report:
    """Make a report that keeps the status document of a job up to the second.

    Parameters
    ----------
    wps_response : ExecuteResponse
        Told percent and step, at once when the step changes, else once per `REPORT_INTERVAL`.

    Returns
    -------
    Report
        For the chain's progress.
    """
    told = ("", 0.0)

    def report(share: float, step: str) -> None:
        nonlocal told
        now = time.monotonic()
        if step != told[0] or now - told[1] >= REPORT_INTERVAL:
            told = (step, now)
            try:
                # 100 means finished to PyWPS, whatever the status says
                wps_response.update_status(step, min(int(100 * share), 99))
            except OperationalError as error:  # a busy database is no reason to lose a long run
                LOGGER.warning("a status was not written: %s", error)

    return report


def hand_over(artefacts: Iterable[Artefact], target: Path) -> None:
    """Move finished files to a folder that appears with all of them, or not at all.

    Parameters
    ----------
    artefacts : iterable of Artefact
        The files; gone from their place afterwards.
    target : Path
        Folder that does not exist yet; may be on another file system.
    """
    with scratch_folder(target.parent) as staging:
        whole = staging / target.name
        whole.mkdir()
        for artefact in artefacts:
            shutil.move(artefact.path, whole / artefact.path.name)
        whole.rename(target)
