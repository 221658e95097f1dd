"""WPS over the store of jobs: requests are checked and become jobs, jobs become documents.

PyWPS reads and describes; nothing is run here. A request that is answered at once (a synchronous
one, of a process that allows it) waits for its job as a client would.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import pywps
from pywps import Process
from pywps.exceptions import (
    InvalidParameterValue,
    MissingParameterValue,
    NoApplicableCode,
    OperationNotSupported,
)
from pywps.response.capabilities import CapabilitiesResponse
from pywps.response.describe import DescribeResponse
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from kernels.errors import FournaiseError, RequestError
from processes.binding import plain_message
from processes.chain_process import ChainProcess
from processes.jobs.errors import QueueFullError, QuotaError, StoreUnavailableError
from processes.jobs.model import Job, JobState, NewJob
from processes.jobs.notify import check_notify
from processes.jobs.store import JobStore
from processes.log import event
from processes.pages import JobPages
from processes.protocol.documents import refusal, result_document, status_info
from processes.protocol.inputs import check_inputs, check_outputs, check_rules
from processes.protocol.reading import Request
from processes.request_key import request_key
from processes.settings import Settings, configuration_files
from processes.users import user_of

LOGGER = logging.getLogger(__name__)
# it logs every refusal as an error with a traceback; ours are logged below
logging.getLogger("PYWPS").setLevel(logging.CRITICAL)

XML = "text/xml; charset=utf-8"
_POLL = 0.05
_MOST_DOCUMENTS = 100
_SHOWN = 300
"""Most characters of what a client sent that are logged."""
_HOW_TO_WAIT = (
    "this process runs for long, ask for it with storeExecuteResponse=true and status=true "
    "(owslib: mode ASYNC and output=[])"
)


class Service(pywps.Service):
    """PyWPS whose jobs are kept in a store.

    Parameters
    ----------
    processes : iterable of pywps.Process
        What is offered.
    settings : Settings
        Of the server.
    store : JobStore
        Takes the jobs.
    """

    def __init__(self, processes: Iterable[Process], settings: Settings, store: JobStore) -> None:
        super().__init__(list(processes), cfgfiles=[str(file) for file in configuration_files()])
        self.settings = settings
        self.store = store
        self.pages = JobPages(settings=settings, store=store, processes=self.processes)
        self._documents: dict[tuple[str, ...], bytes] = {}
        self._operations: dict[str, Callable[[Request, str], Response]] = {
            "getcapabilities": self._capabilities,
            "describeprocess": self._describe,
            "execute": self._execute,
            "getstatus": self._status,
            "getresult": self._result,
            "dismiss": self._dismiss,
        }

    def call(self, http_request: HttpRequest) -> Response:
        """Answer a request; every error becomes an ExceptionReport."""
        user = user_of(http_request)
        try:
            request = Request(http_request)
            return self._operations[request.operation](request, user)
        except (HTTPException, FournaiseError) as error:
            told = _as_told(error)
            event(
                LOGGER,
                "refused",
                code=told.name,
                input=str(told.locator or "")[:_SHOWN],
                user=user,
                reason=str(told.description or "")[:_SHOWN],
            )
        except Exception:  # the one edge behind which nothing unforeseen may pass
            LOGGER.exception("a request failed unexpectedly")
            text = "unexpected error, described in the log of the server"
            told = NoApplicableCode(text, code=500)
        return refusal(told)

    def _capabilities(self, request: Request, _user: str) -> Response:
        return self._described(
            ("capabilities", request.language),
            lambda: _Capabilities(request, None, version="1.0.0", processes=self.processes),
        )

    def _describe(self, request: Request, _user: str) -> Response:
        names = tuple(dict.fromkeys(filter(None, request.identifiers or ())))
        if not names:
            raise MissingParameterValue("Identifier must be given", "Identifier")
        if "all" in map(str.lower, names):
            names = tuple(self.processes)
        for name in names:
            self._process(name)
        return self._described(
            (request.language, *names),
            lambda: DescribeResponse(request, None, processes=self.processes, identifiers=names),
        )

    def _described(self, key: tuple[str, ...], make: Callable[[], Any]) -> Response:
        """Render a document once: the processes do not change while the server runs."""
        found = self._documents.get(key)
        if found is None:
            document, _ = make()._construct_doc()  # its public way writes to PyWPS's database
            found = document.encode()
            if len(self._documents) < _MOST_DOCUMENTS:  # there are many orders to name them in
                self._documents[key] = found
        return Response(found, content_type=XML)

    def _process(self, name: str) -> Process:
        if name not in self.processes:
            known = ", ".join(self.processes)
            raise InvalidParameterValue(f"Identifier must be one of {known}", "Identifier")
        return self.processes[name]

    def _execute(self, request: Request, user: str) -> Response:
        process = self._process(request.identifier)
        is_long = getattr(process, "is_long", process.status_supported == "true")
        if isinstance(process, ChainProcess) and process.is_dry_run(request.given):
            is_long = False
        if is_long and not request.is_async:
            raise InvalidParameterValue(_HOW_TO_WAIT, "status")
        new = self._accept(process, request, user)
        job = (
            self.store.reusable(new.request_key, user, now=time.time())
            if (self.settings.reuse_results and new.request_key)
            else None
        )
        if job is None:
            job = self.store.submit(new, now=time.time())
            event(LOGGER, "job accepted", job=job.id, process=process.identifier, user=user)
        if request.is_async:
            return self.pages.document(job)
        return self._wait(job, request)

    def _accept(self, process: Process, request: Request, user: str) -> NewJob:
        inputs = check_inputs(process, request.given)
        wanted = (request.raw_output,) if request.raw_output else request.wanted
        outputs = check_outputs(process, wanted)
        key = ""
        if isinstance(process, ChainProcess) and process.is_dry_run(inputs):
            process.prepare(inputs, user).plan_request()
            outputs = process.outputs_of_dry_run(request.raw_output)
        elif isinstance(process, ChainProcess):
            key = request_key(process, process.make_request(inputs, user), outputs)
        else:
            check_rules(process, inputs)
        return NewJob(
            process=process.identifier,
            version=process.version,
            user=user,
            inputs=inputs,
            outputs=outputs,
            lineage=request.with_lineage,
            title=request.title,
            notify=_notify_addresses(request.notify, self.settings),
            request_key=key,
        )

    def _wait(self, job: Job, request: Request) -> Response:
        """Wait for a short job; a client that gives up leaves a job that nobody needs."""
        deadline = time.monotonic() + self.settings.sync_seconds
        while not job.state.is_final and time.monotonic() < deadline:
            time.sleep(_POLL)
            job = self.store.get(job.id) or job
        if not job.state.is_final:
            self.store.dismiss(job.id, now=time.time(), reason="the client did not wait for it")
            raise NoApplicableCode(
                f"no result within {self.settings.sync_seconds:g} s: ask asynchronously"
            )
        if request.raw_output and job.state is JobState.SUCCEEDED:
            return self.pages.raw(job)
        if request.raw_output:
            raise NoApplicableCode(job.message)
        return self.pages.document(job, with_status=False)

    def _job(self, request: Request) -> Job:
        job = self.store.by_token(request.job_id) if request.job_id else None
        if job is None:
            raise InvalidParameterValue("JobID must be that of a job of this server", "JobID")
        return job

    def _status(self, request: Request, _user: str) -> Response:
        return Response(status_info(self._job(request)), content_type=XML)

    def _result(self, request: Request, _user: str) -> Response:
        job = self._job(request)
        if job.state is not JobState.SUCCEEDED:
            raise InvalidParameterValue(f"JobID has no result, it is {job.state}", "JobID")
        return Response(result_document(job, self.pages.addresses(job).outputs), content_type=XML)

    def _dismiss(self, request: Request, user: str) -> Response:
        job = self.pages.dismiss(self._job(request), user)
        return Response(status_info(job), content_type=XML)


def _notify_addresses(text: str, settings: Settings) -> tuple[str, ...]:
    """Read who is told of the end; what is no address, as the ``true`` of PEPS, is nobody."""
    if "@" in text and ":" not in text:
        text = f"mailto:{text}"
        if not settings.smtp_server:  # portals always send it
            return ()
    return (check_notify(text, settings),) if ":" in text else ()


class _Capabilities(CapabilitiesResponse):
    """PyWPS's, without the version whose documents it does not write."""

    def _construct_doc(self) -> tuple[str, str]:
        document, media_type = super()._construct_doc()
        return document.replace(
            "        <ows:ServiceTypeVersion>2.0.0</ows:ServiceTypeVersion>\n", ""
        ), media_type


class _Busy(NoApplicableCode):
    """Too many jobs wait; told as WPS's ServerBusy."""

    name = "ServerBusy"

    def __init__(self, text: str) -> None:
        super().__init__(text, code=429)


class _Unavailable(NoApplicableCode):
    """The store of jobs does not answer."""

    name = "NoApplicableCode"

    def __init__(self, text: str) -> None:
        super().__init__(text, code=503)


def _as_told(error: HTTPException | FournaiseError) -> NoApplicableCode:
    """Turn an error into what WPS has for it."""
    match error:
        case OperationNotSupported():
            told = InvalidParameterValue("request must be an operation of WPS 1.0.0", "request")
        case NoApplicableCode():
            told = error
        case RequestError():
            told = InvalidParameterValue(plain_message(error), error.argument)
        case QueueFullError() | QuotaError():
            told = _Busy(plain_message(error))
        case StoreUnavailableError():
            told = _Unavailable(plain_message(error))
        case FournaiseError():
            told = NoApplicableCode(plain_message(error))
        case _:
            told = NoApplicableCode(error.description, code=error.code or 400)
    return told
