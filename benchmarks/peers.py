"""Other projects in environments of their own, made once beside the cached input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.harness import say

_BINDING = ("--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-binary", "gdal")
"""Isolation, or a wheel of the cache, would give a binding without arrays."""


class PeerError(Exception):
    """The peer cannot be installed, or did not run."""


def peer_python(peer: str, *, gdal: bool = False) -> Path:
    """Return the interpreter that has a peer; installs it with pip where it is not yet.

    Parameters
    ----------
    peer : str
        Name and version in the package index, as ``mintpy 1.6.4``.
    gdal : bool
        Whether it needs GDAL's binding, which is built against the system's library.

    Returns
    -------
    Path
        Of the environment.

    Raises
    ------
    PeerError
        pip could not install it.
    """
    package = peer.replace(" ", "==")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fournaise")
    folder = base / f"peer-{package}"
    python, mark = folder / "bin" / "python", folder / "complete"
    if mark.is_file():
        return python
    say(f"installing {peer} into an environment of its own")
    run_peer([sys.executable, "-m", "venv", "--clear", str(folder)])
    for words in _installations(package, gdal=gdal):
        run_peer([str(python), "-m", "pip", "install", "--quiet", *words])
    mark.touch()
    return python


def _installations(package: str, *, gdal: bool) -> list[list[str]]:
    """Tell what pip is called with, one call after the other."""
    if not gdal:
        return [[package]]
    build = ["numpy", "setuptools", "wheel"]
    return [[*build, package], [*_BINDING, f"gdal[numpy]=={version('gdal')}"]]


def run_peer(
    command: Sequence[str], *, folder: Path | None = None, variables: dict[str, str] | None = None
) -> str:
    """Run a command of a peer.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    folder : Path, optional
        In which it runs.
    variables : dict, optional
        Of the environment, beside those that there are.

    Returns
    -------
    str
        What it printed.

    Raises
    ------
    PeerError
        It ended with an error: the last line of what it said.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PeerError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return done.stdout
