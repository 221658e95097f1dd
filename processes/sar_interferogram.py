"""The process `sar-interferogram`: interferogram of coregistered images."""

from __future__ import annotations

from kernels.chains.sar_interferogram import CHAIN
from processes.chain_process import ChainProcess


class SarInterferogram(ChainProcess):
    """Interferogram in radar geometry, raw or compensated."""

    chain = CHAIN
