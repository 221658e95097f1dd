"""The process `sar-height-of-ambiguity`: height of ambiguity and line of sight."""

from __future__ import annotations

from kernels.chains.sar_height_of_ambiguity import CHAIN
from processes.chain_process import ChainProcess


class SarHeightOfAmbiguity(ChainProcess):
    """Height of ambiguity, incidence and line of sight at points."""

    chain = CHAIN
