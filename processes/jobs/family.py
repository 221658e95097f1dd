"""The processes of one attempt, wherever they hide.

The leader of an attempt is the head of a session of its own and the reaper of its descendants, so
that a descendant stays one even when its parent dies. What made a session for itself, and lost the
leader, is known by having been seen before, by a mark in its environment, or by the log that it
writes to.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

MARK = "FOURNAISE_ATTEMPT"
"""Environment variable that every program started by an attempt inherits."""


class Leader(NamedTuple):
    """A process that cannot be taken for a later one of the same number.

    Attributes
    ----------
    pid : int
        Its number.
    start : int
        When it began [clock ticks since boot].
    boot : str
        Identifier of the boot of the machine, different on every machine.
    """

    pid: int
    start: int
    boot: str

    @classmethod
    def of_this_process(cls) -> Leader:
        """Describe the process that calls."""
        return cls(os.getpid(), start_ticks(os.getpid()), boot_identifier())


def boot_identifier() -> str:
    """Return the identifier of this boot of this machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def since_boot() -> float:
    """Return the time since the start of the machine [s], which nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def start_ticks(pid: int) -> int:
    """Return when a process began [clock ticks since boot]; 0 where there is none.

    Parameters
    ----------
    pid : int
        Number of the process.

    Returns
    -------
    int
        Field 22 of ``/proc/PID/stat`` (man 5 proc).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(stat.rpartition(")")[2].split()[19])


class Family:
    """The processes of one attempt.

    Parameters
    ----------
    leader : Leader or None
        Head of the session; None where it never told its number.
    mark : str
        Value of `MARK` in the environment of its programs.
    log : Path
        Its standard output or error.
    """

    def __init__(self, leader: Leader | None, mark: str, log: Path) -> None:
        here = leader is not None and leader.boot == boot_identifier()
        self.leader = leader if here else None
        self.mark = f"{MARK}={mark}".encode()
        self.log = log.resolve()
        self.known: set[psutil.Process] = set()

    def members(self) -> set[psutil.Process]:
        """Find the living members, and remember them."""
        found = {process for process in self.known if _lives(process)}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if self._belongs(process) and _lives(process):
                    found.add(process)
        for process in tuple(found):
            with suppress(psutil.Error):
                found.update(filter(_lives, process.children(recursive=True)))
        self.known = found
        return found

    def signal(self, number: signal.Signals, *, spared: int = 0) -> bool:
        """Send a signal to all members but one; False once there are none."""
        members = {process for process in self.members() if process.pid != spared}
        for process in members:
            with suppress(psutil.Error):
                process.send_signal(number)
        return bool(members)

    def memory_bytes(self, enough: float) -> float:
        """Return the resident memory, what is shared counted once.

        Parameters
        ----------
        enough : float
            Below this the cheaper sum, in which shared memory counts several times, will do.

        Returns
        -------
        float
            Bytes.
        """
        members = self.members()
        total = sum(_memory(process, "rss") for process in members)
        if total <= enough:
            return total
        return sum(_memory(process, "pss") for process in members)

    def _belongs(self, process: psutil.Process) -> bool:
        if self.leader is not None and os.getsid(process.pid) == self.leader.pid:
            # the number may have come to a later process, of which the session then is
            return start_ticks(self.leader.pid) in {0, self.leader.start}
        of_process = Path(f"/proc/{process.pid}")
        if self.mark in (of_process / "environ").read_bytes().split(b"\0"):
            return True
        return any((of_process / "fd" / number).readlink() == self.log for number in "12")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _memory(process: psutil.Process, kind: str) -> float:
    try:
        info = process.memory_info() if kind == "rss" else process.memory_full_info()
    except psutil.Error:  # gone meanwhile
        return 0.0
    return float(getattr(info, kind))
