"""CPU time of the inner passes over one burst, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.engine.bands import Band
from kernels.errors import InputError
from kernels.insar.burst_pair import BurstPair
from kernels.insar.resample import Bands

_LINES = 128
_ROUNDS = 3


def measure_passes(request: DinsarPairRequest) -> dict[str, float]:
    """Measure the passes on lines in the middle of one burst.

    Parameters
    ----------
    request : DinsarPairRequest
        Of one swath and one burst, whose geometry is that of the whole frame.

    Returns
    -------
    dict of str to float
        CPU nanoseconds per reference pixel, the halo of a band included, smallest of three:
        reading both images, geometry with ramp and flattening, deramping with the range pass,
        and the azimuth pass with the sums.
    """
    (pair,) = open_pair(request)
    dem = load_pair_dem(request, (pair,))
    placement = pair.layout.placements[0]
    if placement.partner is None or pair.reference.pixels is None or pair.secondary.pixels is None:
        raise InputError("the burst to measure must have a partner and pixels")
    burst_pair = BurstPair.of(
        reference=placement.burst,
        reference_orbit=pair.reference_orbit,
        secondary=placement.partner,
        secondary_orbit=pair.secondary_orbit,
        dem=dem,
        taps=request.kernel,
        bands=Bands.of(pair.secondary),
    )
    lines = Band(placement.burst.grid.shape.lines // 2, _LINES)
    needed = burst_pair.secondary_lines(lines)
    first, second = pair.reference.pixels, pair.secondary.pixels
    reference = first.read(placement.burst.first_line + lines.first, lines.rows)
    secondary = second.read(placement.partner.first_line + needed.first, needed.rows)
    geometry = burst_pair._geometry(lines, needed)

    def read() -> None:
        first.read(placement.burst.first_line + lines.first, lines.rows)
        second.read(burst_pair.secondary.first_line + needed.first, needed.rows)

    taken = {
        "read": _nanoseconds(read),
        "geometry": _nanoseconds(lambda: burst_pair._geometry(lines, needed)),
        "range": _nanoseconds(
            lambda: burst_pair._on_reference_columns(geometry, needed, secondary)
        ),
        "all": _nanoseconds(lambda: burst_pair.compute(lines, reference, secondary, pair.looks)),
    }
    taken["azimuth_and_sums"] = max(taken.pop("all") - taken["geometry"] - taken["range"], 0.0)
    return {name: value / reference.size for name, value in taken.items()}


def _nanoseconds(function: Callable[[], object]) -> float:
    """Smallest CPU time of some calls after a first one [ns]."""
    function()
    times = []
    for _ in range(_ROUNDS):
        begin = time.thread_time_ns()
        function()
        times.append(time.thread_time_ns() - begin)
    return float(min(times))
