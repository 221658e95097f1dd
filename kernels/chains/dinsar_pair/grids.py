"""The grids of a pair's images after a correction of their annotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.model import Burst, RadarGrid, SlcProduct

Correction = Callable[[RadarGrid], RadarGrid]


def with_grids(
    pair: SwathPair, *, reference: Correction | None = None, secondary: Correction | None = None
) -> SwathPair:
    """Correct the grids of a swath, of its bursts and of its layout.

    Parameters
    ----------
    pair : SwathPair
        Opened swath.
    reference, secondary : callable or None
        ``grid -> grid`` of the same lines and samples, the same for all of an image's bursts;
        None: the grids stay.

    Returns
    -------
    SwathPair
        Of the same pixels.
    """
    ours, theirs = reference or _same, secondary or _same
    return replace(
        pair,
        reference=_product(pair.reference, ours),
        secondary=_product(pair.secondary, theirs),
        layout=replace(
            pair.layout,
            grid=ours(pair.layout.grid),
            placements=tuple(
                replace(
                    placement,
                    burst=_burst(placement.burst, ours),
                    partner=None
                    if placement.partner is None
                    else _burst(placement.partner, theirs),
                )
                for placement in pair.layout.placements
            ),
        ),
    )


def _same(grid: RadarGrid) -> RadarGrid:
    return grid


def _burst(burst: Burst, correct: Correction) -> Burst:
    return replace(burst, grid=correct(burst.grid))


def _product(product: SlcProduct, correct: Correction) -> SlcProduct:
    return replace(
        product,
        grid=correct(product.grid),
        bursts=tuple(_burst(burst, correct) for burst in product.bursts),
    )
