"""What this machine can do at best: disk, memory and arithmetic, measured by themselves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.engine.bands import default_threads
from kernels.engine.workspace import scratch_folder

_MEMORY_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 24
_ROUNDS = 20_000
_VALUES = 4096
"""Of the arithmetic: 16 kB, which the first cache holds."""
_STEPS = 8


def measure_floor(folder: Path, *, disk_bytes: int = 1 << 30) -> dict[str, float]:
    """Measure the machine.

    Parameters
    ----------
    folder : Path
        On the disk that the input lies on.
    disk_bytes : int
        Written there and read.

    Returns
    -------
    dict of str to float
        Writing to the disk and reading from it past the page cache, reading through the page
        cache, copying in memory (bytes read plus bytes written) on all cores [GB/s], and
        multiply-adds in float32 on all cores [1e9 operations/s, two each].
    """
    found = _disk(folder, disk_bytes)
    threads = default_threads()
    source = np.ones(_MEMORY_BYTES // 4, np.float32)
    pairs = [(part, np.empty_like(part)) for part in np.array_split(source, threads)]
    _on_all(_copy, pairs)
    found["memory_gb_per_second"] = 2.0 * _MEMORY_BYTES / 1e9 / _best(_on_all, _copy, pairs)
    values = [(np.ones(_VALUES, np.float32), _ROUNDS) for _ in range(threads)]
    _on_all(_multiply_and_add, [(np.ones(_VALUES, np.float32), 1)])
    operations = 2.0 * _STEPS * _VALUES * _ROUNDS * threads
    found["gflop_per_second"] = operations / 1e9 / _best(_on_all, _multiply_and_add, values)
    return found


def _disk(folder: Path, size: int) -> dict[str, float]:
    chunk = np.random.default_rng(1).bytes(_CHUNK_BYTES)
    with scratch_folder(folder) as scratch:
        path = scratch / "floor"
        begin = time.perf_counter()
        with path.open("wb") as stream:
            for _ in range(max(size // _CHUNK_BYTES, 1)):
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        written = time.perf_counter() - begin
        with path.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        cold, warm = _read(path), _read(path)
    gigabytes = size / 1e9
    return {
        "disk_write_gb_per_second": gigabytes / written,
        "disk_read_gb_per_second": gigabytes / cold,
        "page_cache_read_gb_per_second": gigabytes / warm,
    }


def _read(path: Path) -> float:
    """Read a file and return the time that it took [s]."""
    buffer = bytearray(_CHUNK_BYTES)
    begin = time.perf_counter()
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(buffer):
            pass
    return time.perf_counter() - begin


def _best(function: Callable[..., None], *arguments: object) -> float:
    """Shortest of three times [s]."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - begin)
    return min(times)


def _on_all(function: Callable[..., None], arguments: Sequence[tuple[object, ...]]) -> None:
    with ThreadPoolExecutor(len(arguments)) as pool:
        list(pool.map(lambda one: function(*one), arguments))


def _copy(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    np.copyto(target, source)


@njit(nogil=True, cache=True, fastmath={"contract"})
def _multiply_and_add(values: NDArray[np.float32], rounds: int) -> None:
    """Eight dependent steps on each of many values, so that the values are the parallel part."""
    a, b = np.float32(0.999), np.float32(1e-3)
    for _ in range(rounds):
        for k in range(values.size):
            x = values[k]
            for _step in range(_STEPS):
                x = x * a + b
            values[k] = x
