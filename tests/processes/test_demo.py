"""The demonstration cleans up after itself when a step fails or somebody stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from processes.settings import CHECKOUT
from tests.processes.conftest import processes_of

INTERRUPTED = """
import sys, time
from pathlib import Path
sys.path.insert(0, "examples")
import demo

def wait(url, *rest):
    print(url, flush=True)
    time.sleep(60.0)

demo.FOLDER = Path(sys.argv[1])
demo.simulate_pair = lambda folder: demo.Demo(
    reference=folder / "a", secondary=folder / "b", dem=folder / "c", truth=folder
)
(demo.FOLDER / "scene").mkdir()
demo.run = wait
sys.exit(demo.main())
"""


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(CHECKOUT / "examples")
    import demo  # noqa: PLC0415 - scripts beside each other, no package

    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo.signal, "signal", lambda *_: None)
    return demo


def test_a_failing_step_is_one_line_and_leaves_no_server(
    demo: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def pretend(folder: Path) -> object:
        folder.mkdir()
        return demo.Demo(
            reference=folder / "a",
            secondary=folder / "b",
            dem=folder / "c",
            truth=folder,
        )

    monkeypatch.setattr(demo, "simulate_pair", pretend)
    assert demo.main() == 1
    out, err = capsys.readouterr()
    assert out.startswith("server: http://127.0.0.1:")
    assert err.startswith(
        "the demonstration failed: reference must be the name of a product or a path"
    )
    assert processes_of(tmp_path / "pywps.cfg") == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130)]
)
def test_stopping_the_demonstration_stops_its_server(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("server: ")
    assert process.stdout.readline().startswith("http://")
    assert len(processes_of(tmp_path / "pywps.cfg")) >= 3
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert processes_of(tmp_path / "pywps.cfg") == []
