"""Coregistered series of SLC images, its interferograms and the products of the stack."""

from __future__ import annotations

from kernels.chains.multislc_series.plan import plan_run
from kernels.chains.multislc_series.request import OUTPUTS, VERSION, MultislcSeriesRequest
from kernels.chains.multislc_series.run import run
from kernels.chains.multislc_series.selection import products_of
from kernels.chains.registry import Chain

__all__ = ["CHAIN", "MultislcSeriesRequest"]

CHAIN = Chain(
    name="multislc-series",
    title="Coregistered series of SLC images and their interferograms",
    abstract=(
        "All images of a track in some days, resampled once onto one of them with azimuth shifts "
        "of a network of dates; interferograms of the reference with all dates, of consecutive "
        "dates, of a small baseline network or of a list, on a map; mean amplitude, dispersion, "
        "coherence matrices and baselines; unwrapped interferograms as MintPy reads them. New "
        "dates are added to what an earlier run left."
    ),
    version=VERSION,
    request=MultislcSeriesRequest,
    outputs=OUTPUTS,
    run=run,
    products=products_of,
    plan=plan_run,
)
