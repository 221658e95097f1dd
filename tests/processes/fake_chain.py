"""A chain without science: every kind of option, and every way to end."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.request import Request, option
from kernels.engine.progress import Progress
from kernels.errors import PairError, ProcessingError, RequestError

FAILURE = "S1A_X and S1B_Y: tracks 7, 8 must be equal; see docs/pairs.html, is that so?"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRequest(Request):
    product: Path = option(title="Product", role="slc")
    dem: tuple[Path, ...] = option(title="Elevation model", role="dem")
    looks: int = option(default=2, minimum=1, maximum=64, title="Looks, 1 to 64")
    first_burst: int | None = option(default=None, minimum=1, title="First burst (none = first)")
    spacing: float = option(default=0.5, unit="m", title="Spacing [m]", minimum=0.1)
    filtered: bool = option(default=False, title="Filtered (true or false)")
    swaths: tuple[str, ...] = option(
        default=(), choices=("IW1", "IW2", "IW3"), title="Swaths (IW1, IW2, IW3)"
    )
    ending: str = option(
        default="good",
        choices=("good", "slow", "input", "processing", "bug", "killed", "wait"),
        title="How the run ends",
    )
    threads: int | None = option(default=None, minimum=1, maximum=256, title="Threads")
    memory_mb: int = option(default=1000, minimum=200, title="Memory [MB]")

    def __post_init__(self) -> None:
        Request.__post_init__(self)
        if self.first_burst is not None and self.looks > self.first_burst:
            raise RequestError("first_burst", f"at least looks = {self.looks}", self.first_burst)


def run(request: FakeRequest, folder: Path, progress: Progress) -> ChainResult:
    """Write two small files, or end as the request says."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "half-written").write_text("scratch")
    progress.update(0.1, "reading the product")
    if request.ending == "input":
        raise PairError(FAILURE)
    if request.ending == "bug":
        raise ZeroDivisionError("a secret of the server")
    if request.ending == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if request.ending == "slow":
        time.sleep(0.5)
    progress.update(0.5, "resampling")
    if request.ending == "processing":
        raise ProcessingError("nothing coherent is left")
    if request.ending == "slow":
        time.sleep(0.5)
    while request.ending == "wait":
        progress.check()
        time.sleep(0.02)
    (folder / "half-written").unlink()
    picture = folder / "picture.tif"
    picture.write_bytes(b"II*\0" + bytes(100))
    report = folder / "report.json"
    report.write_text(json.dumps({"looks": request.looks, "threads": request.threads}))
    paths = {"picture": picture, "report": report}
    if request.filtered:
        paths["smooth"] = folder / "smooth.tif"
        paths["smooth"].write_bytes(b"II*\0")
    progress.update(1.0, "done")
    return ChainResult.of(OUTPUTS, paths, {})


OUTPUTS = (
    OutputInfo(name="picture", title="Picture", abstract="", media_type=MediaType.GEOTIFF),
    OutputInfo(
        name="smooth",
        title="Picture without noise (filtered = true)",
        abstract="",
        media_type=MediaType.GEOTIFF,
        optional=True,
    ),
    OutputInfo(name="report", title="Report", abstract="", media_type=MediaType.JSON),
)


CHAIN = Chain(
    name="fake",
    title="A process for tests",
    abstract="Writes two small files.",
    version="1.0",
    request=FakeRequest,
    outputs=OUTPUTS,
    run=run,
)
