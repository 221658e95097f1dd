"""A download with its checksum, over the loopback, beside ``curl`` followed by ``md5sum``."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.harness import say
from catalog.download import Downloader
from catalog.model import Checksum, Source

SIZE = 1_000_000_000
_QUICK_SIZE = 20_000_000
_TURNS = 5
_BLOCK = 1_000_000


class BenchmarkError(Exception):
    """The peer did not run."""


def download_figures(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Fetch the same file in turns with both.

    Parameters
    ----------
    folder : Path
        Empty; the file and its copies lie there.
    quick : bool
        A small file.

    Returns
    -------
    dict
        Medians of the turns: MB of a million bytes per second, and ours over the peer's.
        `download_sync_s` is the part of ours that brings the file to the disk before it gets its
        name, which the peer leaves to the system.
    """
    size = _QUICK_SIZE if quick else SIZE
    original = folder / "original.zip"
    with original.open("wb") as file:
        for _ in range(size // _BLOCK):
            file.write(os.urandom(_BLOCK))
    digits = _md5sum(original)
    ours, peers, syncs = [], [], []
    with _Serving(original) as address:
        source = Source(address=address, size=size, checksum=Checksum("md5", digits))
        for turn in range(_TURNS):
            say(f"download: turn {turn + 1} of {_TURNS}")
            # who comes first finds what the other left to be written
            os.sync()
            ours.append(_time_ours(source, folder / "ours.zip"))
            os.sync()
            peers.append(_time_peer(address, folder / "peer.zip", digits))
            syncs.append(_time_sync(folder / "peer.zip"))
    ours_s, peer_s = statistics.median(ours), statistics.median(peers)
    return {
        "download_mb": size / 1e6,
        "download_mb_per_second": size / 1e6 / ours_s,
        "curl_mb_per_second": size / 1e6 / peer_s,
        "download_ratio_vs_curl": peer_s / ours_s,
        "download_sync_s": statistics.median(syncs),
    }


def _time_ours(source: Source, target: Path) -> float:
    target.unlink(missing_ok=True)
    begin = time.perf_counter()
    Downloader().fetch_file(source, target)
    return time.perf_counter() - begin


def _time_peer(address: str, target: Path, digits: str) -> float:
    if shutil.which("curl") is None:
        raise BenchmarkError("curl is not installed")
    target.unlink(missing_ok=True)
    begin = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--output", str(target), address], check=True)
    found = _md5sum(target)
    elapsed = time.perf_counter() - begin
    if found != digits:
        raise BenchmarkError("curl brought another file")
    return elapsed


def _time_sync(path: Path) -> float:
    begin = time.perf_counter()
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return time.perf_counter() - begin


def _md5sum(path: Path) -> str:
    done = subprocess.run(["md5sum", str(path)], capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


class _Serving:
    """Serves one file from a process of its own, as fast as the kernel copies it."""

    def __init__(self, path: Path) -> None:
        self._parent, child = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(path, child), daemon=True
        )

    def __enter__(self) -> str:
        self._process.start()
        return f"http://127.0.0.1:{self._parent.recv()}/file.zip"

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve(path: Path, told: Connection) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with path.open("rb") as file:
                self.send_response(200)
                self.send_header("Content-Type", "application/zip")
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                self.connection.sendfile(file)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.send(server.server_port)
    server.serve_forever()
