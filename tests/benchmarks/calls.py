"""Calls of known cost, in a module that another process can import."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from kernels.errors import ProcessingError

MEGABYTE = 1_000_000


def hold(megabytes: int) -> int:
    """Fill so much memory."""
    return len(b"\1" * (megabytes * MEGABYTE))


def hold_with_a_child(megabytes: int) -> None:
    """Fill so much memory here and as much again in a child, for a while at the same time."""
    block = b"\1" * (megabytes * MEGABYTE)
    program = f"import time; block = b'1' * {megabytes * MEGABYTE}; time.sleep(0.3)"
    subprocess.run([sys.executable, "-c", program], check=True)
    del block


def burn(seconds: float) -> None:
    """Use so much CPU time here and as much again in a child."""
    program = f"import time\nwhile time.process_time() < {seconds}: pass"
    subprocess.run([sys.executable, "-c", program], check=True)
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        pass


def wait_with_a_child(note: Path) -> None:
    """Note the number of a child in a file, and wait for a minute."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    note.write_text(str(child.pid))
    child.wait()


def kernel_cache(note: Path) -> str:
    """Say where compiled kernels go, and note each call in a file."""
    with note.open("a") as stream:
        stream.write(os.environ["NUMBA_CACHE_DIR"] + "\n")
    return os.environ["NUMBA_CACHE_DIR"]


def fail() -> None:
    """Raise one of the project's errors."""
    raise ProcessingError("no result is possible")


def die() -> None:
    """End as a process does that the system kills."""
    os.kill(os.getpid(), 9)


def chatter() -> str:
    """Print where only the result may stand."""
    print("chatter")
    return "result"
