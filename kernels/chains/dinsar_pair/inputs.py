"""From the request to two readable images of the same ground, or one clear error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from kernels.chains.dinsar_pair.coverage import bursts_on
from kernels.chains.dinsar_pair.passes import (
    PassOfPair,
    check_passes,
    check_sides,
    check_views,
    open_pass,
)
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.errors import PairError, RequestError
from kernels.geometry.orbit import Orbit
from kernels.insar.adjustment import Adjustment
from kernels.insar.coregistration import match_bursts
from kernels.insar.delays import RangeDelay
from kernels.insar.effects import ImageEffects, PairEffects
from kernels.insar.further_looks import effective_looks
from kernels.insar.mosaic import MISSING, Placement, SwathLayout, first_cell, lay_out
from kernels.insar.timing import PixelTiming
from kernels.model import Burst, Looks, RadarGrid, Shape, SlcProduct
from kernels.products.slc_columns import without_first_samples

_LARGEST_SCATTER = 1e-3
"""Of the velocities of a good orbit, with a margin of a hundred [m/s]: 0.01 line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwathPair:
    """One swath of both images.

    Attributes
    ----------
    reference, secondary : SlcProduct
        The images, slices joined, pixels not read yet.
    reference_orbit, secondary_orbit : Orbit
        Their orbits.
    layout : SwathLayout
        Chosen bursts of the reference with their partners.
    looks : Looks
        Of the interferogram.
    reference_names, secondary_names : tuple of str
        Of the products that the images are made of, in order of time.
    adjustments : dict of int to Adjustment
        What the images told beyond the geometry, by the index of the reference burst; bursts
        that are not named have none.
    corrections : tuple of str
        Among CORRECTIONS: of what the processor approximates, in both images alike.
    delays : tuple of (tuple of RangeDelay, tuple of RangeDelay)
        What lengthens the ranges of reference and secondary.
    warnings : tuple of str
        What was left out or is not as expected, one line each; those of the whole pair are with
        its first swath.
    """

    reference: SlcProduct
    secondary: SlcProduct
    reference_orbit: Orbit
    secondary_orbit: Orbit
    layout: SwathLayout
    looks: Looks
    reference_names: tuple[str, ...] = ()
    secondary_names: tuple[str, ...] = ()
    adjustments: dict[int, Adjustment] = field(default_factory=dict)
    corrections: tuple[str, ...] = ("bistatic",)
    delays: tuple[tuple[RangeDelay, ...], tuple[RangeDelay, ...]] = ((), ())
    warnings: tuple[str, ...] = ()

    def effects(self, placement: Placement) -> PairEffects:
        """Return what times and ranges of a pair of bursts hold beside geometry."""
        images = [
            ImageEffects(
                timing=None if burst is None else PixelTiming.of(burst, orbit, self.corrections),
                delays=delays,
            )
            for burst, orbit, delays in zip(
                (placement.burst, placement.partner),
                (self.reference_orbit, self.secondary_orbit),
                self.delays,
                strict=True,
            )
        ]
        return PairEffects(reference=images[0], secondary=images[1])

    def independent_looks(self, looks: Looks) -> float:
        """Count the independent looks of cells of so many pixels."""
        return effective_looks(
            looks,
            self.layout.grid,
            azimuth_bandwidth=self.reference.azimuth_bandwidth,
            range_bandwidth=self.reference.range_bandwidth,
        )


def open_pair(request: DinsarPairRequest, *, need_pixels: bool = True) -> tuple[SwathPair, ...]:
    """Open the products and match them swath by swath.

    Parameters
    ----------
    request : DinsarPairRequest
        Names the products and what to take of them.
    need_pixels : bool
        Whether pixels are read later; if not, the measurement files may be missing.

    Returns
    -------
    tuple of SwathPair
        From near to far range. Swaths that the region does not touch are not opened; those in
        which no bursts match are left out.

    Raises
    ------
    InputError
        A product that cannot be used, or two that do not make a pair.
    RequestError
        A swath, burst, polarisation or region that the products do not have.
    """
    reference = open_pass("reference", request.reference, orbits=request.orbits)
    secondary = open_pass("secondary", request.secondary, orbits=request.orbits)
    check_passes(reference, secondary)
    swaths, notes = _swaths(request, reference, secondary)
    chosen = {}
    for swath in swaths:
        is_chosen = request.box is None
        image = reference.image(swath, request.polarisation, need_pixels=need_pixels and is_chosen)
        if bursts := choose_bursts(request, image):
            chosen[swath] = image, bursts
    if not chosen:
        raise RequestError("region", f"on the ground of {reference.text}", request.region)
    pairs: list[SwathPair] = []
    for swath, (image, bursts) in chosen.items():
        if need_pixels and image.pixels is None:
            image = reference.image(swath, request.polarisation)  # noqa: PLW2901
        partner = secondary.image(swath, request.polarisation, need_pixels=need_pixels)
        check_sides(image, partner)
        matches = match_bursts(bursts, image_orbit(image), partner.bursts, image_orbit(partner))
        if matches:
            check_views(image, image_orbit(image), partner, image_orbit(partner))
            cells = pairs[0].layout.grid if pairs else None
            looks = cell_looks(request, reference.sensor.looks_of(image.mode))
            # a frame that overlaps partly is cut to what both have
            span = matches[0][0], matches[-1][0]
            pairs.append(lay_out_pair(image, partner, matches, span=span, looks=looks, cells=cells))
        else:
            notes.append(f"{swath} was left out: the images have no common bursts in it")
    if not pairs:
        raise PairError(
            "reference and secondary do not overlap: no burst of the one lies on a burst of the "
            "other"
        )
    return tuple(
        replace(
            pair,
            reference_names=reference.names,
            secondary_names=secondary.names,
            warnings=(*((*notes, *rough_orbits(pair)) if number == 0 else ()), *_holes(pair)),
        )
        for number, pair in enumerate(pairs)
    )


