"""Differential interferogram of two single-look complex images."""

from __future__ import annotations

from kernels.chains.dinsar_pair.plan import plan_run
from kernels.chains.dinsar_pair.request import OUTPUTS, VERSION, DinsarPairRequest
from kernels.chains.dinsar_pair.run import run
from kernels.chains.registry import Chain

CHAIN = Chain(
    name="dinsar-pair",
    title="Differential interferogram of two Sentinel-1 SLC products",
    abstract=(
        "Coregisters the secondary image on the reference from orbits and elevation, removes "
        "the topographic phase, and writes amplitude, phase, coherence and line-of-sight "
        "displacement in radar geometry and on a map. Positive phase means that the ground "
        "moved away from the radar; positive displacement is towards the satellite."
    ),
    version=VERSION,
    request=DinsarPairRequest,
    outputs=OUTPUTS,
    run=run,
    plan=plan_run,
)

__all__ = ["CHAIN", "DinsarPairRequest", "run"]
