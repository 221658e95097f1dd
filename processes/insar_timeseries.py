"""The process `insar-timeseries`: the ground's motion from a network of interferograms."""

from __future__ import annotations

from kernels.chains.insar_timeseries import CHAIN
from processes.chain_process import ChainProcess


class InsarTimeseries(ChainProcess):
    """Displacement of every date, and its velocity."""

    chain = CHAIN
