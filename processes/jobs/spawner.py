"""A small process that has imported everything, and forks the leader of each attempt.

It has one thread and knows no store, so that forking it is safe and quick. It ends when the worker
that started it does; the attempts stay. The ``forkserver`` of multiprocessing would leave a folder
behind when the worker is killed, and waits for its children, or ends them, when the worker ends.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kernels.errors import ProcessingError
from processes.jobs.files import Lock
from processes.jobs.folders import AttemptFolder
from processes.settings import CHECKOUT, SECRETS

LOGGER = logging.getLogger(__name__)
MOST_FAILURES = 3
"""So often a spawner may end before it forked anything."""


class Spawner:
    """The worker's end of the spawner."""

    def __init__(self) -> None:
        self.failures = 0
        self._open()

    def _open(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "processes.jobs.spawner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            env={name: value for name, value in os.environ.items() if name not in SECRETS},
            start_new_session=True,  # Ctrl-C is for the worker
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._replies = self._process.stdin, self._process.stdout
        os.set_blocking(self._replies.fileno(), False)
        self._read = b""
        self._awaited: set[str] = set()

    def start(self, folder: AttemptFolder) -> None:
        """Order the start of an attempt, which does not wait for it.

        Parameters
        ----------
        folder : AttemptFolder
            Exists; the folder of its job holds the request.
        """
        self._awaited.add(str(folder.path))
        self._order(str(folder.path))

    def awaits(self, folder: AttemptFolder) -> bool:
        """Tell whether an attempt that was ordered has not begun yet.

        Parameters
        ----------
        folder : AttemptFolder
            Of the attempt.

        Returns
        -------
        bool
            False also where it has ended.

        Raises
        ------
        ProcessingError
            No process can be started on this machine.
        """
        if str(folder.path) in self._awaited:
            self._take_replies()
        return str(folder.path) in self._awaited

    def close(self) -> None:
        """End the spawner; its attempts go on."""
        with suppress(BrokenPipeError):
            self._orders.close()
        self._replies.close()
        self._process.kill()
        self._process.wait()

    def _order(self, path: str) -> None:
        with suppress(BrokenPipeError):  # seen as the end of its replies
            self._orders.write(json.dumps(path).encode() + b"\n")
            self._orders.flush()

    def _take_replies(self) -> None:
        while (found := self._replies.read()) is not None:
            if not found:
                self._open_again()
                return
            *lines, self._read = (self._read + found).split(b"\n")
            for line in lines:
                self._awaited.discard(json.loads(line))
                self.failures = 0

    def _open_again(self) -> None:
        awaited = self._awaited
        self.close()
        self.failures += 1
        if self.failures >= MOST_FAILURES:
            raise ProcessingError("this server cannot start processes, see the log of its worker")
        LOGGER.warning("the spawner ended and is started again")
        self._open()
        self._awaited = awaited
        for path in awaited:
            self._order(path)


def main() -> None:
    """Fork an attempt for each line of standard input, and repeat the line once it has begun."""
    from processes.jobs.payload import lead, preload  # noqa: PLC0415 - the worker stays small

    # what a library prints must not look like a reply
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    os.register_at_fork(after_in_child=replies.close)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the leaders
    preload()
    for line in sys.stdin.buffer:
        folder = AttemptFolder(Path(json.loads(line)))
        with suppress(FileNotFoundError):  # given up before it began
            _fork(folder, lead)
        try:
            replies.write(line)
        except BrokenPipeError:  # the worker is gone; another one finds the attempt
            return


def _fork(folder: AttemptFolder, lead: Callable[[AttemptFolder, Lock], None]) -> None:
    lock = Lock.take(folder.lock_file)
    if lock is None:  # begun by an earlier spawner, or closed this moment
        return
    if folder.read_end() is None and os.fork() == 0:
        try:
            lead(folder, lock)
        except Exception:  # the edge of this process: it must not go on as a second spawner
            LOGGER.exception("the attempt could not begin")
        finally:
            os._exit(1)
    lock.release()


if __name__ == "__main__":
    main()
