"""What a call takes is measured in its own process, children included."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks.measuring import MeasuringError, OutOfTimeError, measure
from kernels.errors import ProcessingError
from tests.benchmarks import calls

SAMPLING_MB = 15.0
"""What an interpreter that starts or ends may weigh more or less."""


@pytest.fixture(scope="module")
def bare_mb() -> float:
    """Memory of a call that holds nothing [MB]."""
    return measure(calls.hold, 0).peak_memory_mb


def test_the_result_comes_back() -> None:
    assert measure(calls.hold, 3).value == 3 * calls.MEGABYTE


def test_memory_is_the_peak_of_the_call_not_of_the_caller(bare_mb: float) -> None:
    ballast = b"\1" * (300 * calls.MEGABYTE)
    peak_mb = measure(calls.hold, 200).peak_memory_mb
    assert len(ballast) == 300 * calls.MEGABYTE
    assert peak_mb - bare_mb == pytest.approx(200.0, abs=SAMPLING_MB)


def test_memory_counts_children_that_run_at_the_same_time(bare_mb: float) -> None:
    peak_mb = measure(calls.hold_with_a_child, 100).peak_memory_mb
    assert peak_mb - bare_mb == pytest.approx(200.0, abs=2 * SAMPLING_MB)


def test_cpu_seconds_count_the_call_and_its_children() -> None:
    taken = measure(calls.burn, 0.2)
    assert taken.cpu_s >= 2 * 0.2 - 0.01, "the accounts of the system come in ticks of 10 ms"
    assert taken.wall_s >= 0.2


def test_the_warm_up_fills_the_kernel_cache_of_the_measured_call(tmp_path: Path) -> None:
    note = tmp_path / "calls"
    taken = measure(calls.kernel_cache, note, warm_up=(note,))
    assert note.read_text().splitlines() == [taken.value, taken.value]
    assert taken.compile_s > 0.0
    assert taken.value != os.environ.get("NUMBA_CACHE_DIR")
    assert not Path(taken.value).exists()


def test_an_error_of_the_call_reaches_the_caller() -> None:
    with pytest.raises(ProcessingError, match="no result is possible"):
        measure(calls.fail)


def test_a_process_that_dies_is_no_result() -> None:
    with pytest.raises(MeasuringError, match="ended with code -9"):
        measure(calls.die)


def test_a_call_out_of_time_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    with pytest.raises(OutOfTimeError, match="ended after 5 s"):
        measure(calls.wait_with_a_child, note, limit_s=5.0)
    # a busy machine may not have come to the child; a zombie waits for its new parent alone
    status = Path(f"/proc/{note.read_text()}/stat") if note.exists() else note
    for _ in range(200):  # the kernel takes a moment to end what was killed
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_what_the_call_prints_stays_off_the_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert measure(calls.chatter).value == "result"
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "chatter" in captured.err
