"""The images of a series: the reference as all pairs have it, and each date laid on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.corrections import correct_pairs
from kernels.chains.dinsar_pair.inputs import (
    SwathPair,
    cell_looks,
    choose_bursts,
    image_orbit,
    lay_out_pair,
)
from kernels.chains.dinsar_pair.passes import (
    PassOfPair,
    check_passes,
    check_sides,
    check_views,
    open_pass,
)
from kernels.chains.multislc_series.reference import CRITICAL_BASELINE, choose_reference
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.stack import SeriesDate
from kernels.errors import InputError, PairError, RequestError
from kernels.geometry.baseline import baseline
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.insar.coregistration import match_bursts
from kernels.insar.mosaic import MISSING, Placement
from kernels.model import Burst, SlcProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The reference of a series.

    Attributes
    ----------
    request : MultislcSeriesRequest
        As run.
    pass_ : PassOfPair
        Its products.
    paths : tuple of Path
        Of the same.
    swaths : tuple of SwathPair
        The reference paired with itself, from near to far range.
    """

    request: MultislcSeriesRequest
    pass_: PassOfPair
    paths: tuple[Path, ...]
    swaths: tuple[SwathPair, ...]


def open_frame(
    request: MultislcSeriesRequest, paths: tuple[Path, ...], *, need_pixels: bool = True
) -> Frame:
    """Open the reference.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Says what to take of it.
    paths : tuple of Path
        Its products.
    need_pixels : bool
        Whether pixels are read later; if not, the measurement files may be missing.

    Returns
    -------
    Frame
        All wanted bursts, on look cells.

    Raises
    ------
    InputError
        A product that cannot be used.
    RequestError
        A swath, burst, polarisation or region that it does not have.
    """
    found = open_pass("reference", paths, orbits=request.orbits)
    of_pair = request.pair(paths, paths)
    there = found.swaths(request.polarisation)
    swaths: list[SwathPair] = []
    for swath in sorted({name.upper() for name in request.swaths}) or there:
        if swath not in there:
            raise RequestError("swaths", f"of {found.text}, which has {', '.join(there)}", swath)
        image = found.image(swath, request.polarisation, need_pixels=need_pixels)
        bursts = choose_bursts(of_pair, image)
        if bursts:
            pair = lay_out_pair(
                image,
                image,
                (),
                span=(bursts[0], bursts[-1]),
                looks=cell_looks(of_pair, found.sensor.looks_of(image.mode)),
                cells=swaths[0].layout.grid if swaths else None,
            )
            swaths.append(_with_itself(pair, found.names))
    if not swaths:
        raise RequestError("region", f"on the ground of {found.text}", request.region)
    return Frame(request=request, pass_=found, paths=paths, swaths=tuple(swaths))


def _with_itself(pair: SwathPair, names: tuple[str, ...]) -> SwathPair:
    placements = tuple(
        replace(one, partner=None if one.burst.index == MISSING else one.burst)
        for one in pair.layout.placements
    )
    return replace(
        pair,
        secondary=pair.reference,
        layout=replace(pair.layout, placements=placements),
        reference_names=names,
        secondary_names=names,
    )


def open_date(frame: Frame, paths: tuple[Path, ...]) -> tuple[SwathPair, ...]:
    """Open another pass and lay it on the reference.

    Parameters
    ----------
    frame : Frame
        The reference.
    paths : tuple of Path
        Products of the pass.

    Returns
    -------
    tuple of SwathPair
        On the layouts of the frame, with corrections; bursts that the pass does not have are
        without partner, and a swath that it lacks is without any.

    Raises
    ------
    InputError
        A product that cannot be used, or a pass that makes no pair with the reference.
    """
    request = frame.request
    other = open_pass("products", paths, orbits=request.orbits)
    check_passes(frame.pass_, other)
    there = other.swaths(request.polarisation)
    pairs = [
        _lay_on(pair, other, request.polarisation)
        if pair.reference.swath in there
        else _without_partners(pair, pair.reference, other.names)
        for pair in frame.swaths
    ]
    if not any(_partners(pair) for pair in pairs):
        raise PairError(f"{other.text} does not overlap {frame.pass_.text}: no common burst")
    return correct_pairs(request.pair(frame.paths, paths), tuple(pairs))


