"""The process `multislc-series`: all images of a track on one geometry, and interferograms."""

from __future__ import annotations

from kernels.chains.multislc_series import CHAIN
from processes.chain_process import ChainProcess


class MultislcSeries(ChainProcess):
    """Coregistered series of SLC images and the interferograms of a network."""

    chain = CHAIN
