"""The process `dinsar-pair`: differential interferogram of two images."""

from __future__ import annotations

from kernels.chains.dinsar_pair import CHAIN
from processes.chain_process import ChainProcess


class DinsarPair(ChainProcess):
    """Interferogram of two Sentinel-1 SLC products, in radar geometry and on a map."""

    chain = CHAIN
