"""What a job may use, and what it uses."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from processes.settings import Settings

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The most that one job may use; None: no limit.

    Attributes
    ----------
    seconds : float or None
        Wall time of an attempt.
    memory_bytes : float or None
        Resident memory of all its processes together.
    disk_bytes : float or None
        Its folder.
    """

    seconds: float | None = None
    memory_bytes: float | None = None
    disk_bytes: float | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Allowance:
        """Take the operator's limits."""
        memory, disk = settings.job_memory_limit_mb, settings.job_disk_mb
        return cls(
            seconds=settings.job_seconds,
            memory_bytes=None if memory is None else memory * MB,
            disk_bytes=None if disk is None else disk * MB,
        )

    def broken_by(self, *, seconds: float, memory_bytes: float, disk_bytes: float) -> str:
        """Tell which limit is broken.

        Parameters
        ----------
        seconds, memory_bytes, disk_bytes : float
            What the job uses.

        Returns
        -------
        str
            One line for the user; empty where all is well.
        """
        if self.seconds is not None and seconds > self.seconds:
            return f"stopped after {self.seconds:g} s, the longest time that this server allows"
        for used, most, what in (
            (memory_bytes, self.memory_bytes, "memory"),
            (disk_bytes, self.disk_bytes, "disk space"),
        ):
            if most is not None and used > most:
                return (
                    f"stopped for using more {what} than the {most / MB:.0f} MB "
                    "that this server allows"
                )
        return ""


def missing_disk(folder: Path, needed: float, reserve: float) -> str:
    """Tell whether a job has room on disk.

    Parameters
    ----------
    folder : Path
        On the file system of the jobs.
    needed : float
        What the job may need [bytes].
    reserve : float
        What must stay free beside it [bytes].

    Returns
    -------
    str
        One line for the user; empty where there is room.
    """
    free = shutil.disk_usage(folder).free
    if free >= needed + reserve:
        return ""
    return (
        f"the disk of this server is too full: {free / MB:.0f} MB are free, the job may need "
        f"{needed / MB:.0f} MB and {reserve / MB:.0f} MB must stay free; try again later"
    )


def too_large(needed: float, allowed: float) -> str:
    """Say that a job may need more disk than the operator allows one job [bytes]."""
    return (
        f"the job may need {needed / MB:.0f} MB of disk, more than the {allowed / MB:.0f} MB that "
        "this server allows; ask for less, or for larger pixels"
    )


def folder_bytes(folder: Path, *, since: int = 0, linked: bool = True) -> int:
    """Return the size of a folder on disk.

    Parameters
    ----------
    folder : Path
        May change meanwhile.
    since : int
        Count only files written since then [ns since 1970].
    linked : bool
        Whether files count that have another name somewhere.

    Returns
    -------
    int
        Bytes in blocks, so that holes in files do not count.
    """
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # gone meanwhile
                found = (Path(parent) / name).lstat()
                if found.st_mtime_ns >= since and (linked or found.st_nlink == 1):
                    total += found.st_blocks * 512
    return total
