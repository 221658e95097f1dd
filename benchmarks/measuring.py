"""Wall time, CPU seconds and peak memory of a call that runs in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SAMPLING_S = 0.02
_CACHE = "measured-kernels-"


class MeasuringError(Exception):
    """The measured call ended without a result."""


class OutOfTimeError(MeasuringError):
    """The measured call was ended after its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement(Generic[Value]):
    """What a call gave and what it took.

    Attributes
    ----------
    value : object
        What it returned.
    wall_s : float
        From call to return [s].
    cpu_s : float
        User and system time of its process and the children it waited for [s].
    peak_memory_mb : float
        Largest sum of resident memory over its process tree [MB], sampled every 20 ms, and never
        less than the kernel's own high-water mark of its largest process. Pages that processes
        share count in each.
    compile_s : float
        What the warm-up took before, compilation included [s]; 0 without one.
    """

    value: Value
    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    compile_s: float


def measure(
    function: Callable[..., Value],
    *arguments: object,
    warm_up: tuple[object, ...] | None = None,
    limit_s: float | None = None,
) -> Measurement[Value]:
    """Call a function in a fresh process and measure it.

    Compiled kernels are cached in a folder of this measurement. The warm-up fills it in a process
    of its own, so that the measured call loads compiled kernels, as in production, and pays for
    no compilation in time or memory.

    Parameters
    ----------
    function : callable
        Of a module (not a closure), so that another process can import it.
    *arguments : object
        Its arguments; they and the result travel between processes.
    warm_up : tuple of object, optional
        Arguments of one unmeasured call before, usually with less to do.
    limit_s : float, optional
        Time after which the call, and all processes that it started, are ended [s].

    Returns
    -------
    Measurement
        The result, and what it took.

    Raises
    ------
    MeasuringError
        The process died (of a signal, for example where memory ran out).
    OutOfTimeError
        It took longer than its time.
    Exception
        What the function itself raises.
    """
    with compiled_kernels():
        compile_s = 0.0
        if warm_up is not None:
            compile_s = _call_apart(function, warm_up).wall_s
        taken = _call_apart(function, arguments, limit_s)
    return Measurement(
        value=taken.value,
        wall_s=taken.wall_s,
        cpu_s=taken.cpu_s,
        peak_memory_mb=taken.peak_bytes / 1e6,
        compile_s=compile_s,
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    value: Any
    wall_s: float
    cpu_s: float
    peak_bytes: int


@contextmanager
def compiled_kernels() -> Iterator[None]:
    """Keep compiled kernels in a folder that all measurements within share.

    Within another one it is that one's folder: what one warm-up has compiled serves all.
    """
    before = os.environ.get("NUMBA_CACHE_DIR")
    if before is not None and Path(before).name.startswith(_CACHE):
        yield
        return
    with tempfile.TemporaryDirectory(prefix=_CACHE) as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["NUMBA_CACHE_DIR"]
            else:
                os.environ["NUMBA_CACHE_DIR"] = before


def _call_apart(
    function: Callable[..., Any], arguments: tuple[object, ...], limit_s: float | None = None
) -> _Taken:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, arguments))
    process.start()
    sender.close()
    watch = _MemoryWatch(process.pid or 0)
    try:
        if not receiver.poll(limit_s):
            _end(process.pid or 0)
            raise OutOfTimeError(f"the measured process was ended after {limit_s:.0f} s")
        outcome = receiver.recv()
    except EOFError:
        outcome = None
    finally:
        peak_bytes = watch.stop()
        process.join()
    if isinstance(outcome, _Taken):
        return replace(outcome, peak_bytes=max(outcome.peak_bytes, peak_bytes))
    if isinstance(outcome, BaseException):
        raise outcome
    raise MeasuringError(f"the measured process ended with code {process.exitcode}")


def _call(sender: Connection, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    os.dup2(2, 1)  # the standard output belongs to the result line
    outcome: _Taken | BaseException
    try:
        wall, cpu = time.perf_counter(), _cpu_seconds()
        value = function(*arguments)
        wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
        outcome = _Taken(value, wall, cpu, _high_water(os.getpid()))
    except BaseException as error:  # noqa: BLE001 - raised again where the call was asked for
        error.add_note(traceback.format_exc())
        outcome = error
    sender.send(outcome)


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class _MemoryWatch:
    """Samples the memory of a process tree until stopped."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._stopped = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._sample, name="memory watch")
        self._thread.start()

    def stop(self) -> int:
        """Stop watching and return the peak [bytes]."""
        self._stopped.set()
        self._thread.join()
        return self._peak

    def _sample(self) -> None:
        last = False
        while not last:
            last = self._stopped.wait(_SAMPLING_S)
            members = _tree(self._root)
            together = sum(_resident(pid) for pid in members)
            self._peak = max(self._peak, together, *map(_high_water, members))


def _tree(root: int) -> list[int]:
    """Process numbers of a process and all its descendants."""
    members = [root]
    for member in members:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            members += map(int, _read(children).split())
    return members


def _end(root: int) -> None:
    """End a process and all its descendants."""
    for pid in _tree(root):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return ""


def _resident(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _high_water(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
