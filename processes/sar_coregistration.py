"""The process `sar-coregistration`: the secondary image on the reference's grid."""

from __future__ import annotations

from kernels.chains.sar_coregistration import CHAIN
from processes.chain_process import ChainProcess


class SarCoregistration(ChainProcess):
    """Resampled secondary image of a pair."""

    chain = CHAIN
