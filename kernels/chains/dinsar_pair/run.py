"""The run function of the chain `dinsar_pair`."""

from __future__ import annotations

from pathlib import Path

from kernels.chains.artefacts import ChainResult
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError


def run(request: DinsarPairRequest, folder: Path, progress: Progress) -> ChainResult:
    """Run the chain (under construction)."""
    raise ProcessingError("under construction")
