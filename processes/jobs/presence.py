"""Which workers live, and which jobs nobody looks after any more.

Every worker holds a kernel lock on a file of its name, which ends with the worker however that
ends. So a worker of this machine that was killed is known at once, and its claims need not wait for
the end of their leases. Of workers elsewhere only the lease speaks.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from pathlib import Path

from processes.jobs.family import since_boot
from processes.jobs.files import Lock
from processes.jobs.store import JobStore

SECOND_LOOK = 5.0
"""So long a lease must have been over [s]: after a jump of the clock, whoever lives renews it."""


class Presence:
    """A worker among the others of its machine.

    Parameters
    ----------
    folder : Path
        Of the locks; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            self.is_gone(file.name)  # takes away what is left of it
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
        while (lock := Lock.take(folder / self.name)) is None:
            time.sleep(0.01)  # another worker that starts looks whether this one is gone
        self._lock = lock

    def is_gone(self, name: str) -> bool:
        """Tell whether a worker of this machine has ended.

        Parameters
        ----------
        name : str
            Of the worker.

        Returns
        -------
        bool
            False also for one elsewhere, of which nothing is known.
        """
        if name.rsplit("-", 2)[0] != socket.gethostname():
            return False
        file = self._folder / name
        if not file.exists():
            return True
        lock = Lock.take(file)
        if lock is None:
            return False
        file.unlink(missing_ok=True)
        lock.release()
        return True

    def close(self) -> None:
        """Be gone."""
        (self._folder / self.name).unlink(missing_ok=True)
        self._lock.release()


class Lookout:
    """Finds jobs that run for the store and have no worker.

    Parameters
    ----------
    store : JobStore
        Of the server.
    presence : Presence
        Knows the workers of this machine.
    lease : float
        How long a claim lasts without a sign of life [s].
    """

    def __init__(self, store: JobStore, presence: Presence, lease: float) -> None:
        self._store = store
        self._presence = presence
        self._lease = lease
        self._silent_since: dict[tuple[str, int, float | None], float] = {}

    def abandoned(self) -> dict[str, int]:
        """Find the jobs whose worker is gone or silent.

        Returns
        -------
        dict
            Attempts by the identifiers of their jobs.
        """
        now = since_boot()
        over = {job.id for job in self._store.lost(now=time.time())}
        silent_since = {}
        found = {}
        for job in self._store.running():
            sign = (job.id, job.attempt, job.heartbeat)
            silent_since[sign] = first = self._silent_since.get(sign, now)
            patience = min(SECOND_LOOK, self._lease) if job.id in over else self._lease
            if now - first >= patience or self._presence.is_gone(job.worker):
                found[job.id] = job.attempt
        self._silent_since = silent_since
        return found
