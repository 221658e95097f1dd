"""Look sums that outlive a run which broke off, and the key of the runs that may use them.

A run keeps the sums of its swaths in a hidden folder among its results. One that is killed or
cancelled leaves the folder behind; the next run of the same request on the same input takes what is
complete from there. Whether rows are complete is told by a checksum, so that nothing has to be
forced to the disk on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.request import VERSION, DinsarPairRequest
from kernels.chains.identity import file_states
from kernels.chains.reports import versions
from kernels.engine.bands import Band
from kernels.engine.locking import lock_folder
from kernels.engine.workspace import scratch_folder
from kernels.errors import Cancelled, ProcessingError
from kernels.insar.adjustment import Adjustment, Plane
from kernels.model import Dem, Shape

_PREFIX = ".checkpoint-"
_MARK = ".json"
_WITHOUT_EFFECT = ("threads", "memory_mb")


def checkpoint_key(request: DinsarPairRequest, pairs: tuple[SwathPair, ...], dem: Dem) -> str:
    """Make the key of the look sums of a run.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.

    Returns
    -------
    str
        32 hexadecimal digits. They are equal where request, program, state of the files of the
        products, orbits and heights are; not on threads and memory, which change no bit.
    """
    digest = hashlib.sha256()
    values = request.to_values()
    for info in request.describe():
        if info.role == "slc":
            given = getattr(request, info.name) or ()
            for path in given if isinstance(given, tuple) else (given,):
                digest.update(repr(list(file_states(path))).encode())
        if info.kind is Path or info.name in _WITHOUT_EFFECT:
            del values[info.name]
    digest.update(json.dumps([VERSION, versions(), values], sort_keys=True).encode())
    for product in (image for pair in pairs for image in (pair.reference, pair.secondary)):
        vectors = product.state_vectors
        digest.update(repr((product.name, vectors.epoch, vectors.origin)).encode())
        for array in (vectors.times, vectors.positions, vectors.velocities):
            digest.update(np.ascontiguousarray(array).data)
    posts = (dem.west, dem.north, dem.longitude_step, dem.latitude_step, dem.heights.shape)
    digest.update(repr(posts).encode())
    digest.update(np.ascontiguousarray(dem.heights).data)
    return digest.hexdigest()[:32]


class KeptSums:
    """Look sums of one swath in a file, and marks of the rows that are complete.

    Parameters
    ----------
    folder : Path
        Holds the file and the marks; those of an earlier run are taken up.
    swath : str
        For their names.
    shape : Shape
        Rows and cells.

    Raises
    ------
    ProcessingError
        There is no room for the file.
    """

    def __init__(self, folder: Path, swath: str, shape: Shape) -> None:
        self._folder = folder
        self._swath = swath
        self.sums = open_sums(folder / f"{swath}.npy", (*shape, 4))
        """Of shape (rows, cells, 4), zeros at first."""

    def note(self, rows: Band, label: str) -> str | None:
        """Return what was noted of rows that an earlier run completed; None where none did.

        Parameters
        ----------
        rows : Band
            Some rows.
        label : str
            Must be that of the earlier run.

        Returns
        -------
        str or None
            May be empty.
        """
        mark = _read(self._mark(rows))
        if mark is None or mark["label"] != label or mark["rows"] != list(rows):
            return None
        return str(mark["note"]) if mark["checksum"] == self._checksum(rows) else None

    def complete(self, rows: Band, label: str, note: str) -> None:
        """Mark rows as complete; raises ProcessingError where that cannot be written."""
        mark = {
            "label": label,
            "rows": list(rows),
            "checksum": self._checksum(rows),
            "note": note,
        }
        _write_beside(self._mark(rows), mark)

    def _mark(self, rows: Band) -> Path:
        return self._folder / f"{self._swath}-{rows.first}{_MARK}"

    def _checksum(self, rows: Band) -> int:
        return zlib.crc32(self.sums[rows.first : rows.first + rows.rows].data)


def _write_beside(target: Path, record: dict[str, Any]) -> None:
    try:
        staged = target.with_name(f".{target.name}")
        staged.write_text(json.dumps(record), encoding="utf-8")
        staged.replace(target)
    except OSError as error:
        raise ProcessingError(f"{target.name} could not be written: {error.strerror}") from error


def _read(file: Path) -> dict[str, Any] | None:
    """Read what `_write_beside` wrote; None of nothing, or of what the end of the machine cut."""
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record


def _adjustment(lines: list[float], samples: list[float], phase: float) -> Adjustment:
    return Adjustment(lines=Plane(*lines), samples=Plane(*samples), phase=phase)


def open_sums(path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Open the file of an earlier run, or make one of zeros that the disk has room for.

    Parameters
    ----------
    path : Path
        Of the file.
    shape : tuple of int
        Of the array.

    Returns
    -------
    ndarray of float32
        In a memory-mapped file.

    Raises
    ------
    ProcessingError
        There is no room.
    """
    try:
        found: NDArray[np.float32] = np.lib.format.open_memmap(path, "r+")
        if found.shape == shape and found.dtype == np.float32:
            return found
    except (OSError, ValueError):  # none, or cut off
        pass
    try:
        path.unlink(missing_ok=True)
        made: NDArray[np.float32] = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        # a page without room on disk would end the process when it is written to
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise ProcessingError(
            f"the look sums could not be written, is the disk full?: {error.strerror}"
        ) from error
    return made


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Look sums of a run.

    Attributes
    ----------
    folder : Path
        Where they are.
    """

    folder: Path

    def swath(self, name: str, shape: Shape) -> KeptSums:
        """Open or make the sums of a swath; raises ProcessingError where there is no room."""
        return KeptSums(self.folder, name, shape)

    def keep_refinement(self, pairs: tuple[SwathPair, ...], findings: dict[str, Any]) -> None:
        """Keep what the images told beyond the geometry; raises ProcessingError.

        Parameters
        ----------
        pairs : tuple of SwathPair
            With adjustments.
        findings : dict
            Ready for JSON.
        """
        adjustments = [
            {number: asdict(found) for number, found in pair.adjustments.items()} for pair in pairs
        ]
        record = {"adjustments": adjustments, "findings": findings}
        _write_beside(self._refinement, record)

    def refined(
        self, pairs: tuple[SwathPair, ...]
    ) -> tuple[tuple[SwathPair, ...], dict[str, Any]] | None:
        """Give back what `keep_refinement` kept, to the bit.

        Parameters
        ----------
        pairs : tuple of SwathPair
            Without adjustments.

        Returns
        -------
        tuple of (tuple of SwathPair, dict) or None
            Pairs with adjustments, and the findings; None where nothing was kept.
        """
        record = _read(self._refinement)
        if record is None:
            return None
        adjusted = tuple(
            replace(pair, adjustments={int(number): _adjustment(**v) for number, v in kept.items()})
            for pair, kept in zip(pairs, record["adjustments"], strict=True)
        )
        return adjusted, record["findings"]

    @property
    def _refinement(self) -> Path:
        return self.folder / f"refinement{_MARK}"

    @property
    def _is_of_use(self) -> bool:
        return any(self.folder.glob(f"[!.]*{_MARK}"))


@contextmanager
def open_checkpoint(near: Path, key: str) -> Iterator[Checkpoint]:
    """Give a place for look sums, with those of an earlier run of the same key.

    What runs of other keys left is removed, unless they are still at work; where a run of the
    same key is, this one keeps its sums to itself.

    Parameters
    ----------
    near : Path
        Existing folder of the results.
    key : str
        Equal for runs whose sums are equal.

    Yields
    ------
    Checkpoint
        Removed at the end, unless something is complete and the run was cancelled or interrupted.
    """
    folder = near / f"{_PREFIX}{key}"
    for other in near.glob(f"{_PREFIX}*"):
        if other != folder and (lock := lock_folder(other)) is not None:
            _remove(other, lock)
    folder.mkdir(exist_ok=True)
    lock = lock_folder(folder)
    if lock is None:
        with scratch_folder(near) as scratch:
            yield Checkpoint(scratch)
        return
    checkpoint = Checkpoint(folder)
    may_go_on = False
    try:
        yield checkpoint
    except BaseException as error:
        # every other error comes again
        may_go_on = isinstance(error, Cancelled) or not isinstance(error, Exception)
        raise
    finally:
        if may_go_on and checkpoint._is_of_use:
            os.close(lock)
        else:
            _remove(folder, lock)


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
