"""The WPS and its results as one WSGI application."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pywps
from pywps import configuration, dblog
from pywps.app.WPSRequest import WPSRequest
from pywps.exceptions import InvalidParameterValue
from pywps.response.execute import ExecuteResponse
from pywps.response.status import WPS_STATUS
from werkzeug.exceptions import HTTPException, LengthRequired, NotFound, UnsupportedMediaType
from werkzeug.utils import redirect
from werkzeug.wrappers import Request

from processes.chain_process import ChainProcess
from processes.declared import declared_names
from processes.results import result_file
from processes.settings import Settings, configuration_files, read_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Service(pywps.Service):
    """PyWPS with requests that are checked before they become jobs."""

    def execute(self, identifier: str, wps_request: WPSRequest, uuid: UUID) -> ExecuteResponse:
        """Run or queue a process under an identifier that nobody can guess."""
        job = uuid4()  # PyWPS's own tells time and machine, and results have no other lock
        dblog.log_request(job, wps_request)
        try:
            return super().execute(identifier, wps_request, job)
        except Exception:
            dblog.store_status(job, WPS_STATUS.FAILED, "refused", 100)
            raise

    def prepare_process_for_execution(self, identifier: str) -> ChainProcess:
        """Copy a process for one job; its working folder is made when it runs."""
        if identifier not in self.processes:
            known = ", ".join(self.processes)
            raise InvalidParameterValue(f"Identifier must be one of {known}", "Identifier")
        process: ChainProcess = copy.deepcopy(self.processes[identifier])
        process.service = self
        return process

    def _parse_and_execute(
        self, process: ChainProcess, wps_request: WPSRequest, uuid: UUID
    ) -> ExecuteResponse:
        process.accept(wps_request)
        return process.execute(wps_request, uuid)


class Application:
    """Paths of the server: ``/wps`` and ``/outputs/...``.

    Parameters
    ----------
    service : Service
        Answers ``/wps``.
    settings : Settings
        Where results are kept and under which address.
    """

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service
        self.settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            answer = self._route(request)
        except HTTPException as error:
            answer = error.get_response(environ)
        return answer(environ, start_response)

    def _route(self, request: Request) -> WSGIApplication:
        if request.path == "/wps":
            _check_form(request)
            return self.service
        if request.path.startswith("/outputs/"):
            name = request.path.removeprefix("/outputs/")
            return result_file(self.settings.outputs_folder, name, request)
        if request.path == "/":
            return redirect(f"{self.settings.service_url}?service=WPS&request=GetCapabilities")
        raise NotFound


def _check_form(request: Request) -> None:
    """Refuse what PyWPS would stumble over, or answer outside the standard."""
    if request.method == "POST" and request.content_length is None:
        raise LengthRequired("give Content-Length, chunked requests are not read")
    if "json" in request.mimetype:
        raise UnsupportedMediaType("WPS requests are XML documents or addresses")


def declared_processes() -> tuple[type[ChainProcess], ...]:
    """Return the processes that this package declares.

    Returns
    -------
    tuple of type
        The subclass of `ChainProcess` of each declared module.
    """
    found: list[type[ChainProcess]] = []
    for name in declared_names():
        module = import_module(f"processes.{name}")
        found += [
            value
            for _, value in inspect.getmembers(module, inspect.isclass)
            if issubclass(value, ChainProcess) and value.__module__ == module.__name__
        ]
    return tuple(found)


def make_application(
    settings: Settings | None = None,
    processes: Iterable[type[ChainProcess]] | None = None,
) -> Application:
    """Make the WSGI application; folders and the database are created.

    Parameters
    ----------
    settings : Settings, optional
        As the configuration files have them by default.
    processes : iterable of type, optional
        The declared ones by default.

    Returns
    -------
    Application
        For servers with one thread per worker: PyWPS forks a process for each job.
    """
    settings = settings or read_settings()
    kinds = declared_processes() if processes is None else processes
    settings.outputs_folder.mkdir(parents=True, exist_ok=True)
    settings.work_folder.mkdir(parents=True, exist_ok=True)
    service = Service(
        [kind(settings) for kind in kinds], cfgfiles=[str(file) for file in configuration_files()]
    )
    _configure(settings)
    dblog.get_session().close()  # the tables exist before several workers could create them
    return Application(service, settings)


def _configure(settings: Settings) -> None:
    """Tell PyWPS what follows from the settings."""
    database = f"sqlite:///{settings.state_folder / 'jobs.sqlite'}"
    for section, option, value in (
        ("server", "url", settings.service_url),
        ("server", "outputurl", settings.outputs_url),
        ("server", "outputpath", str(settings.outputs_folder)),
        ("server", "workdir", str(settings.work_folder)),
        ("logging", "database", database),
    ):
        configuration.CONFIG.set(section, option, value.replace("%", "%%"))
