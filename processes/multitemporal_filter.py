"""The process `multitemporal-filter`: less speckle by a series of images."""

from __future__ import annotations

from kernels.chains.multitemporal_filter import CHAIN
from processes.chain_process import ChainProcess


class MultitemporalFilter(ChainProcess):
    """Every acquisition of a series, filtered with the help of the others."""

    chain = CHAIN
