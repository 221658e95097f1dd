"""The ground's motion from a network of unwrapped interferograms."""

from __future__ import annotations

from kernels.chains.insar_timeseries.plan import plan_run
from kernels.chains.insar_timeseries.request import OUTPUTS, VERSION, InsarTimeseriesRequest
from kernels.chains.insar_timeseries.run import run
from kernels.chains.registry import Chain

CHAIN = Chain(
    name="insar-timeseries",
    title="Time series of displacement from a network of interferograms",
    abstract=(
        "Inverts a stack of unwrapped interferograms for the displacement of every date, takes "
        "out unwrapping errors, atmosphere and errors of the elevation, and fits a velocity. "
        "Reads and writes the files of MintPy; maps, a cube, points and pictures beside."
    ),
    version=VERSION,
    request=InsarTimeseriesRequest,
    outputs=OUTPUTS,
    run=run,
    plan=plan_run,
)

__all__ = ["CHAIN", "InsarTimeseriesRequest", "run"]
