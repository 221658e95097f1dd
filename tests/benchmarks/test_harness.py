"""``python -m benchmarks NAME``: finding benchmarks, and the one JSON object at the end."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness

ROOT = Path(__file__).resolve().parents[2]

SAMPLE = '''"""A benchmark for this test."""
import numpy as np
from benchmarks.harness import say

def add_options(parser):
    parser.add_argument("--lines", type=int, default=3)

def run(arguments):
    say("measuring")
    return {"lines": np.int64(arguments.lines), "error_max_m": np.float32(0.25),
            "sizes": np.arange(2), "input": arguments.shared}
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one more benchmark, and a module that is none."""
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")
    (tmp_path / "benchmarks" / "sample.py").write_text(SAMPLE)
    (tmp_path / "benchmarks" / "scenes.py").write_text("def running(): pass\n")
    return tmp_path


def call(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_the_last_line_is_one_json_object(checkout: Path) -> None:
    done = call(checkout, "sample", "--lines", "7", "--shared", "elsewhere/data")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["measuring"]
    result = json.loads(done.stdout.splitlines()[-1])
    assert (
        result.items()
        >= {
            "benchmark": "sample",
            "lines": 7,
            "error_max_m": 0.25,
            "sizes": [0, 1],
            "input": "data",
            "quick": False,
        }.items()
    )
    assert result["machine"]["cores"] == len(os.sched_getaffinity(0))
    assert result["machine"]["memory_gb"] > 0.0
    assert result["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert result["versions"]["numpy"] == np.__version__
    assert {"commit", "numba", "gdal"} <= set(result["versions"])


@pytest.mark.parametrize("words", [("nonsense",), (), ("scenes",), ("harness",)])
def test_an_unknown_name_lists_the_names(checkout: Path, words: tuple[str, ...]) -> None:
    done = call(checkout, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.strip().endswith(f"got {words[0] if words else 'nothing'}")
    listed = done.stderr.partition("one of: ")[2].partition(";")[0].split(", ")
    assert "sample" in listed
    assert not {"scenes", "harness", "measuring"} & set(listed)


def test_help_lists_the_names(checkout: Path) -> None:
    done = call(checkout, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sample" in done.stdout


def test_a_figure_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        harness.result_line("sample", {"rms": np.nan}, argparse.Namespace(quick=False))


def test_input_is_made_once_and_again_when_a_parameter_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "scene.txt").write_text(str(len(made)))

    first = harness.cached_input("pair", {"bursts": 2}, make)
    assert harness.cached_input("pair", {"bursts": 2}, make) == first
    assert (first / "scene.txt").read_text() == "1"
    second = harness.cached_input("pair", {"bursts": 3}, make)
    assert (second / "scene.txt").read_text() == "2"
    assert sorted((tmp_path / "fournaise").iterdir()) == [second], "the older input is gone"
    other = harness.cached_input("pair-stripmap", {"bursts": 3}, make)
    assert sorted((tmp_path / "fournaise").iterdir()) == sorted([second, other])


def test_input_that_could_not_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def make(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        harness.cached_input("pair", {}, make)
    assert list(tmp_path.rglob("*")) == [tmp_path / "fournaise"]


def test_input_is_made_again_when_the_simulation_or_what_it_imports_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(harness, "SIMULATION", "simulated_land.simulation")
    package = tmp_path / "simulated_land"
    (package / "simulation").mkdir(parents=True)
    for name, text in (
        ("__init__", ""),
        ("reader", ""),
        ("heights", ""),
        ("simulation/__init__", ""),
        ("simulation/scene", "from simulated_land import heights\n"),
    ):
        (package / f"{name}.py").write_text(text)

    def folder_after(change: str) -> Path:
        with (package / f"{change}.py").open("a") as file:
            file.write("CHANGED = True\n")
        return harness.cached_input("pair", {}, lambda _folder: None)

    first = folder_after("reader")
    assert folder_after("reader") == first
    second, third = folder_after("heights"), folder_after("simulation/scene")
    assert len({first, second, third}) == 3
