"""The process `s1-tiling-series`: all passes over some tiles in some days, filtered."""

from __future__ import annotations

from kernels.chains.tiling_series import CHAIN
from processes.chain_process import ChainProcess


class TilingSeries(ChainProcess):
    """Time series of ortho tiles and their filtered versions."""

    chain = CHAIN
