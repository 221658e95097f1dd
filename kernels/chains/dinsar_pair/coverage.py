"""Which bursts lie on a region, before any elevation is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.chains.regions import common_box
from kernels.geometry.burst_lines import valid_lines
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.polygons import clip_to_box, ring_area
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Burst, GeographicBox, SlcProduct

_BELOW, _ABOVE = 1000.0, 4000.0
"""How far the ground may be below the lowest and above the highest tie point [m]."""
_EDGE_POINTS = 9


def bursts_on(
    image: SlcProduct, bursts: tuple[Burst, ...], orbit: Orbit, region: GeographicBox
) -> tuple[Burst, ...]:
    """Find the bursts that touch a region at any height that its ground may have.

    Parameters
    ----------
    image : SlcProduct
        Whose tie points tell about heights.
    bursts : tuple of Burst
        Of the image.
    orbit : Orbit
        Of the image.
    region : GeographicBox
        [degrees].

    Returns
    -------
    tuple of Burst
        In the same order, without gaps: what lies between two of them is one of them.
    """
    heights = image.geolocation.heights
    lowest, highest = float(heights.min()) - _BELOW, float(heights.max()) + _ABOVE
    touched = [
        number
        for number, burst in enumerate(bursts)
        if touches(_footprint(burst, orbit, lowest, highest), region)
    ]
    return bursts[touched[0] : touched[-1] + 1] if touched else ()


def _footprint(burst: Burst, orbit: Orbit, lowest: float, highest: float) -> NDArray[np.float64]:
    """Ring [degrees] around the ground of a burst: a range is farther out on higher ground."""
    known = burst.first_valid_sample >= 0
    first, last = valid_lines(burst)
    near = float(burst.first_valid_sample[known].min()) if known.any() else 0.0
    far = float(burst.last_valid_sample.max())
    along, across = np.linspace(first, last, _EDGE_POINTS), np.linspace(near, far, _EDGE_POINTS)
    slope = np.linspace(lowest, highest, _EDGE_POINTS)
    edges = (
        (np.full(_EDGE_POINTS, first), across, slope),
        (along, np.full(_EDGE_POINTS, far), np.full(_EDGE_POINTS, highest)),
        (np.full(_EDGE_POINTS, last), across[::-1], slope[::-1]),
        (along[::-1], np.full(_EDGE_POINTS, near), np.full(_EDGE_POINTS, lowest)),
    )
    lines, samples, heights = (np.concatenate(values) for values in zip(*edges, strict=True))
    ranges = burst.grid.slant_range(samples)
    times = burst.grid.zero_doppler_time(lines.astype(np.float64), ranges)
    points = radar_to_ground(orbit, times, ranges, heights, side=burst.grid.look_side)
    longitudes, latitudes, _ = ecef_to_geodetic(points)
    degrees = np.degrees(np.unwrap(longitudes))
    return np.stack([degrees, np.degrees(latitudes)], axis=-1)


def touches(ring: NDArray[np.float64], region: GeographicBox) -> bool:
    """Tell whether a ring has ground in common with a region.

    Parameters
    ----------
    ring : ndarray of float64, shape (n, 2)
        Longitudes, continuous over the antimeridian, and latitudes [degrees].
    region : GeographicBox
        [degrees].

    Returns
    -------
    bool
        False where they have no area in common.
    """
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    common = common_box(GeographicBox(west, south, east, north), region)
    return common is not None and ring_area(clip_to_box(ring, **common._asdict())) > 0.0
