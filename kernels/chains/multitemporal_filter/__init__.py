"""Multi-temporal speckle filter of a series of images."""

from __future__ import annotations

from kernels.chains.multitemporal_filter.plan import plan_run
from kernels.chains.multitemporal_filter.request import OUTPUTS, MultitemporalFilterRequest
from kernels.chains.multitemporal_filter.run import FilteredSeries, filter_series, run
from kernels.chains.registry import Chain

CHAIN = Chain(
    name="multitemporal-filter",
    title="Multi-temporal speckle filter of a series on one grid",
    abstract=(
        "Takes the speckle out of every acquisition of one track and polarisation with the help "
        "of all the others, at full resolution (Quegan and Yu). A state is kept, so that a new "
        "acquisition is filtered without reading the earlier ones. 15 acquisitions or more are "
        "advised."
    ),
    version="1.0",
    request=MultitemporalFilterRequest,
    outputs=OUTPUTS,
    run=run,
    plan=plan_run,
)

__all__ = ["CHAIN", "FilteredSeries", "MultitemporalFilterRequest", "filter_series", "run"]
