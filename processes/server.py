"""The application under gunicorn, with the settings that its jobs need."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from processes.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Factory = Callable[[Settings], "WSGIApplication"]


def serve(settings: Settings, factory: Factory | None = None) -> None:
    """Serve until SIGTERM or SIGINT; running jobs are cancelled then.

    Parameters
    ----------
    settings : Settings
        Holds the address to listen on.
    factory : callable, optional
        ``factory(settings) -> WSGI application``; the declared processes by default.

    Raises
    ------
    SystemExit
        When the server has stopped.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _Gunicorn(settings, (factory or _declared)(settings)).run()


def _declared(settings: Settings) -> WSGIApplication:
    from processes.service import make_application  # noqa: PLC0415 - loads every process

    return make_application(settings)


class _Gunicorn(BaseApplication):
    """Loads the application before the workers start: jobs find every module imported."""

    def __init__(self, settings: Settings, application: WSGIApplication) -> None:
        self.settings = settings
        self.application = application
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": self.settings.listen_address,
            "worker_class": "sync",
            "workers": 2,  # one may be busy with a synchronous request while the other answers
            "timeout": 0,  # a synchronous request may take as long as it takes
            "graceful_timeout": 10,
            "limit_request_line": 8190,
            "control_socket_disable": True,  # it is served by a thread
            "post_worker_init": _prepare_forks,
            "worker_exit": _cancel_jobs,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return self.application


def _prepare_forks(worker: Any) -> None:
    os.register_at_fork(after_in_child=partial(_leave_the_web, worker))


def _leave_the_web(worker: Any) -> None:
    """Let a job keep neither the port nor the signal handlers of the worker it comes from."""
    signal.set_wakeup_fd(-1)
    for number in worker.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for listener in worker.sockets:
        listener.close()


def _cancel_jobs(_arbiter: Any, _worker: Any) -> None:
    for job in multiprocessing.active_children():
        job.terminate()
