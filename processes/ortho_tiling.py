"""The process `s1-ortho-tiling`: detected images on the tiles of Sentinel-2."""

from __future__ import annotations

from kernels.chains.ortho_tiling import CHAIN
from processes.chain_process import ChainProcess


class OrthoTiling(ChainProcess):
    """Calibrated ortho tiles of Sentinel-1 GRD products."""

    chain = CHAIN
