"""Calibrated, orthorectified Sentinel-1 images on the tiles of Sentinel-2."""

from __future__ import annotations

from kernels.chains.ortho_tiling.plan import plan_run
from kernels.chains.ortho_tiling.request import OUTPUTS, OrthoTilingRequest
from kernels.chains.ortho_tiling.run import run
from kernels.chains.registry import Chain

CHAIN = Chain(
    name="s1-ortho-tiling",
    title="Ortho tiles of Sentinel-1 GRD and SLC products on the Sentinel-2 grid",
    abstract=(
        "Calibrates detected images, or detects complex ones (IW, EW, StripMap) on the fly, "
        "optionally removes thermal noise, and orthorectifies them "
        "with an elevation model on the MGRS tiles of Sentinel-2, pixel on pixel. Contiguous "
        "slices of one pass fill a tile together."
    ),
    version="1.0",
    request=OrthoTilingRequest,
    outputs=OUTPUTS,
    run=run,
    plan=plan_run,
)

__all__ = ["CHAIN", "OrthoTilingRequest", "run"]