def _lay_on(pair: SwathPair, other: PassOfPair, polarisation: str) -> SwathPair:
    partner = other.image(pair.reference.swath, polarisation)
    check_sides(pair.reference, partner)
    orbit = image_orbit(partner)
    bursts = tuple(p.burst for p in pair.layout.placements if p.burst.index != MISSING)
    matches = match_bursts(bursts, pair.reference_orbit, partner.bursts, orbit)
    if not matches:
        return _without_partners(pair, partner, other.names)
    check_views(pair.reference, pair.reference_orbit, partner, orbit)
    partners = {burst.index: found for burst, found in matches}
    return _with_partners(pair, partner, other.names, partners=partners)


def _without_partners(pair: SwathPair, partner: SlcProduct, names: tuple[str, ...]) -> SwathPair:
    return _with_partners(pair, partner, names, partners={})


def _with_partners(
    pair: SwathPair,
    partner: SlcProduct,
    names: tuple[str, ...],
    *,
    partners: dict[int, Burst],
) -> SwathPair:
    placements = tuple(
        replace(one, partner=partners.get(one.burst.index)) for one in pair.layout.placements
    )
    lost = [
        f"{pair.reference.swath} burst {one.burst.index + 1}"
        for one in placements
        if one.partner is None and one.burst.index != MISSING
    ]
    return replace(
        pair,
        secondary=partner,
        secondary_orbit=image_orbit(partner),
        layout=replace(pair.layout, placements=placements),
        secondary_names=names,
        warnings=(f"no partner for {', '.join(lost)}",) if lost else (),
    )


def first_seen(pairs: Sequence[SwathPair]) -> SwathPair:
    """Return the first swath that a date has a burst of: the others hold nothing of its own."""
    return next(pair for pair in pairs if _partners(pair))


def _partners(pair: SwathPair) -> list[Placement]:
    return [one for one in pair.layout.placements if one.partner is not None]


def best_reference(request: MultislcSeriesRequest, dates: Sequence[SeriesDate]) -> int:
    """Choose the date whose baselines to the others are smallest in time and space.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Says what is taken of the products.
    dates : sequence of SeriesDate
        Two or more.

    Returns
    -------
    int
        Number of the date; never one that cannot be opened, unless none can.
    """
    lengths = orbit_baselines(request, dates)
    usable = [number for number, length in enumerate(lengths) if length is not None]
    if len(usable) < 2:
        return usable[0] if usable else 0
    # an orbit that does not come by is no candidate
    far = [
        2.0 * CRITICAL_BASELINE if math.isnan(one) else one for one in lengths if one is not None
    ]
    return usable[choose_reference([dates[number].day for number in usable], far)]


def orbit_baselines(
    request: MultislcSeriesRequest, dates: Sequence[SeriesDate]
) -> list[float | None]:
    """Tell the perpendicular baselines of dates from their orbits.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Says what is taken of the products.
    dates : sequence of SeriesDate
        In order of time.

    Returns
    -------
    list of float or None
        Against the first date that can be opened, in the middle of its first swath [m]; NaN where
        the orbit does not come by, None of dates that cannot be opened.
    """
    found: list[float | None] = []
    first: _Middle | None = None
    for date in dates:
        product = _annotation_of(request, date)
        if product is None:
            found.append(None)
            continue
        orbit = image_orbit(product)
        first = first or _middle_of(product, orbit)
        length = baseline(first.orbit, orbit, first.point, wavelength=first.wavelength)
        found.append(float(length.perpendicular[0]))
    return found


class _Middle(NamedTuple):
    orbit: Orbit
    point: NDArray[np.float64]
    """At sea level, Earth fixed [m]."""
    wavelength: float


def _middle_of(product: SlcProduct, orbit: Orbit) -> _Middle:
    grid = product.grid
    slant_range = np.array([grid.slant_range(0.5 * (grid.shape.samples - 1))])
    time = grid.zero_doppler_time(np.array([0.5 * (grid.shape.lines - 1)]), slant_range)
    point = radar_to_ground(orbit, time, slant_range, np.zeros(1), side=grid.look_side)
    return _Middle(orbit, point, grid.wavelength)


def _annotation_of(request: MultislcSeriesRequest, date: SeriesDate) -> SlcProduct | None:
    """Metadata of the first swath of a date; None where they cannot be read."""
    try:
        found = open_pass("products", date.paths, orbits=request.orbits)
        wanted = sorted(name.upper() for name in request.swaths)
        swath = (wanted or found.swaths(request.polarisation))[0]
        return found.image(swath, request.polarisation, need_pixels=False)
    except (InputError, RequestError):
        return None
