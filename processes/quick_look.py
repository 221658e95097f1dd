"""The process `quick-look`: multilooked view of an image."""

from __future__ import annotations

from kernels.chains.quick_look import CHAIN
from processes.chain_process import ChainProcess


class QuickLook(ChainProcess):
    """Picture and raster of an image in look cells."""

    chain = CHAIN
