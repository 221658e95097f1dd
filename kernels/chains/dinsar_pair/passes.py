"""The two passes of a pair: which products are slices of each, and that they fit together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.errors import PairError, ProductError, RequestError
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import SlcProduct
from kernels.products.annotation_head import midnight
from kernels.products.sensors import Sensor, SlcSource, sensor_of
from kernels.products.sentinel1 import Sentinel1Product
from kernels.products.slc_slices import join_slc
from kernels.products.slices import group_slices

_ONE_PASS = timedelta(minutes=20)
"""Longer than any data take, shorter than an orbit."""
_LARGEST_ANGLE = 1.0
"""Between lines of sight [degrees]: a perpendicular baseline of 10 km, beyond any critical one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOfPair:
    """The products of one pass.

    Attributes
    ----------
    sensor : Sensor
        Of all of them.
    products : tuple of SlcSource
        Contiguous slices, as their names tell, in order of time; one product of sensors that do
        not cut passes into slices.
    notes : tuple of str
        What was left out, one line each.
    """

    sensor: Sensor
    products: tuple[SlcSource, ...]
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> SlcSource:
        """The first product in time."""
        return self.products[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the products."""
        return tuple(product.name for product in self.products)

    @property
    def text(self) -> str:
        """Names of the products, for messages."""
        return " and ".join(self.names)

    def swaths(self, polarisation: str) -> tuple[str, ...]:
        """Swaths in one polarisation from near to far range; raises RequestError without any."""
        images = self.first.images
        found = {image.swath for image in images if image.polarisation == polarisation}
        if not found:
            # the co-polarised one first
            there = sorted({i.polarisation for i in images}, key=lambda p: (p[0] != p[1], p))
            rule = f"of {self.text}, which has {', '.join(there)}"
            raise RequestError("polarisation", rule, polarisation)
        return tuple(sorted(found))

    def image(self, swath: str, polarisation: str, *, need_pixels: bool = True) -> SlcProduct:
        """Read one swath, slices joined; raises ProductError where that is impossible."""
        epoch = midnight(self.first.start)
        return join_slc(
            [
                product.slc(swath, polarisation, need_pixels=need_pixels, epoch=epoch)
                for product in self.products
            ]
        )

    def tracks(self) -> frozenset[int]:
        """Track numbers of the slices; two where the pass crosses the ascending node."""
        return frozenset[int]().union(*(product.tracks() for product in self.products))


def open_pass(argument: str, paths: Sequence[Path], *, orbits: Path | None) -> PassOfPair:
    """Open the slices of one pass.

    Parameters
    ----------
    argument : str
        Of the request, for errors.
    paths : sequence of Path
        Products of one sensor, in any order.
    orbits : Path or None
        Folder of precise orbits.

    Returns
    -------
    PassOfPair
        Of each slice the newest processing.

    Raises
    ------
    InputError
        A product that cannot be used, or that is no SLC.
    RequestError
        Products that are not of one pass, or with a gap between them.
    """
    sensors = [sensor_of(path) for path in paths]
    products = [sensor.opens(path, orbits) for sensor, path in zip(sensors, paths, strict=True)]
    slices = [product for product in products if isinstance(product, Sentinel1Product)]
    if len(slices) < len(products):
        if len(products) > 1:
            names = ", ".join(product.name for product in products)
            raise RequestError(argument, f"one product of {sensors[0].name}", names)
        return PassOfPair(sensor=sensors[0], products=tuple(products))
    for product in slices:
        if product.product_type != "SLC":
            raise ProductError(f"{product.name} must be an SLC, got {product.product_type}")
    passes, notes = group_slices(slices)
    if len(passes) > 1:
        before, after = passes[0].slices[-1], passes[1].slices[0]
        apart = (after.start - before.stop).total_seconds()
        why = f"{apart:.0f} s apart" if apart > 0 else "of unlike platform, mode or polarisations"
        rule = "contiguous slices of one pass"
        raise RequestError(argument, rule, f"{before.name} and {after.name}, {why}")
    return PassOfPair(sensor=sensors[0], products=passes[0].slices, notes=notes)


def check_passes(reference: PassOfPair, secondary: PassOfPair) -> None:
    """Refuse two passes that are one, or of different sensors, modes or tracks.

    A track number changes at the ascending node, in the middle of a pass: one that both passes
    have is enough.

    Parameters
    ----------
    reference, secondary : PassOfPair
        The passes.

    Raises
    ------
    PairError
        They make no pair.
    """
    common = set(reference.names) & set(secondary.names)
    if common:
        raise PairError(
            f"secondary must be another product than the reference, got {min(common)} twice"
        )
    first, second = reference.first, secondary.first
    for what, one, other in (
        ("sensor", reference.sensor.name, secondary.sensor.name),
        ("mode", first.mode, second.mode),
    ):
        if one != other:
            raise PairError(
                f"secondary must be of the same {what} as the reference, got {other} and {one}"
            )
    if first.platform == second.platform and abs(first.start - second.start) < _ONE_PASS:
        raise PairError(
            f"secondary must be of another pass than the reference, got {second.name} and "
            f"{first.name}"
        )
    tracks, others = reference.tracks(), secondary.tracks()
    if tracks and others and not tracks & others:
        raise PairError(
            f"secondary must be of the same track as the reference, got relative orbit "
            f"{_numbers(others)} and {_numbers(tracks)}"
        )


def _numbers(tracks: frozenset[int]) -> str:
    return " to ".join(map(str, sorted(tracks)))


def check_sides(reference: SlcProduct, secondary: SlcProduct) -> None:
    """Refuse two images of other look sides or directions of flight; raises PairError."""
    for rule, one, other in (
        ("look to the same side", reference.grid.look_side.value, secondary.grid.look_side.value),
        ("fly in the same direction", *map(_direction, (reference, secondary))),
    ):
        if one != other:
            raise PairError(f"secondary must {rule} as the reference, got {other} and {one}")


def _direction(image: SlcProduct) -> str:
    return "ascending" if image.ascending else "descending"


def check_views(
    reference: SlcProduct, reference_orbit: Orbit, secondary: SlcProduct, secondary_orbit: Orbit
) -> None:
    """Refuse two images of one ground that see it from different tracks.

    Track numbers do not always tell: satellites of a constellation count their own orbits.

    Parameters
    ----------
    reference : SlcProduct
        One swath of the reference.
    reference_orbit : Orbit
        Its orbit.
    secondary : SlcProduct
        The same swath of the secondary.
    secondary_orbit : Orbit
        Its orbit.

    Raises
    ------
    PairError
        Lines of sight to the middle of the reference that are too far apart to make a pair.
    """
    grid = reference.grid
    burst = reference.bursts[len(reference.bursts) // 2]
    slant_range = np.array([grid.slant_range(0.5 * (grid.shape.samples - 1))])
    time = burst.grid.zero_doppler_time(np.array([burst.mid_line]), slant_range)
    point = radar_to_ground(reference_orbit, time, slant_range, np.zeros(1), side=grid.look_side)
    seen, _ = ground_to_radar(secondary_orbit, point)
    sights = point - reference_orbit.position(time), point - secondary_orbit.position(seen)
    angle = math.degrees(math.acos(min(_cosine(*sights), 1.0)))
    # where the other orbit does not come by it is NaN: then no bursts match
    if angle > _LARGEST_ANGLE:
        raise PairError(
            f"secondary must be of the same track as the reference, but {secondary.name} and "
            f"{reference.name} see the ground from directions {angle:.0f} degrees apart"
        )


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.sum(one * other) / (np.linalg.norm(one) * np.linalg.norm(other)))
