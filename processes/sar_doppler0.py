"""The process `sar-doppler0`: azimuth Doppler centroid of an image."""

from __future__ import annotations

from kernels.chains.sar_doppler0 import CHAIN
from processes.chain_process import ChainProcess


class SarDoppler0(ChainProcess):
    """Doppler centroid from the correlation of lines."""

    chain = CHAIN
