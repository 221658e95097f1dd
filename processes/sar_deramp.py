"""The process `sar-deramp`: azimuth ramps taken out or put back."""

from __future__ import annotations

from kernels.chains.sar_deramp import CHAIN
from processes.chain_process import ChainProcess


class SarDeramp(ChainProcess):
    """Bursts without their azimuth phase ramp, or with it again."""

    chain = CHAIN
