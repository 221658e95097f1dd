"""The process `sar-dem-projection`: where the nodes of an elevation model lie in an image."""

from __future__ import annotations

from kernels.chains.sar_dem_projection import CHAIN
from processes.chain_process import ChainProcess


class SarDemProjection(ChainProcess):
    """Lines, samples and heights of the nodes of an elevation model."""

    chain = CHAIN
