"""A process with every way to end, to misbehave and to leave something behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pywps import BoundingBoxInput, ComplexOutput, Format, LiteralOutput, Process
from pywps.app.WPSRequest import WPSRequest
from pywps.response.execute import ExecuteResponse

from kernels.chains.artefacts import Artefact, ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.request import Request, option
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.errors import PairError
from processes.chain_process import ChainProcess

FAILURE = "S1A_X and S1B_Y: tracks 7, 8 must be equal; see docs/pairs.html"
_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRequest(Request):
    ending: str = option(default="good", title="How the run ends")
    parts: int = option(default=0, minimum=0, title="Parts, each made once, whatever happens")
    seconds: float = option(default=0.0, minimum=0.0, title="Time of a part [s]")


def _bear_strays() -> None:
    """Leave a program and a plain fork, both in sessions of their own, children of nobody."""
    subprocess.Popen(_SLEEP, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)


def _wait(progress: Progress) -> None:
    while True:
        progress.check()
        time.sleep(0.01)


def _fill_memory(progress: Progress) -> None:
    kept = [bytearray(os.urandom(1000) * 400_000)]
    _wait(progress)
    del kept


def _fill_disk(progress: Progress) -> None:
    Path("filling").write_bytes(bytes(8_000_000))
    _wait(progress)


def _talk(_progress: Progress) -> None:
    for number in range(20):
        print(f"line {number} " + "x" * 300, flush=True)
    os.write(2, b"native text\n")


def _stay(progress: Progress) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _have_family(progress: Progress) -> None:
    _bear_strays()
    progress.update(0.5, "with a family")
    _wait(progress)


def _leave_family(_progress: Progress) -> None:
    _bear_strays()
    time.sleep(0.2)


def _fail(_progress: Progress) -> None:
    raise PairError(FAILURE)


def _have_bug(_progress: Progress) -> None:
    raise ZeroDivisionError("a secret of the server")


ENDINGS = {
    "good": lambda progress: None,
    "error": _fail,
    "bug": _have_bug,
    "exit": lambda progress: os._exit(7),
    "killed": lambda progress: os.kill(os.getpid(), signal.SIGKILL),
    "crash": lambda progress: os.kill(os.getpid(), signal.SIGSEGV),
    "wait": _wait,
    "stay": _stay,
    "memory": _fill_memory,
    "disk": _fill_disk,
    "talk": _talk,
    "family": _have_family,
    "leave": _leave_family,
}


def run(request: FakeRequest, folder: Path, progress: Progress) -> ChainResult:
    """Make the parts that are missing, then end as the request says."""
    made = 0
    for number in range(request.parts):
        part = folder / f"part-{number}"
        if not part.exists():
            with scratch_folder(folder) as scratch:
                (scratch / part.name).write_text("made")
                time.sleep(request.seconds)
                (scratch / part.name).rename(part)
            made += 1
        progress.update((number + 1) / (request.parts + 1), f"part {number}")
    progress.update(request.parts / (request.parts + 1), "ending")
    ENDINGS[request.ending](progress)
    report = folder / "report.json"
    report.write_text(json.dumps({"made": made, "began": time.time()}))
    return ChainResult(
        artefacts=(Artefact(name="report", path=report, media_type=MediaType.JSON),), report={}
    )


class FakeJob(ChainProcess):
    chain = Chain(
        name="fake-job",
        title="A process for tests",
        abstract="Ends as it is told.",
        version="1.0",
        request=FakeRequest,
        outputs=(
            OutputInfo(name="report", title="Report", abstract="", media_type=MediaType.JSON),
        ),
        run=run,
    )


class PlainJob(Process):
    """A process as operators write them, without a chain."""

    def __init__(self) -> None:
        super().__init__(
            self._handler,
            identifier="plain-job",
            title="A plain process for tests",
            inputs=[BoundingBoxInput("area", "Area", crss=["epsg:32631"])],
            outputs=[
                LiteralOutput("width", "Width", data_type="float"),
                ComplexOutput(
                    "corners", "Corners", [Format("application/json")], as_reference=True
                ),
            ],
        )

    def _handler(self, request: WPSRequest, response: ExecuteResponse) -> None:
        box = request.inputs["area"][0]
        left, _, right, _ = map(float, box.data)
        response.update_status("measuring", 50)
        response.outputs["width"].data = right - left
        corners = Path(self.workdir) / "corners.json"
        corners.write_text(json.dumps({"crs": box.crs, "box": list(map(float, box.data))}))
        response.outputs["corners"].file = str(corners)
