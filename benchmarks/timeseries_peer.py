"""The inversions of MintPy and of dolphin, run on the files of the benchmark."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Measurement
from benchmarks.peers import run_peer

MINTPY = "mintpy 1.6.4"
DOLPHIN = "dolphin 0.42.0"
_COMMAND = "import sys; from mintpy.cli.{} import main; main(sys.argv[1:])"
_IMPORTS = "import mintpy.cli.ifgram_inversion, mintpy.ifgram_inversion"
_OUTPUTS = ("timeseries.h5", "temporalCoherence.h5", "numInvIfgram.h5")
_DRIVER = Path(__file__).with_name("timeseries_dolphin.py")
_ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def start_mintpy(python: Path) -> None:
    """Load what MintPy's inversion loads, and end."""
    run_peer([str(python), "-c", _IMPORTS])


def invert_with_mintpy(python: Path, stack: Path, weighting: str, folder: Path) -> Path:
    """Run MintPy's ifgram_inversion on one core.

    Parameters
    ----------
    python : Path
        Of its environment.
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
        Of its environment.
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
    run_peer(command, folder=folder, variables=_ONE_CORE)


def invert_with_dolphin(python: Path, stack: Path, solver: str, folder: Path) -> Measurement[Path]:
    """Run dolphin's solver of networks on one core.

    Parameters
    ----------
    python : Path
        Of its environment.
    stack : Path
        The file ifgramStack.h5.
    solver : str
        As its driver knows them: l2, l1, gaps or variance.
    folder : Path
        Receives its file.

    Returns
    -------
    Measurement
        Its file, and what it measured itself.

    Raises
    ------
    PeerError
        It ended with an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    series = folder / "timeseries.h5"
    command = [str(python), str(_DRIVER), str(stack), solver, str(series)]
    return Measurement(value=series, **json.loads(run_peer(command, variables=_ONE_CORE)))
