"""Peers of the time series: their environments, what they are given, and how they are compared."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from benchmarks import peers, timeseries_dolphin
from benchmarks.peers import PeerError, peer_python, run_peer
from benchmarks.timeseries import compare
from kernels.model import Shape
from kernels.products.mintpy import create_stack
from kernels.products.mintpy_results import create_series

WAVELENGTH = 0.056
DAYS = [date(2020, 1, day) for day in (1, 13, 25)]
PAIRS = [(0, 1), (1, 2), (0, 2)]
SHAPE = Shape(4, 5)
REFERENCE = (1, 2)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Commands that the making of an environment runs; none is run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found: list[list[str]] = []
    monkeypatch.setattr(peers, "run_peer", found.append)
    return found


def test_an_environment_is_made_once(calls: list[list[str]], tmp_path: Path) -> None:
    folder = tmp_path / "fournaise" / "peer-mintpy==1.6.4"
    folder.mkdir(parents=True)
    python = peer_python("mintpy 1.6.4")
    assert python == folder / "bin" / "python"
    assert [words[-1] for words in calls] == [str(folder), "mintpy==1.6.4"]
    assert peer_python("mintpy 1.6.4") == python
    assert len(calls) == 2


def test_the_binding_is_built_after_numpy_and_against_our_own_version(
    calls: list[list[str]], tmp_path: Path
) -> None:
    (tmp_path / "fournaise" / "peer-dolphin==0.42.0").mkdir(parents=True)
    peer_python("dolphin 0.42.0", gdal=True)
    assert {"numpy", "setuptools", "dolphin==0.42.0"} < set(calls[1])
    assert {"--no-build-isolation", f"gdal[numpy]=={gdal.__version__}"} < set(calls[2])


def test_an_environment_that_failed_is_not_taken_for_complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "first line\nno such version\n")

    monkeypatch.setattr(subprocess, "run", refuse)
    for _ in range(2):
        with pytest.raises(PeerError, match=r"^no such version$"):
            peer_python("dolphin 0.42.0", gdal=True)
    assert len(asked) == 2


def test_a_peer_gets_its_variables_and_gives_what_it_prints(tmp_path: Path) -> None:
    code = "import os; print(os.environ['ONE'], os.getcwd(), end='')"
    said = run_peer([sys.executable, "-c", code], folder=tmp_path, variables={"ONE": "1"})
    assert said == f"1 {tmp_path.resolve()}"


def test_a_peer_that_fails_tells_its_last_line() -> None:
    with pytest.raises(PeerError, match=r"^ValueError: no network$"):
        run_peer([sys.executable, "-c", "raise ValueError('no network')"])


def test_the_difference_is_that_of_the_displacement_in_millimetres(tmp_path: Path) -> None:
    ours = np.full((3, *SHAPE), 0.1, np.float32)
    theirs = ours.copy()
    theirs[1, 0, 0] += 0.003
    theirs[:, 2, 2] = np.nan  # does not count
    theirs[:, 3, 3] = 0.0  # no solution of MintPy's
    for name, values in (("ours", ours), ("theirs", theirs)):
        with create_series(
            tmp_path / name, days=DAYS, baselines=np.zeros(3), shape=SHAPE, attributes={}
        ) as writer:
            writer.write(0, values)
    found = compare("case_", tmp_path / "ours", tmp_path / "theirs")
    assert found["case_compared_cells"] == 18
    assert found["case_difference_max_mm"] == pytest.approx(3.0, rel=1e-3)
    assert found["case_difference_rms_mm"] == pytest.approx(3.0 / np.sqrt(18 * 3), rel=1e-2)


def _incidence(pairs: list[tuple[Any, Any]]) -> NDArray[np.float64]:
    """As dolphin documents its own: -1 at the earlier date, +1 at the later, without the first."""
    dates = sorted({day for pair in pairs for day in pair})
    matrix = [[float(d == b) - float(d == a) for d in dates[1:]] for a, b in pairs]
    return np.array(matrix)


def _solve(
    design: NDArray[np.float64],
    phase: NDArray[np.float32],
    weights: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float64], None]:
    """Minimise the weighted squares cell by cell, slowly."""
    found = np.empty((design.shape[1], *phase.shape[1:]))
    for cell in np.ndindex(phase.shape[1:]):
        own = np.ones(len(design)) if weights is None else weights[:, *cell]
        root = np.sqrt(own)
        scaled = design * root[:, None], phase[:, *cell] * root
        found[:, *cell] = np.linalg.lstsq(*scaled, rcond=None)[0]
    return found, None


@pytest.mark.parametrize("solver", ["l2", "l1", "gaps", "variance"])
def test_the_driver_gives_dolphin_its_conventions(
    solver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ModuleType("dolphin.timeseries")
    vars(library).update(
        get_incidence_matrix=_incidence, invert_stack=_solve, invert_stack_l1=_solve
    )
    monkeypatch.setitem(sys.modules, "dolphin", ModuleType("dolphin"))
    monkeypatch.setitem(sys.modules, "dolphin.timeseries", library)
    metres = np.random.default_rng(3).uniform(-0.05, 0.05, (3, *SHAPE))
    metres -= metres[0]
    phases = metres * -4.0 * np.pi / WAVELENGTH
    with create_stack(
        tmp_path / "ifgramStack.h5",
        days=DAYS,
        pairs=PAIRS,
        baselines=[0.0] * 3,
        shape=SHAPE,
        attributes={
            "WAVELENGTH": repr(WAVELENGTH),
            "NCORRLOOKS": "20.0",
            "REF_Y": str(REFERENCE[0]),
            "REF_X": str(REFERENCE[1]),
        },
    ) as writer:
        for number, (a, b) in enumerate(PAIRS):
            phase = phases[b] - phases[a] + 7.0  # the constant is the reference's to take out
            if solver in ("gaps", "variance") and number == 2:
                phase[0, 0] = np.nan
            writer.write(number, phase, np.full(SHAPE, 0.7), np.ones(SHAPE, np.int16))
    output = tmp_path / "timeseries.h5"
    taken = timeseries_dolphin.main(tmp_path / "ifgramStack.h5", solver, output)
    assert set(taken) == {"wall_s", "cpu_s", "peak_memory_mb", "compile_s"}
    expected = metres - metres[:, *REFERENCE][:, None, None]
    with create_series(
        tmp_path / "truth", days=DAYS, baselines=np.zeros(3), shape=SHAPE, attributes={}
    ) as writer:
        writer.write(0, expected)
    found = compare("", tmp_path / "truth", output)
    # the layer itself is single precision; the reference is 0 at the last date, as without solution
    assert found["compared_cells"] == SHAPE.lines * SHAPE.samples - 1
    assert found["difference_max_mm"] < 1e-4
