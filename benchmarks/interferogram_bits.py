"""The same files from any number of threads and any budget of memory, bit for bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness import say
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_chain
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder

RUNS = ((1, 300), (2, 1000), (4, 4000))
"""Threads, and budget [MB]."""


def bits_figures(request: DinsarPairRequest) -> dict[str, Any]:
    """Run the first two bursts of a request with different resources and compare all files.

    Parameters
    ----------
    request : DinsarPairRequest
        With bursts chosen.

    Returns
    -------
    dict
        Whether all files agree, and what was compared.
    """
    assert request.first_burst is not None
    request = replace(request, last_burst=request.first_burst + 1)
    found = []
    for threads, memory_mb in RUNS:
        say(f"bits: {threads} threads, {memory_mb} MB")
        with scratch_folder(request.reference[0].parent) as scratch:
            run_chain(
                replace(request, threads=threads, memory_mb=memory_mb), scratch / "run", Progress()
            )
            found.append(_digests(scratch / "run"))
    return {
        "same_bits": all(digests == found[0] for digests in found),
        "same_bits_runs": [f"{threads} threads, {memory} MB" for threads, memory in RUNS],
        "same_bits_files": len(found[0]),
    }


def _digests(folder: Path) -> dict[str, str]:
    """Digest every file that a run left, the report without times and resources."""
    contents = {file.name: file.read_bytes() for file in folder.iterdir()}
    report = json.loads(contents["report.json"])
    del report["seconds"], report["request"]["threads"], report["request"]["memory_mb"]
    contents["report.json"] = json.dumps(report).encode()
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
