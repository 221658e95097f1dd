"""The process `sar-deformation-grid`: where each pixel lies in the secondary image."""

from __future__ import annotations

from kernels.chains.sar_deformation_grid import CHAIN
from processes.chain_process import ChainProcess


class SarDeformationGrid(ChainProcess):
    """Tabulated geometry of a pair."""

    chain = CHAIN
