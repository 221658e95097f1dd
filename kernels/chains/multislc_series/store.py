"""The folder that keeps the images of a stack from run to run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kernels.chains.multislc_series.opening import Frame
from kernels.chains.multislc_series.request import VERSION, MultislcSeriesRequest
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.engine.locking import LOCK, lock_folder
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError
from kernels.model import Dem, StateVectors

_OF_IMAGES = (
    "polarisation",
    "kernel",
    "correlation",
    "correlation_threshold",
    "correlation_gap",
    "esd",
    "esd_threshold",
    "corrections",
)
"""Options that the images depend on, beside bursts and looks."""
_RECORD = "date.json"
_POLL_SECONDS = 0.5
_HIDDEN = ".stack-"
"""Before the key of a store that goes with the end of its run."""


def store_key(frame: Frame, dem: Dem) -> str:
    """Make the key of the images of a stack.

    Parameters
    ----------
    frame : Frame
        Reference and request.
    dem : Dem
        Terrain under it.

    Returns
    -------
    str
        32 hexadecimal digits, equal where options, reference, its bursts, looks, orbit and heights
        are; the first half is equal where all but the heights are.
    """
    digest = hashlib.sha256()
    posts = (dem.west, dem.north, dem.longitude_step, dem.latitude_step, dem.heights.shape)
    digest.update(repr(posts).encode())
    digest.update(np.ascontiguousarray(dem.heights).data)
    return _key_without_heights(frame) + digest.hexdigest()[:16]


def _key_without_heights(frame: Frame) -> str:
    values = frame.request.to_values()
    chosen = {name: values[name] for name in _OF_IMAGES}
    digest = hashlib.sha256()
    swaths = [
        (
            one.reference.swath,
            one.looks,
            repr(one.layout.grid),
            [(p.burst.index, p.origin, p.start, p.stop) for p in one.layout.placements],
        )
        for one in frame.swaths
    ]
    parts = [VERSION, frame.pass_.names, chosen, swaths]
    digest.update(json.dumps(parts, sort_keys=True).encode())
    digest.update(orbit_key(frame.swaths[0].reference.state_vectors).encode())
    return digest.hexdigest()[:16]


def stored_dates(frame: Frame, dates: Sequence[SeriesDate]) -> int:
    """Tell how many dates a run finds in the store, before it knows the heights.

    Parameters
    ----------
    frame : Frame
        Reference and request.
    dates : sequence of SeriesDate
        That the run needs.

    Returns
    -------
    int
        The most that are complete in one stack of these options, reference and orbit.
    """
    folder = frame.request.store
    if folder is None:
        return 0
    stacks = map(Store, folder.glob(f"{_key_without_heights(frame)}*"))
    return max((stack.count(dates) for stack in stacks), default=0)


def orbit_key(vectors: StateVectors) -> str:
    """Make a key of an orbit: another one when a better file has come."""
    digest = hashlib.sha256(repr(vectors.epoch).encode())
    for array in (vectors.times, vectors.positions, vectors.velocities):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Store:
    """Images of one stack.

    Attributes
    ----------
    folder : Path
        Where they are.
    """

    folder: Path

    def date_folder(self, date: SeriesDate) -> Path:
        """Folder of a date, which may not exist."""
        return self.folder / date.text

    def record(self, date: SeriesDate) -> dict[str, Any] | None:
        """Return what is kept of a date that is complete; None of others.

        Parameters
        ----------
        date : SeriesDate
            Of the same products, or else it is another image.

        Returns
        -------
        dict or None
            As given to `complete`.
        """
        folder = self.date_folder(date)
        try:
            found: dict[str, Any] = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            whole = all((folder / name).stat().st_size == size for name, size in found["files"])
        except (OSError, ValueError, KeyError, TypeError):  # none, or cut off
            return None
        return found if whole and found["names"] == list(date.names) else None

    def count(self, dates: Sequence[SeriesDate]) -> int:
        """Return how many of some dates are complete."""
        return sum(self.record(date) is not None for date in dates)

    def complete(self, date: SeriesDate, record: dict[str, Any]) -> None:
        """Mark a date as complete, once all its files are on the disk.

        Parameters
        ----------
        date : SeriesDate
            Whose folder holds the files.
        record : dict
            Ready for JSON.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        folder = self.date_folder(date)
        try:
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            for path in files:
                _force(path)
            sizes = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files]
            staged = folder / f".{_RECORD}"
            text = json.dumps({"names": list(date.names), "files": sizes} | record, indent=1)
            staged.write_text(text, encoding="utf-8")
            _force(staged)
            staged.replace(folder / _RECORD)
        except OSError as error:
            raise ProcessingError(f"the images could not be kept: {error.strerror}") from error

    def forget(self, date: SeriesDate) -> None:
        """Take away what is left of a date, and make an empty folder for it.

        Raises
        ------
        ProcessingError
            The file system does not let it.
        """
        folder = self.date_folder(date)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ProcessingError(f"the store cannot be used: {error.strerror}") from error


def _force(path: Path) -> None:
    """Wait until the disk has a file: its mark must not be older than itself."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def open_store(
    request: MultislcSeriesRequest, near: Path, key: str, progress: Progress
) -> Iterator[Store]:
    """Open the store of a stack; where another run is at work in it, wait for its end.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Names the folder of stores, or none.
    near : Path
        Folder of the results, which holds the store where none is named.
    key : str
        From `store_key`.
    progress : Progress
        Told of waiting; asked for cancellation.

    Yields
    ------
    Store
        It stays where it was named or the request wants the images; otherwise it is removed,
        unless the run was cancelled or interrupted.

    Raises
    ------
    ProcessingError
        The folder cannot be made.
    """
    is_kept = request.store is not None or not request.light
    name = f"stack-{key}" if is_kept else f"{_HIDDEN}{key}"
    folder = request.store / key if request.store else near / name
    lock = None
    while lock is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProcessingError(f"the store cannot be made: {error.strerror}") from error
        lock = lock_folder(folder)
        if lock is None:
            _check_lock(folder)
            progress.update(0.0, "another run makes the same images: waiting for it")
            time.sleep(_POLL_SECONDS)
            progress.check()
    if not is_kept:
        _remove_others(folder)
    may_go_on = is_kept
    try:
        os.utime(folder)
        # for whoever watches the disk: what is newer than this file belongs to these results
        os.ftruncate(lock, 0)
        os.write(lock, os.fsencode(near.resolve()))
        yield Store(folder)
    except BaseException as error:
        # a full disk may have room the next time; every other error comes again
        interrupted = isinstance(error, Cancelled | ProcessingError)
        may_go_on = is_kept or interrupted or not isinstance(error, Exception)
        raise
    finally:
        if not may_go_on:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _check_lock(folder: Path) -> None:
    """Refuse a folder that can never be locked: waiting for it would not end."""
    try:
        os.close(os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except FileNotFoundError:  # taken away in this moment
        return
    except OSError as error:
        raise ProcessingError(f"the store cannot be used: {error.strerror}") from error


def _remove_others(folder: Path) -> None:
    """Remove hidden stores that runs of other options left beside this one, if none is at work."""
    for other in folder.parent.glob(f"{_HIDDEN}*"):
        if other != folder and (lock := lock_folder(other)) is not None:
            shutil.rmtree(other, ignore_errors=True)
            os.close(lock)
