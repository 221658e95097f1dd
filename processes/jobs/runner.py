"""Where attempts run: on this machine, or wherever another runner puts them.

A runner starts an attempt, tells whether it lives, and stops it. How it ended is never the
runner's word but that of the attempt's own record; what is gone without one is lost.
"""

from __future__ import annotations

import socket
import time
from enum import Enum
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Protocol

from processes.jobs.family import Family, Leader
from processes.jobs.files import Lock, read_json
from processes.jobs.folders import AttemptFolder, End
from processes.jobs.spawner import Spawner

KILL_TIMEOUT = 5.0
"""Longest time that killed processes may take to vanish [s]."""


class Health(Enum):
    """What a runner knows of an attempt."""

    WAITING = "waiting"
    """Ordered, not begun."""
    RUNNING = "running"
    GONE = "gone"
    UNKNOWN = "unknown"
    """It cannot be told now, or not from here."""


class Runner(Protocol):
    """Starts, watches and stops attempts."""

    def start(self, folder: AttemptFolder) -> None:
        """Order an attempt, whose folder and request exist."""
        ...

    def poll(self, folder: AttemptFolder) -> Health:
        """Tell whether an attempt lives; raises ProcessingError where it can never begin."""
        ...

    def adopt(self, folder: AttemptFolder) -> bool:
        """Tell whether an attempt that another worker started can be looked after from here."""
        ...

    def stop(self, folder: AttemptFolder, *, force: bool) -> bool:
        """Ask all of an attempt to end, or make it; False once nothing is left of it."""
        ...

    def memory_bytes(self, folder: AttemptFolder, enough: float) -> float:
        """Return the memory that an attempt uses; 0 where the runner limits it by itself."""
        ...

    def kill(self, folder: AttemptFolder) -> None:
        """Make all of an attempt end, and wait for that."""
        ...

    def forget(self, folder: AttemptFolder) -> None:
        """Drop what is kept of an attempt that is over."""
        ...

    def close(self) -> None:
        """End the runner; its attempts go on."""
        ...


class LocalRunner:
    """Runs attempts on this machine, each as a session of its own."""

    def __init__(self) -> None:
        self._spawner = Spawner()
        self._families: dict[Path, Family] = {}

    def start(self, folder: AttemptFolder) -> None:
        """Have the attempt forked from the spawner."""
        folder.host_file.write_text(socket.gethostname(), encoding="utf-8")
        self._spawner.start(folder)

    def poll(self, folder: AttemptFolder) -> Health:
        """Look whether the leader still holds the lock of the attempt."""
        if self._spawner.awaits(folder):
            return Health.WAITING
        return Health.GONE if _close(folder) else Health.RUNNING

    def adopt(self, folder: AttemptFolder) -> bool:
        """Tell whether the attempt was started on this machine, be it before the last boot."""
        try:
            return folder.host_file.read_text(encoding="utf-8") == socket.gethostname()
        except FileNotFoundError:
            return False

    def stop(self, folder: AttemptFolder, *, force: bool) -> bool:
        """Signal every process of the attempt; one that waits will never begin."""
        signalled = self._family(folder).signal(SIGKILL if force else SIGTERM)
        return not _close(folder) or signalled

    def kill(self, folder: AttemptFolder) -> None:
        """Kill every process of an attempt and wait until they are gone."""
        deadline = time.monotonic() + KILL_TIMEOUT
        while self.stop(folder, force=True) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.forget(folder)

    def memory_bytes(self, folder: AttemptFolder, enough: float) -> float:
        """Return the resident memory of all processes of the attempt."""
        return self._family(folder).memory_bytes(enough)

    def forget(self, folder: AttemptFolder) -> None:
        """Drop the processes that were seen."""
        self._families.pop(folder.path, None)

    def close(self) -> None:
        """End the spawner."""
        self._spawner.close()

    def _family(self, folder: AttemptFolder) -> Family:
        family = self._families.get(folder.path)
        if family is None or family.leader is None:
            record = read_json(folder.process_file)
            leader = Leader(record["pid"], record["start"], record["boot"]) if record else None
            known = family.known if family else set()
            mark = f"{folder.job.path.name}.{folder.number}"
            family = Family(leader, mark, folder.log_file)
            family.known = known
            self._families[folder.path] = family
        return family


def _close(folder: AttemptFolder) -> bool:
    """Make sure that an attempt without a leader stays so; False where it has one."""
    try:
        lock = Lock.take(folder.lock_file)
    except FileNotFoundError:  # someone took the folder away
        return True
    if lock is None:
        return False
    folder.write_end(End(None, "the processing ended without a word"))
    lock.release()
    return True
