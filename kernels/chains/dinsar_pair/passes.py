"""The two passes of a pair: which products are slices of each, and that they fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kernels.errors import PairError, ProductError, RequestError
from kernels.model import SlcProduct
from kernels.products.sentinel1 import Sentinel1Product, open_sentinel1
from kernels.products.slc_slices import join_slc
from kernels.products.slices import SlicesOfPass, group_slices

_ONE_PASS = timedelta(minutes=20)
"""Longer than any data take, shorter than an orbit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOfPair:
    """The products of one pass.

    Attributes
    ----------
    slices : SlicesOfPass
        Contiguous, as their names tell.
    notes : tuple of str
        What was left out, one line each.
    """

    slices: SlicesOfPass
    notes: tuple[str, ...]

    @property
    def first(self) -> Sentinel1Product:
        """The first product in time."""
        return self.slices.slices[0]

    @property
    def text(self) -> str:
        """Names of the products, for messages."""
        return " and ".join(self.slices.names)

    def swaths(self, polarisation: str) -> tuple[str, ...]:
        """Swaths in one polarisation from near to far range; raises RequestError without any."""
        images = self.first.images
        found = {image.swath for image in images if image.polarisation == polarisation}
        if not found:
            there = ", ".join(self.slices.polarisations)
            raise RequestError("polarisation", f"of {self.text}, which has {there}", polarisation)
        return tuple(sorted(found))

    def image(self, swath: str, polarisation: str, *, need_pixels: bool = True) -> SlcProduct:
        """Read one swath, slices joined; raises ProductError where that is impossible."""
        return join_slc(
            self.slices.slc(swath, polarisation, need_pixels=need_pixels, need_noise=False)
        )

    def tracks(self) -> frozenset[int]:
        """Track numbers of the slices; two where the pass crosses the ascending node."""
        return frozenset[int]().union(*(one.facts().tracks for one in self.slices.slices))


def open_pass(argument: str, paths: Sequence[Path], *, orbits: Path | None) -> PassOfPair:
    """Open the slices of one pass.

    Parameters
    ----------
    argument : str
        Of the request, for errors.
    paths : sequence of Path
        SAFE folders or zips, in any order.
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
    products = [open_sentinel1(path, orbits=orbits) for path in paths]
    for product in products:
        if product.product_type != "SLC":
            raise ProductError(f"{product.name} must be an SLC, got {product.product_type}")
    passes, notes = group_slices(products)
    if len(passes) > 1:
        before, after = passes[0].slices[-1], passes[1].slices[0]
        apart = (after.start - before.stop).total_seconds()
        why = f"{apart:.0f} s apart" if apart > 0 else "of unlike platform, mode or polarisations"
        rule = "contiguous slices of one pass"
        raise RequestError(argument, rule, f"{before.name} and {after.name}, {why}")
    return PassOfPair(slices=passes[0], notes=notes)


def check_passes(reference: PassOfPair, secondary: PassOfPair) -> None:
    """Refuse two passes that are one, or of different tracks.

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
    common = set(reference.slices.names) & set(secondary.slices.names)
    if common:
        raise PairError(
            f"secondary must be another product than the reference, got {min(common)} twice"
        )
    first, second = reference.first, secondary.first
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
