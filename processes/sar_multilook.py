"""The process `sar-multilook`: multilooked amplitude of an image."""

from __future__ import annotations

from kernels.chains.sar_multilook import CHAIN
from processes.chain_process import ChainProcess


class SarMultilook(ChainProcess):
    """Multilooked amplitude of a product or of a complex raster."""

    chain = CHAIN
