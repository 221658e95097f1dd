"""Which products are slices of one pass of the satellite, and in which order.

A data take is cut into products of some 25 s whose times touch; a slice may have been processed
more than once. Orbit numbers do not tell slices apart or together: they change at the ascending
node, in the middle of a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from kernels.errors import ProductError
from kernels.model import GrdProduct
from kernels.products.annotation_head import midnight
from kernels.products.joining import join_slices
from kernels.products.sentinel1 import Sentinel1Product

_TOUCHING = timedelta(seconds=1)
"""Names hold whole seconds, cut off: slices that touch may differ by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrdPass:
    """Contiguous slices of one pass.

    Attributes
    ----------
    slices : tuple of Sentinel1Product
        In order of time, each once.
    """

    slices: tuple[Sentinel1Product, ...]

    def grd(self, polarisation: str, *, need_pixels: bool = True) -> tuple[GrdProduct, ...]:
        """Read the slices and join them.

        Parameters
        ----------
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later; if not, measurement files may be missing.

        Returns
        -------
        tuple of GrdProduct
            One image of the whole pass; more where neighbours do not share one raster of lines
            and samples, as with different processors. All in the epoch of the first.

        Raises
        ------
        ProductError
            If a slice has no such polarisation, or a file of it is unusable.
        OrbitError
            If the orbit folder does not exist or its file for a slice is damaged.
        """
        epoch = midnight(self.slices[0].start)
        return join_slices(
            [
                product.grd(polarisation, need_pixels=need_pixels, epoch=epoch)
                for product in self.slices
            ]
        )


class SliceGroups(NamedTuple):
    """Passes in order of time, and what was left out, one line each for a report."""

    passes: tuple[GrdPass, ...]
    notes: tuple[str, ...]


def group_slices(products: Sequence[Sentinel1Product]) -> SliceGroups:
    """Find the passes that detected products belong to.

    Parameters
    ----------
    products : sequence of Sentinel1Product
        In any order; a slice may be there more than once, as processed at different times.

    Returns
    -------
    SliceGroups
        Slices of one pass are of the same platform, mode and images, and their times touch or
        overlap. Of products that share more than half of their time, the one that was
        processed last is taken.

    Raises
    ------
    ProductError
        If a product is no GRD, or a manifest that is needed to choose is unusable.
    """
    for product in products:
        if product.product_type != "GRD":
            raise ProductError(f"{product.name} must be a GRD, got {product.product_type}")
    kept, notes = _without_duplicates(products)
    passes: list[list[Sentinel1Product]] = []
    for product in kept:
        for slices in passes:
            if _alike(slices[-1], product) and product.start <= slices[-1].stop + _TOUCHING:
                slices.append(product)
                break
        else:
            passes.append([product])
    return SliceGroups(
        passes=tuple(GrdPass(slices=tuple(slices)) for slices in passes), notes=tuple(notes)
    )


def _without_duplicates(
    products: Sequence[Sentinel1Product],
) -> tuple[list[Sentinel1Product], list[str]]:
    """Slices in order of time, each once, and a line for each that was left out."""
    kept: list[Sentinel1Product] = []
    notes = []
    for product in sorted(products, key=lambda product: (product.start, product.name)):
        twins = [n for n, other in enumerate(kept) if _same_slice(other, product)]
        if not twins:
            kept.append(product)
            continue
        other = kept[twins[0]]
        newest, left_out = (
            (product, other) if _processed(product) > _processed(other) else (other, product)
        )
        kept[twins[0]] = newest
        notes.append(
            f"{left_out.name} was left out: {newest.name} is the newest of the same slice"
            if left_out.name != newest.name
            else f"{newest.name} was given more than once"
        )
    return sorted(kept, key=lambda product: product.start), notes


def _processed(product: Sentinel1Product) -> datetime:
    return product.facts().processed or datetime.min


def _alike(one: Sentinel1Product, other: Sentinel1Product) -> bool:
    return (one.platform, one.mode, one.images) == (other.platform, other.mode, other.images)


def _same_slice(one: Sentinel1Product, other: Sentinel1Product) -> bool:
    shared = min(one.stop, other.stop) - max(one.start, other.start)
    shorter = min(one.stop - one.start, other.stop - other.start)
    return _alike(one, other) and 2 * shared > shorter
