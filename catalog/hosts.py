"""How many connections a host gets at once, first come first served."""

from __future__ import annotations

import os
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalog.locking import take
from catalog.partial import no_space
from catalog.progress import pause

_BETWEEN_TRIES_S = 0.1


@dataclass
class _Gate:
    """Of one host: who waits, in order, and how many are in."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    waiting: deque[object] = field(default_factory=deque)
    inside: int = 0


class Connections:
    """Limits of connections per host.

    Parameters
    ----------
    folder : Path or None
        Where processes of this machine share the limits, by locked files; None shares them
        between the threads that use this object only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._gates: dict[str, _Gate] = defaultdict(_Gate)
        self._lock = threading.Lock()

    @contextmanager
    def one(self, host: str, limit: int, cancel: threading.Event) -> Iterator[None]:
        """Hold one of the connections of a host while the block runs.

        Parameters
        ----------
        host : str
            Name and port.
        limit : int
            Connections at once.
        cancel : threading.Event
            Ends the wait.

        Raises
        ------
        CancelledError
            `cancel` was set.
        StorageError
            The folder cannot be written to.
        """
        with self._lock:
            gate = self._gates[host]
        _enter(gate, max(limit, 1), cancel)
        try:
            with self._slot(host, max(limit, 1), cancel):
                yield
        finally:
            with gate.changed:
                gate.inside -= 1
                gate.changed.notify_all()

    @contextmanager
    def _slot(self, host: str, limit: int, cancel: threading.Event) -> Iterator[None]:
        if self._folder is None:
            yield
            return
        stem = re.sub(r"[^A-Za-z0-9.\-]", "_", host)
        paths = [self._folder / f"{stem}.{number}" for number in range(limit)]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            while (descriptor := _take_any(paths)) is None:
                pause(cancel, _BETWEEN_TRIES_S)
        except OSError as error:
            raise no_space(error, self._folder) from error
        try:
            yield
        finally:
            os.close(descriptor)


def _enter(gate: _Gate, limit: int, cancel: threading.Event) -> None:
    ticket = object()
    with gate.changed:
        gate.waiting.append(ticket)
        try:
            while gate.waiting[0] is not ticket or gate.inside >= limit:
                gate.changed.wait(_BETWEEN_TRIES_S)
                pause(cancel)
            gate.inside += 1
        finally:
            gate.waiting.remove(ticket)
            gate.changed.notify_all()


def _take_any(paths: list[Path]) -> int | None:
    for path in paths:
        descriptor = take(path)
        if descriptor is not None:
            return descriptor
    return None
