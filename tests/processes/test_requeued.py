"""A job whose attempt was killed: the next attempt finds what the first one completed."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from kernels.engine.progress import Progress
from kernels.products.pixels import GdalPixelReader
from processes.dinsar_pair import DinsarPair
from processes.isolation import CrashError, run_isolated
from processes.jobs.folders import JobFolder
from processes.jobs.model import NewJob, Output
from processes.running import run_process
from processes.settings import read_settings
from tests.series import Series


def job_of(series: Series) -> NewJob:
    values = {
        "reference": series.reference.name,
        "secondary": series.still.name,
        "dem": series.dem.name,
        "dem_heights": "ellipsoid",
        "spacing": "0.0005",
    }
    return NewJob(
        process="dinsar-pair",
        version="1.0",
        inputs={name: ({"data": text},) for name, text in values.items()},
    )


def test_the_second_attempt_reads_only_what_is_missing(
    two_swaths: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(
        read_settings(), data_roots=(two_swaths.dem.parent,), disk_reserve_mb=1, job_threads=1
    )
    process, job = DinsarPair(settings), job_of(two_swaths)
    folder = JobFolder(tmp_path / "job")
    folder.output.mkdir(parents=True)

    def attempt(number: int, progress: Progress) -> tuple[Output, ...]:
        results = tmp_path / f"results-{number}"
        results.mkdir()
        return run_process(process, job, work=folder.output, results=results, progress=progress)

    def killed(_: Progress) -> tuple[Output, ...]:
        def report(_share: float, step: str) -> None:
            if step == "interferogram of IW2 burst 1":
                os.kill(os.getpid(), signal.SIGKILL)

        return attempt(1, Progress.to(report))

    with pytest.raises(CrashError):
        run_isolated(killed, lambda _share, _step: None)
    folder.clear_scratch()  # as the next attempt does
    seen: list[str] = []
    read = GdalPixelReader.read

    def noted(self: GdalPixelReader, *window: int) -> np.ndarray:
        seen.append(Path(self._path).name[4:7])
        return read(self, *window)

    monkeypatch.setattr(GdalPixelReader, "read", noted)
    outputs = attempt(2, Progress())
    assert set(seen) == {"iw2"}
    assert [output.identifier for output in outputs][:2] == ["interferogram", "interferogram_radar"]
    assert not list(folder.output.iterdir())
    folder = JobFolder(tmp_path / "another")
    folder.output.mkdir(parents=True)
    attempt(3, Progress())
    for name in ("interferogram.tif", "interferogram_radar.zip", "phase.png"):
        resumed, whole = ((tmp_path / f"results-{k}" / name).read_bytes() for k in (2, 3))
        assert resumed == whole, name
