"""A server for a while: started for a demonstration or a test, and stopped whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from kernels.errors import ProcessingError
from processes.settings import CHECKOUT, configuration_files, read_settings

START_TIMEOUT = 60.0
"""Longest time until the server answers [s]."""
STOP_TIMEOUT = 15.0
"""Longest time until a server that was asked to stop is killed [s]."""


def free_address() -> str:
    """Find a port of this machine that nobody listens on.

    Returns
    -------
    str
        For example 127.0.0.1:40123.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def background_server(
    configuration: Path, command: Sequence[str] = ("-m", "processes", "serve")
) -> Iterator[str]:
    """Run a server in a process group of its own.

    Parameters
    ----------
    configuration : Path
        Laid over the checkout's ``pywps.cfg``; says the address and the folders.
    command : sequence of str
        Arguments of the Python interpreter.

    Yields
    ------
    str
        Address of the WPS, which answers.

    Raises
    ------
    ProcessingError
        The server does not start; the end of its log is in the message.
    """
    settings = read_settings((*configuration_files()[:1], configuration))
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    log = settings.state_folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=os.environ | {"PYWPS_CFG": str(configuration)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(server, settings.service_url, log)
        yield settings.service_url
    finally:
        _stop(server)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(f"{url}?service=WPS&request=GetCapabilities", timeout=10).close()  # noqa: S310
            return
        except HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:  # it answers who has a key
                return
        except OSError:
            pass
        time.sleep(0.1)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ProcessingError(f"the server does not start: {lines[-1] if lines else 'no message'}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to stop, then make it."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOP_TIMEOUT)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
