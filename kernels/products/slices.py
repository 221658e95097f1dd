"""Which products are slices of one pass of the satellite, and in which order.

A data take is cut into products of some 25 s whose times touch; a slice may have been processed
more than once. Orbit numbers do not tell slices apart or together: they change at the ascending
node, in the middle of a pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from kernels.errors import ProductError
from kernels.model import GrdProduct, SlcProduct
from kernels.products.annotation_head import midnight
from kernels.products.joining import join_slices
from kernels.products.sentinel1 import Sentinel1Product

_TYPES = ("GRD", "SLC")
_TOUCHING = timedelta(seconds=1)
"""Names hold whole seconds, cut off: slices that touch may differ by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesOfPass:
    """Contiguous slices of one pass, all GRD or all SLC.

    Attributes
    ----------
    slices : tuple of Sentinel1Product
        In order of time, each once.
    """

    slices: tuple[Sentinel1Product, ...]

    @property
    def product_type(self) -> str:
        """GRD or SLC."""
        return self.slices[0].product_type

    @property
    def swaths(self) -> tuple[str, ...]:
        """Swaths of SLC images from near to far range; the mode of GRD images."""
        return tuple(sorted({image.swath for image in self.slices[0].images}))

    @property
    def polarisations(self) -> tuple[str, ...]:
        """Of the first slice; the co-polarised one first."""
        found = {image.polarisation for image in self.slices[0].images}
        return tuple(sorted(found, key=lambda p: (p[0] != p[1], p)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the products."""
        return tuple(product.name for product in self.slices)

    def slc(
        self,
        swath: str,
        polarisation: str,
        *,
        need_pixels: bool = True,
        need_noise: bool = True,
    ) -> tuple[SlcProduct, ...]:
        """Read one swath of the slices.

        Parameters
        ----------
        swath : str
            For example IW2 or S3.
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later; if not, measurement files may be missing.
        need_noise : bool
            Whether to read the noise files, if there are any.

        Returns
        -------
        tuple of SlcProduct
            In order of time, all in the epoch of the first.

        Raises
        ------
        ProductError
            If a slice has no such image, or a file of it is unusable.
        OrbitError
            If the orbit folder does not exist or its file for a slice is damaged.
        """
        epoch = midnight(self.slices[0].start)
        return tuple(
            product.slc(
                swath, polarisation, need_pixels=need_pixels, need_noise=need_noise, epoch=epoch
            )
            for product in self.slices
        )

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

    passes: tuple[SlicesOfPass, ...]
    notes: tuple[str, ...]


def group_slices(products: Sequence[Sentinel1Product]) -> SliceGroups:
    """Find the passes that products belong to.

    Parameters
    ----------
    products : sequence of Sentinel1Product
        In any order; a slice may be there more than once, as processed at different times.

    Returns
    -------
    SliceGroups
        Slices of one pass are of the same platform, mode, type and images, and their times
        touch or overlap. Of products that share more than half of their time, the one that was
        processed last is taken.

    Raises
    ------
    ProductError
        If a product is neither GRD nor SLC, a GRD and an SLC are of one pass, or a manifest that
        is needed to choose is unusable.
    """
    for product in products:
        if product.product_type not in _TYPES:
            raise ProductError(f"{product.name} must be a GRD or SLC, got {product.product_type}")
    _check_types(products)
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
        passes=tuple(SlicesOfPass(slices=tuple(slices)) for slices in passes), notes=tuple(notes)
    )


def _check_types(products: Sequence[Sentinel1Product]) -> None:
    """Refuse the same ground of one pass twice, as GRD and as SLC."""
    grd, slc = ([p for p in products if p.product_type == kind] for kind in _TYPES)
    for one, other in itertools.product(grd, slc):
        if one.platform == other.platform and _shared_time(one, other) >= -_TOUCHING:
            raise ProductError(
                f"products of one pass must be all GRD or all SLC, got {one.name} and {other.name}"
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
    return (one.platform, one.mode, one.product_type, one.images) == (
        other.platform,
        other.mode,
        other.product_type,
        other.images,
    )


def _shared_time(one: Sentinel1Product, other: Sentinel1Product) -> timedelta:
    return min(one.stop, other.stop) - max(one.start, other.start)


def _same_slice(one: Sentinel1Product, other: Sentinel1Product) -> bool:
    shorter = min(one.stop - one.start, other.stop - other.start)
    return _alike(one, other) and 2 * _shared_time(one, other) > shorter
