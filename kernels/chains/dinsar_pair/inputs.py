"""From the request to two readable images of the same ground, or one clear error."""

from __future__ import annotations

from dataclasses import dataclass, field

from kernels.chains.dinsar_pair.request import IW_LOOKS, STRIPMAP_LOOKS, DinsarPairRequest
from kernels.errors import PairError, RequestError
from kernels.geometry.orbit import Orbit
from kernels.insar.adjustment import Adjustment
from kernels.insar.coregistration import match_bursts
from kernels.insar.mosaic import SwathLayout, lay_out
from kernels.model import Burst, Looks, SlcProduct
from kernels.products.sentinel1 import Sentinel1Product, open_sentinel1


@dataclass(frozen=True, slots=True, kw_only=True)
class SwathPair:
    """One swath of both images.

    Attributes
    ----------
    reference, secondary : SlcProduct
        The images, pixels not read yet.
    reference_orbit, secondary_orbit : Orbit
        Their orbits.
    layout : SwathLayout
        Chosen bursts of the reference with their partners.
    looks : Looks
        Of the interferogram.
    adjustments : dict of int to Adjustment
        What the images told beyond the geometry, by the index of the reference burst; bursts
        that are not named have none.
    """

    reference: SlcProduct
    secondary: SlcProduct
    reference_orbit: Orbit
    secondary_orbit: Orbit
    layout: SwathLayout
    looks: Looks
    adjustments: dict[int, Adjustment] = field(default_factory=dict)


def open_pair(request: DinsarPairRequest) -> tuple[SwathPair, ...]:
    """Open both products and match them swath by swath.

    Parameters
    ----------
    request : DinsarPairRequest
        Names the products and what to take of them.

    Returns
    -------
    tuple of SwathPair
        In the order of the swaths.

    Raises
    ------
    InputError
        A product that cannot be used, or two that do not make a pair.
    RequestError
        A swath or burst that the reference does not have.
    """
    reference = open_sentinel1(request.reference, orbits=request.orbits)
    secondary = open_sentinel1(request.secondary, orbits=request.orbits)
    if reference.name == secondary.name:
        raise PairError(
            f"secondary must be another product than the reference, got {secondary.name} twice"
        )
    available = {image.swath for image in reference.images}
    swaths = sorted(request.swaths or available)
    for swath in swaths:
        if swath not in available:
            raise RequestError(
                "swaths", f"of {reference.name}, which has {', '.join(sorted(available))}", swath
            )
    return tuple(_open_swath(request, reference, secondary, swath) for swath in swaths)


def _open_swath(
    request: DinsarPairRequest,
    reference: Sentinel1Product,
    secondary: Sentinel1Product,
    swath: str,
) -> SwathPair:
    first = reference.slc(swath, request.polarisation)
    second = secondary.slc(swath, request.polarisation)
    if first.relative_orbit != second.relative_orbit or first.ascending != second.ascending:
        raise PairError(
            f"secondary must be of the same track as the reference, got relative orbit "
            f"{second.relative_orbit} {_direction(second)} and "
            f"{first.relative_orbit} {_direction(first)}"
        )
    bursts = _choose_bursts(request, first)
    first_orbit, second_orbit = _orbit(first), _orbit(second)
    pairs = match_bursts(bursts, first_orbit, second.bursts, second_orbit)
    # partners at the ends only: a frame that overlaps partly is cut to what both have
    kept = [burst for burst, _ in pairs]
    inside = tuple(b for b in bursts if kept[0].index <= b.index <= kept[-1].index)
    default = IW_LOOKS if first.mode != "SM" else STRIPMAP_LOOKS
    looks = Looks(
        azimuth=request.azimuth_looks or default.azimuth,
        range=request.range_looks or default.range,
    )
    partners = {burst.index: partner for burst, partner in pairs}
    return SwathPair(
        reference=first,
        secondary=second,
        reference_orbit=first_orbit,
        secondary_orbit=second_orbit,
        layout=lay_out(inside, partners, azimuth_looks=looks.azimuth),
        looks=looks,
    )


def _direction(product: SlcProduct) -> str:
    return "ascending" if product.ascending else "descending"


def _choose_bursts(request: DinsarPairRequest, product: SlcProduct) -> tuple[Burst, ...]:
    count = len(product.bursts)
    first, last = request.first_burst or 1, request.last_burst or count
    for name, number in (("first_burst", first), ("last_burst", last)):
        if number > count:
            raise RequestError(
                name, f"at most {count}, the bursts of {product.swath} in {product.name}", number
            )
    return product.bursts[first - 1 : last]


def _orbit(product: SlcProduct) -> Orbit:
    first, last = product.bursts[0].grid, product.bursts[-1].grid
    return Orbit.fit(
        product.state_vectors,
        start=first.first_line_time,
        stop=last.first_line_time + last.shape.lines * last.line_interval,
    )
