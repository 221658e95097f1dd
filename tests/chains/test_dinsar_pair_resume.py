"""A run that broke off goes on from the bursts that it had completed, to the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest, ortho, run
from kernels.chains.dinsar_pair.checkpoint import open_checkpoint
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, PairError
from kernels.insar import burst_pair
from kernels.model import Shape
from kernels.products.pixels import GdalPixelReader
from tests.series import Series

KILLED = """
import json, os, signal, sys
from pathlib import Path
from kernels.chains.dinsar_pair import DinsarPairRequest, ortho, run
from kernels.engine.progress import Progress

def report(share, step):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

run(DinsarPairRequest.from_values(json.loads(sys.argv[1])), Path(sys.argv[2]), Progress.to(report))
"""


def request_of(series: Series, **options: object) -> DinsarPairRequest:
    options = {"azimuth_looks": 2, "range_looks": 8, "spacing": 5e-4, "threads": 1} | options
    return series.request(**options)  # type: ignore[arg-type]


def kill_at(step: str, request: DinsarPairRequest, folder: Path) -> None:
    """Run in a process that is killed when it tells of a step."""
    arguments = [json.dumps(request.to_values()), str(folder), step]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a run left, the report without its timings."""
    found = {path.name: path.read_bytes() for path in folder.glob("[!.]*")}
    report = json.loads(found["report.json"])
    del report["seconds"], report["request"]["threads"], report["request"]["memory_mb"]
    return found | {"report.json": json.dumps(report).encode()}


def checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".checkpoint-")]


@pytest.fixture
def lines_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """File, first line and number of lines of all reading of pixels."""
    seen: list[tuple[str, int, int]] = []
    read = GdalPixelReader.read

    def noted(self: GdalPixelReader, first: int, lines: int, *window: int) -> np.ndarray:
        seen.append((self._path, first, lines))
        return read(self, first, lines, *window)

    monkeypatch.setattr(GdalPixelReader, "read", noted)
    return seen


@pytest.fixture(scope="module")
def whole(two_swaths: Series, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    run(request_of(two_swaths), folder, Progress())
    return contents(folder)


def test_a_killed_run_goes_on_and_reads_no_finished_burst_again(
    two_swaths: Series,
    whole: dict[str, bytes],
    tmp_path: Path,
    lines_read: list[tuple[str, int, int]],
) -> None:
    # told when the first burst of the second swath is written: four of six are complete
    kill_at("interferogram of IW2 burst 1", request_of(two_swaths), tmp_path)
    (kept,) = checkpoints(tmp_path)
    assert len(list(kept.glob("IW*.json"))) == 4
    run(request_of(two_swaths, threads=2, memory_mb=500), tmp_path, Progress())
    assert contents(tmp_path) == whole
    assert not checkpoints(tmp_path)
    # of 200 lines each; only the last two bursts of IW2 were read
    assert {Path(path).name[:7] for path, _, _ in lines_read} == {"s1a-iw2"}
    reference = [band for band in lines_read if band[0].startswith(str(two_swaths.reference))]
    assert min(first for _, first, _ in reference) >= 200
    assert sum(lines for _, _, lines in reference) < 2 * 200


def test_a_cancelled_run_goes_on(
    two_swaths: Series,
    whole: dict[str, bytes],
    tmp_path: Path,
    lines_read: list[tuple[str, int, int]],
) -> None:
    progress = Progress.to(lambda _, step: step == "map" and progress.cancelled.set())
    with pytest.raises(Cancelled):
        run(request_of(two_swaths), tmp_path, progress)
    assert [path.name[:12] for path in tmp_path.iterdir()] == [".checkpoint-"]
    lines_read.clear()
    run(request_of(two_swaths), tmp_path, Progress())
    assert not lines_read
    assert contents(tmp_path) == whole


@pytest.mark.parametrize("changed", ["request", "file", "sums", "mark"])
def test_what_is_not_the_same_is_not_used(
    changed: str,
    two_swaths: Series,
    whole: dict[str, bytes],
    tmp_path: Path,
    lines_read: list[tuple[str, int, int]],
) -> None:
    request = request_of(two_swaths)
    progress = Progress.to(lambda _, step: step == "map" and progress.cancelled.set())
    before = request_of(two_swaths, kernel=8) if changed == "request" else request
    with pytest.raises(Cancelled):
        run(before, tmp_path, progress)
    (kept,) = checkpoints(tmp_path)
    file = next((two_swaths.still / "measurement").iterdir())
    if changed == "file":
        os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1))
    elif changed == "sums":
        sums = np.load(kept / "IW1.npy", mmap_mode="r+")
        sums[3, 40, 1] += 1.0
        sums.flush()
    elif changed == "mark":
        (kept / "IW2-0.json").write_text("{")
    lines_read.clear()
    run(request, tmp_path, Progress())
    assert contents(tmp_path) == whole
    assert not checkpoints(tmp_path)
    bursts = {(Path(path).name[4:7], first // 200) for path, first, _ in lines_read}
    one = {"sums": {("iw1", 0)}, "mark": {("iw2", 0)}}
    everything = {(swath, burst) for swath in ("iw1", "iw2") for burst in range(3)}
    assert bursts == one.get(changed, everything)


def test_a_failure_that_would_come_again_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()

    def fail() -> None:
        with open_checkpoint(folder, "0" * 32) as checkpoint:
            checkpoint.swath("IW1", Shape(4, 5)).complete(Band(0, 2), "", "")
            raise PairError("no pair")

    with pytest.raises(PairError):
        fail()
    assert not list(folder.iterdir())


def test_two_runs_at_once_do_not_share_sums(tmp_path: Path) -> None:
    with (
        open_checkpoint(tmp_path, "a" * 32) as first,
        open_checkpoint(tmp_path, "a" * 32) as second,
    ):
        assert first.folder != second.folder
        with open_checkpoint(tmp_path, "b" * 32):
            assert first.folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_bits_depend_neither_on_threads_nor_on_memory(
    two_swaths: Series,
    whole: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # so that 200 MB hold two to six lines of these short ones, and 2 GB all of a burst
    monkeypatch.setattr(burst_pair, "BYTES_PER_PIXEL", 20_000)
    monkeypatch.setattr(ortho, "_BYTES_PER_PIXEL", 50_000)
    for threads, memory_mb in ((1, 200), (2, 200), (4, 200), (2, 2000), (4, 9000)):
        folder = tmp_path / f"{threads}-{memory_mb}"
        run(request_of(two_swaths, threads=threads, memory_mb=memory_mb), folder, Progress())
        assert contents(folder) == whole, (threads, memory_mb)