def _swaths(
    request: DinsarPairRequest, reference: PassOfPair, secondary: PassOfPair
) -> tuple[list[str], list[str]]:
    """Swaths that both images have or the request names, and notes about the others."""
    notes = [*reference.notes, *secondary.notes]
    swaths = []
    passes = (reference, secondary)
    wanted = sorted({swath.upper() for swath in request.swaths})
    for swath in wanted or reference.swaths(request.polarisation):
        lacking = [one for one in passes if swath not in one.swaths(request.polarisation)]
        if not lacking:
            swaths.append(swath)
        elif request.swaths:
            there = ", ".join(lacking[0].swaths(request.polarisation))
            raise RequestError("swaths", f"of {lacking[0].text}, which has {there}", swath)
        else:
            notes.append(f"{swath} was left out: {lacking[0].text} does not have it")
    if not swaths:
        there = " and ".join(", ".join(one.swaths(request.polarisation)) for one in passes)
        raise PairError(
            f"{reference.text} and {secondary.text} have no common swath or beam, got {there}"
        )
    return swaths, notes


def cell_looks(request: DinsarPairRequest, default: Looks) -> Looks:
    """Return the looks that a request asks for, or else those of the sensor's mode."""
    return Looks(
        azimuth=request.azimuth_looks or default.azimuth,
        range=request.range_looks or default.range,
    )


def lay_out_pair(
    reference: SlcProduct,
    secondary: SlcProduct,
    matches: tuple[tuple[Burst, Burst], ...],
    *,
    span: tuple[Burst, Burst],
    looks: Looks,
    cells: RadarGrid | None,
) -> SwathPair:
    """Put bursts and their partners on look cells.

    Parameters
    ----------
    reference, secondary : SlcProduct
        A swath of both images.
    matches : tuple of (Burst, Burst)
        Bursts of both on the same ground.
    span : tuple of (Burst, Burst)
        First and last burst of the reference; those between that are not matched have no partner.
    looks : Looks
        Pixels of a cell.
    cells : RadarGrid or None
        Of another swath, which the cells continue.

    Returns
    -------
    SwathPair
        Without adjustments.
    """
    first, last = span
    skipped = first_cell(first.grid, cells, looks) if cells else Shape(0, 0)
    image = without_first_samples(reference, skipped.samples)
    return SwathPair(
        reference=image,
        secondary=secondary,
        reference_orbit=image_orbit(reference),
        secondary_orbit=image_orbit(secondary),
        layout=lay_out(
            image.bursts[first.index : last.index + 1],
            {burst.index: partner for burst, partner in matches},
            azimuth_looks=looks.azimuth,
            first_line=skipped.lines,
        ),
        looks=looks,
    )


def rough_orbits(pair: SwathPair) -> Iterator[str]:
    """Tell of orbits whose velocities scatter, which moves lines: some precise orbits are such."""
    for image, orbit in (
        (pair.reference, pair.reference_orbit),
        (pair.secondary, pair.secondary_orbit),
    ):
        if orbit.velocity_scatter <= _LARGEST_SCATTER:
            continue
        grid = image.bursts[0].grid
        time = orbit.velocity_scatter * grid.first_slant_range / orbit.speed(orbit.centre) ** 2
        yield (
            f"{image.name}: velocities of its orbit scatter by "
            f"{1e3 * orbit.velocity_scatter:.1f} mm/s, lines may be wrong by "
            f"{time / grid.line_interval:.2f}"
        )


def _holes(pair: SwathPair) -> Iterator[str]:
    """Tell of lines that stay without data."""
    swath, placements = pair.reference.swath, pair.layout.placements
    for before, placement in pairwise(placements):
        if placement.burst.index == MISSING:
            yield (
                f"{swath}: a burst is missing in the reference after its burst "
                f"{before.burst.index + 1}, its ground has no data"
            )
        elif placement.partner is None:
            yield (
                f"{swath}: burst {placement.burst.index + 1} of the reference has no partner in "
                "the secondary, its ground has no data"
            )


def choose_bursts(request: DinsarPairRequest, product: SlcProduct) -> tuple[Burst, ...]:
    """Bursts that the request wants; none where the region is elsewhere; raises RequestError."""
    count = len(product.bursts)
    first, last = request.first_burst or 1, request.last_burst or count
    for name, number in (("first_burst", first), ("last_burst", last)):
        if number > count:
            raise RequestError(
                name, f"at most {count}, the bursts of {product.swath} in {product.name}", number
            )
    bursts = product.bursts[first - 1 : last]
    if request.box is None:
        return bursts
    return bursts_on(product, bursts, image_orbit(product), request.box)


def image_orbit(product: SlcProduct) -> Orbit:
    """Fit the orbit of an image over all its lines."""
    first, last = product.bursts[0].grid, product.bursts[-1].grid
    return Orbit.fit(
        product.state_vectors,
        start=first.first_line_time,
        stop=last.first_line_time + last.shape.lines * last.line_interval,
    )
