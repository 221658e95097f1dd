"""The web server, and the web server with a worker beside it."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from processes.log import event, log_to_stderr
from processes.settings import Settings, check_access
from processes.web.answers import without_secrets
from processes.web.bodies import LONGEST, Deadlines

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOGGER = logging.getLogger(__name__)
STOP_TIMEOUT = 10.0
"""Longest time that the two may take to stop [s]."""
_RESTART_AFTER = 1.0
_PR_SET_PDEATHSIG = 1
# the web server leaves its port; jobs go on without their worker, which would stop them if asked
_AT_OUR_DEATH = {"web": signal.SIGTERM, "worker": signal.SIGKILL}
_COMMANDS = {
    "web": ("-m", "processes", "web"),
    "worker": ("-m", "processes.jobs", "worker"),
}


def serve_web(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT; jobs go on without.

    Parameters
    ----------
    settings : Settings
        Holds the address to listen on.

    Raises
    ------
    SystemExit
        When the server has stopped.
    """
    check_access(settings)
    log_to_stderr()
    logging.getLogger("gunicorn.error").addFilter(_hide_secrets)
    _Gunicorn(settings).run()


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Take keys out of what gunicorn says of requests that it cannot read."""
    text = without_secrets(record.getMessage())
    if text.startswith("Invalid request"):
        text = re.split("['\"]", text)[0]  # it repeats what it could not read
    record.msg, record.args = text, ()
    return True


class _Log(Logger):
    """Has what gunicorn says logged as everything else is."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Worker(ThreadWorker):
    """Cuts off a client that takes too long to send the head of a request: it holds a thread."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._heads = Deadlines(LONGEST)

    def handle(self, conn: Any) -> Any:
        self._heads.begin(conn.sock)
        try:
            return super().handle(conn)
        finally:
            self._heads.end(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> Any:
        self._heads.end(conn.sock)
        return super().handle_request(req, conn)


class _Gunicorn(BaseApplication):
    """Makes the application in each of its processes, after the fork: stores are not shared."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self.settings.listen_address,
            "worker_class": _Worker,
            "workers": 2,
            "threads": 4,
            "timeout": 120,  # of a process that does not even beat; requests have their own
            "graceful_timeout": 3,
            "keepalive": 5,
            "limit_request_line": 8190,
            "limit_request_fields": 50,
            "limit_request_field_size": 8190,
            "control_socket_disable": True,
            "accesslog": None,
            "logger_class": _Log,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        from processes.application import make_application  # noqa: PLC0415 - in the worker only

        return make_application(self.settings)


def serve(settings: Settings) -> None:
    """Run the web server and a worker, each again when it breaks off, until SIGTERM or SIGINT.

    Where this process is killed they end with it, so that the next one finds the port and the queue
    free; jobs go on, and the next worker looks after them.

    Parameters
    ----------
    settings : Settings
        Holds the address to listen on.
    """
    check_access(settings)
    log_to_stderr()
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    web = (*_COMMANDS["web"], "--address", settings.listen_address)
    commands = _COMMANDS | {"web": web}
    event(LOGGER, "serving", address=settings.service_url)
    running: dict[str, subprocess.Popen[bytes]] = {}
    again: dict[str, float] = dict.fromkeys(_COMMANDS, 0.0)
    try:
        while not stopping:
            for name, command in commands.items():
                process = running.get(name)
                if process is not None and process.poll() is not None:
                    fields = {"process": name, "exit_code": process.returncode}
                    LOGGER.error("broke off, starts again", extra={"fields": fields})
                    again[name] = time.monotonic() + _RESTART_AFTER
                    del running[name]
                elif process is None and time.monotonic() >= again[name]:
                    running[name] = subprocess.Popen(
                        [sys.executable, *command],
                        preexec_fn=partial(  # noqa: PLW1509 - this process has one thread
                            _end_with, os.getpid(), _AT_OUR_DEATH[name]
                        ),
                    )
            time.sleep(0.1)
    finally:
        _stop(list(running.values()))


def _end_with(parent: int, number: signal.Signals) -> None:
    """In a child: get a signal when the parent dies, however it dies (man 2 prctl)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), number)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask all to stop, then make them."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_TIMEOUT
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(deadline - time.monotonic(), 0.0))
        process.kill()
        process.wait()
