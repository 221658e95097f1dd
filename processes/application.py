"""The WPS and the pages of its jobs as one WSGI application."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pywps import Process, configuration
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request

from processes.jobs.errors import UnknownJobError
from processes.jobs.opening import open_store
from processes.offered import offered_processes
from processes.service import Service
from processes.settings import Settings, read_settings
from processes.web.access import Access
from processes.web.answers import Answers
from processes.web.bodies import Bodies
from processes.web.monitoring import health, metrics
from processes.web.rates import Rates

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Application:
    """Paths of the server: ``/wps``, ``/outputs/...``, ``/health`` and ``/metrics``.

    Parameters
    ----------
    service : Service
        Answers ``/wps``, and knows the pages of jobs.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            answer = self._route(request)
        except HTTPException as error:
            answer = error.get_response(environ)
        except (UnknownJobError, FileNotFoundError):  # deleted in this moment
            answer = NotFound().get_response(environ)
        return answer(environ, start_response)

    def _route(self, request: Request) -> WSGIApplication:
        if request.path == "/wps":
            return self.service
        if request.path.startswith("/outputs/"):
            return self.service.pages.answer(request.path.removeprefix("/outputs/"), request)
        if request.path == "/health":
            return health(self.service.settings, self.service.store)
        if request.path == "/metrics":
            return metrics(self.service.settings, self.service.store)
        if request.path == "/":
            return redirect(
                f"{self.service.settings.service_url}?service=WPS&request=GetCapabilities"
            )
        raise NotFound


def make_application(
    settings: Settings | None = None, processes: Iterable[Process] | None = None
) -> WSGIApplication:
    """Make the WSGI application; folders and the store are created.

    Parameters
    ----------
    settings : Settings, optional
        As the configuration files have them by default.
    processes : iterable of pywps.Process, optional
        Those that the settings offer by default.

    Returns
    -------
    WSGI application
        For servers with any number of processes and threads: it runs no job itself.
    """
    settings = settings or read_settings()
    settings.outputs_folder.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    offered = offered_processes(settings).values() if processes is None else processes
    service = Service(offered, settings, store)
    for option, value in (("url", settings.service_url), ("outputurl", settings.outputs_url)):
        configuration.CONFIG.set("server", option, value.replace("%", "%%"))
    guarded: WSGIApplication = Rates(Application(service), per_minute=settings.requests_per_minute)
    guarded = Access(
        guarded,
        find_user=store.user_of_key if settings.access == "keys" else None,
        user_header=settings.user_header,
    )
    return Answers(Bodies(guarded))
