"""Which requests must give equal results: same process, same values, unchanged input files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from kernels.chains.identity import file_states
from kernels.chains.request import Request
from processes.chain_process import ChainProcess
from processes.settings import STORE

_MOST_FILES = 5000
"""Of a request; more are not looked at, and such a request has no key."""


def request_key(process: ChainProcess, request: Request, outputs: Sequence[str]) -> str:
    """Make a key of a request and of the state of the files that it names.

    Parameters
    ----------
    process : ChainProcess
        The process, with its version.
    request : Request
        Checked.
    outputs : sequence of str
        Those that are wanted.

    Returns
    -------
    str
        64 hexadecimal digits, equal for equal requests while sizes and modification times of
        all files stay the same; empty where there are too many files to look at, or where the
        result depends on more than files.
    """
    if not process.is_repeatable:
        return ""
    digest = hashlib.sha256()
    parts = [process.identifier, process.version, request.to_values(), sorted(outputs)]
    digest.update(json.dumps(parts, sort_keys=True).encode())
    count = 0
    for path in _paths(request):
        for name, size, changed in file_states(path):
            count += 1
            if count > _MOST_FILES:
                return ""
            digest.update(f"{name}\0{size}\0{changed}\n".encode())
    return digest.hexdigest()


def _paths(request: Request) -> Iterator[Path]:
    for info in request.describe():
        value = getattr(request, info.name)
        if info.kind is Path and info.role != STORE and value is not None:
            yield from value if isinstance(value, tuple) else (value,)
