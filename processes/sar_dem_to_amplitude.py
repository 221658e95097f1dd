"""The process `sar-dem-to-amplitude`: simulated amplitude, layover, shadow and incidence."""

from __future__ import annotations

from kernels.chains.sar_dem_to_amplitude import CHAIN
from processes.chain_process import ChainProcess


class SarDemToAmplitude(ChainProcess):
    """Amplitude simulated from elevation, with layover, shadow and incidence."""

    chain = CHAIN
