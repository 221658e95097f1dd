"""MintPy in an environment of its own, made once beside the cached input of the benchmarks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import say

MINTPY = "mintpy 1.6.4"
_PACKAGE = MINTPY.replace(" ", "==")
_COMMAND = "import sys; from mintpy.cli.{} import main; main(sys.argv[1:])"
_IMPORTS = "import mintpy.cli.ifgram_inversion, mintpy.ifgram_inversion"
_OUTPUTS = ("timeseries.h5", "temporalCoherence.h5", "numInvIfgram.h5")


class PeerError(Exception):
    """The peer cannot be installed, or did not run."""


def mintpy_python() -> Path:
    """Return the interpreter that has MintPy; installs it with pip where it is not yet.

    Returns
    -------
    Path
        Of the environment.

    Raises
    ------
    PeerError
        pip could not install it.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fournaise")
    folder = base / f"peer-{_PACKAGE}"
    python, mark = folder / "bin" / "python", folder / "complete"
    if mark.is_file():
        return python
    say(f"installing {MINTPY} into an environment of its own")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", _PACKAGE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PeerError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    mark.touch()
    return python


def start_mintpy(python: Path) -> None:
    """Load what MintPy's inversion loads, and end."""
    subprocess.run([str(python), "-c", _IMPORTS], check=True)


def invert_with_mintpy(python: Path, stack: Path, weighting: str, folder: Path) -> Path:
    """Run MintPy's ifgram_inversion on one core.

    Parameters
    ----------
    python : Path
        From `mintpy_python`.
    stack : Path
        The file ifgramStack.h5.
    weighting : str
        As our own option.
    folder : Path
        Receives its files.

    Returns
    -------
    Path
        Its timeseries.h5.

    Raises
    ------
    PeerError
        It ended with an error.
    """
    weights = "var" if weighting == "variance" else "no"
    options = (stack, "--ram", "1", "-w", weights, "-o", *_OUTPUTS)
    run_mintpy(python, "ifgram_inversion", options, folder)
    return folder / _OUTPUTS[0]


def run_mintpy(python: Path, tool: str, arguments: Sequence[object], folder: Path) -> None:
    """Run one of MintPy's commands on one core.

    Parameters
    ----------
    python : Path
        From `mintpy_python`.
    tool : str
        Name of the command.
    arguments : sequence
        Of its command line.
    folder : Path
        Where it runs; made if it is not there.

    Raises
    ------
    PeerError
        It ended with an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-c", _COMMAND.format(tool), *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PeerError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
