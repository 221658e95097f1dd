"""The demonstration cleans up after itself when a step fails or somebody stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from examples import demo
from processes.settings import CHECKOUT
from tests.processes.conftest import processes_of

INTERRUPTED = """
import sys, time
from pathlib import Path
from examples import demo

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


def test_a_failing_step_is_one_line_and_leaves_no_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def pretend(folder: Path) -> demo.Demo:
        folder.mkdir()
        paths = {name: folder / name for name in ("reference", "secondary", "dem", "truth")}
        return demo.Demo(**paths)

    monkeypatch.setattr(demo, "FOLDER", tmp_path)
    monkeypatch.setattr(demo, "simulate_pair", pretend)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
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
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(2)]
        running = processes_of(tmp_path / "pywps.cfg")
        process.send_signal(number)
    assert told[0].startswith("server: http://127.0.0.1:")
    assert running
    assert process.returncode == code
    assert processes_of(tmp_path / "pywps.cfg") == []
