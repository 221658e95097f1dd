"""Ortho tiles of all passes over some tiles in some days, and their filtered versions."""

from __future__ import annotations

from kernels.chains.registry import Chain
from kernels.chains.tiling_series.needs import plan_run
from kernels.chains.tiling_series.plan import products_of
from kernels.chains.tiling_series.request import OUTPUTS, TilingSeriesRequest
from kernels.chains.tiling_series.run import run

CHAIN = Chain(
    name="s1-tiling-series",
    title="Time series of Sentinel-1 ortho tiles, filtered",
    abstract=(
        "Takes every GRD acquisition over some Sentinel-2 tiles between two days, makes calibrated "
        "ortho tiles of them, and takes the speckle out of each series of one tile, relative orbit "
        "and polarisation with the multi-temporal filter. A run on the folder of an earlier one "
        "adds what is missing. 15 acquisitions or more are advised."
    ),
    version="1.0",
    request=TilingSeriesRequest,
    outputs=OUTPUTS,
    run=run,
    products=products_of,
    plan=plan_run,
)

__all__ = ["CHAIN", "TilingSeriesRequest", "run"]
