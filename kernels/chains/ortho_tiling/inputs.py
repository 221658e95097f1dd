"""From the request to calibrated images of passes, or one clear error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.request import OrthoTilingRequest
from kernels.errors import ProductError, RequestError
from kernels.geometry.footprints import may_touch
from kernels.geometry.mgrs import tile_outline, tiles_touched
from kernels.geometry.orbit import Orbit
from kernels.model import GeolocationGrid, GrdProduct, IntensityReader
from kernels.products.borders import ValidWindow, valid_window
from kernels.products.detection import DetectedSlc, detect, looks_for
from kernels.products.sentinel1 import open_sentinel1
from kernels.products.slices import SlicesOfPass, group_slices
from kernels.radiometry.calibration import Quantity, calibration_lattice
from kernels.radiometry.detected import Calibrated, Interpolation, SquaredAmplitudes
from kernels.radiometry.noise import NoiseTables

Image = GrdProduct | DetectedSlc
"""One polarisation of a raster of detected pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassImage:
    """One image of a pass, of one slice or several that are joined, in all polarisations.

    Attributes
    ----------
    products : tuple of GrdProduct or of DetectedSlc
        One per polarisation, on one grid.
    readers : tuple of IntensityReader
        Of their pixels, in the same order.
    calibrated : tuple of Calibrated
        In the same order.
    orbit : Orbit
        Of the image.
    valid : ValidWindow
        Part of the image without border noise.
    """

    products: tuple[Image, ...]
    readers: tuple[IntensityReader, ...]
    calibrated: tuple[Calibrated, ...]
    orbit: Orbit
    valid: ValidWindow

    @property
    def swath(self) -> str:
        """Of an SLC; the mode of a GRD, which holds all swaths."""
        first = self.products[0]
        return first.mode if isinstance(first, GrdProduct) else first.swath


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass of the satellite.

    Attributes
    ----------
    images : tuple of PassImage
        In order of time; one for GRD and one per swath for SLC, from near to far range, unless
        neighbouring slices do not share a raster.
    names : tuple of str
        Of the products, in order of time.
    starts : tuple of datetime
        Of the products [UTC, naive].
    outlines : tuple of ndarray of float64, shape (n, 2)
        Footprints of the products: rings of longitudes and latitudes [degrees].
    product_type : str
        GRD or SLC.
    """

    images: tuple[PassImage, ...]
    names: tuple[str, ...]
    starts: tuple[datetime, ...]
    outlines: tuple[NDArray[np.float64], ...]
    product_type: str

    @property
    def product(self) -> Image:
        """The first image in its first polarisation, for what all share."""
        return self.images[0].products[0]

    @property
    def start(self) -> datetime:
        """Of the first product: swaths of SLC products begin at their own times."""
        return self.starts[0]

    @property
    def polarisations(self) -> tuple[str, ...]:
        """In the order of the products."""
        return tuple(product.polarisation for product in self.images[0].products)

    def over(self, tile: str) -> Pass:
        """Return the same pass with the products alone whose footprints meet a tile."""
        outline = tile_outline(tile)
        met = [k for k, ring in enumerate(self.outlines) if may_touch(ring, outline)]
        near = [k for k in met if tile in {found.name for found in tiles_touched(self.outlines[k])}]
        kept = near or range(len(self.names))
        return replace(
            self,
            names=tuple(self.names[k] for k in kept),
            starts=tuple(self.starts[k] for k in kept),
            outlines=tuple(self.outlines[k] for k in kept),
        )


def open_passes(request: OrthoTilingRequest) -> tuple[tuple[Pass, ...], tuple[str, ...]]:
    """Open the products and join the slices of each pass.

    Parameters
    ----------
    request : OrthoTilingRequest
        Names the products and how to calibrate them.

    Returns
    -------
    passes : tuple of Pass
        In order of time.
    notes : tuple of str
        What was left out or is not as expected, one line each.

    Raises
    ------
    InputError
        A product that cannot be used.
    """
    groups = group_slices(
        [open_sentinel1(path, orbits=request.orbits) for path in request.products]
    )
    passes = tuple(_open_pass(request, slices) for slices in groups.passes)
    notes = (*groups.notes, *_noise_notes(passes)) if request.remove_noise else groups.notes
    return passes, notes


def _noise_notes(passes: tuple[Pass, ...]) -> Iterator[str]:
    """Tell of noise vectors of 0, as products of 2015 have them: nothing can be removed."""
    for image in (image for one in passes for image in one.images):
        for product in image.products:
            vectors = () if product.noise is None else product.noise.vectors
            zeros = sum(not vector.values.any() for vector in vectors)
            if zeros:
                yield (
                    f"{product.name}: {zeros} of {len(vectors)} noise vectors of "
                    f"{product.polarisation} are 0, so that no noise is removed there"
                )


def check_composite(request: OrthoTilingRequest, passes: Iterable[Pass]) -> None:
    """Refuse a colour composite of one polarisation; raises RequestError."""
    for one in passes:
        if request.composite and len(one.polarisations) < 2:
            raise RequestError(
                "composite",
                f"false where there is one polarisation, as in {one.names[0]}",
                ", ".join(one.polarisations),
            )


def _open_pass(request: OrthoTilingRequest, slices: SlicesOfPass) -> Pass:
    # the co-polarised image first: it is the one that previews and coverage are taken from
    wanted = tuple(dict.fromkeys(request.polarisations or slices.polarisations))
    read = _detected_slc if slices.product_type == "SLC" else _joined_grd
    images = tuple(
        _open_image(request, products) for products in read(slices, wanted, request.resolution)
    )
    return Pass(
        images=images,
        names=tuple(product.name for product in slices.slices),
        starts=tuple(product.start for product in slices.slices),
        outlines=tuple(product.frame().footprint for product in slices.slices),
        product_type=slices.product_type,
    )


def _joined_grd(
    slices: SlicesOfPass, polarisations: tuple[str, ...], _: float
) -> Iterator[tuple[Image, ...]]:
    return zip(*(slices.grd(polarisation) for polarisation in polarisations), strict=True)


def _detected_slc(
    slices: SlicesOfPass, polarisations: tuple[str, ...], resolution: float
) -> Iterator[tuple[Image, ...]]:
    """Swaths one after the other: where two see a pixel the one nearer to the track wins."""
    for swath in slices.swaths:
        read = [slices.slc(swath, polarisation) for polarisation in polarisations]
        looks = looks_for(read[0][0], resolution)
        yield from zip(*(detect(images, looks) for images in read), strict=True)


def _open_image(request: OrthoTilingRequest, products: tuple[Image, ...]) -> PassImage:
    first = products[0]
    start = first.grid.first_line_time
    return PassImage(
        products=products,
        readers=tuple(_reader(product) for product in products),
        calibrated=tuple(_calibrate(request, product) for product in products),
        orbit=Orbit.fit(
            first.state_vectors,
            start=start,
            stop=start + first.grid.shape.lines * first.grid.line_interval,
        ),
        valid=valid_window(first)
        if isinstance(first, GrdProduct)
        else ValidWindow(0, first.grid.shape.lines, 0, first.grid.shape.samples),
    )


def _reader(image: Image) -> IntensityReader:
    if image.pixels is None:
        raise ProductError(f"{image.name} was opened without its pixels")
    return SquaredAmplitudes(image.pixels) if isinstance(image, GrdProduct) else image.pixels


def _calibrate(request: OrthoTilingRequest, image: Image) -> Calibrated:
    if image.calibration is None:
        raise ProductError(
            f"{image.name} has no calibration file for {image.polarisation}, needed for "
            f"calibration = {request.calibration}"
        )
    if request.remove_noise and image.noise is None:
        raise ProductError(
            f"{image.name} has no noise file for {image.polarisation}, needed for "
            "remove_noise = true"
        )
    # correction for the terrain starts from the area in the slant plane
    quantity = Quantity.BETA if request.corrects_terrain else Quantity(request.calibration)
    return Calibrated(
        lattice=calibration_lattice(image.calibration, quantity, image.grid.shape),
        noise=NoiseTables.of(image.noise, image.grid.shape)
        if request.remove_noise and image.noise is not None
        else None,
        interpolation=Interpolation[request.interpolation.upper()],
    )


def footprint(grid: GeolocationGrid) -> NDArray[np.float64]:
    """Ring of longitudes and latitudes [degrees] around the tie points, shape (n, 2)."""
    lines, pixels = np.unique(grid.lines), np.unique(grid.pixels)
    table = np.full((lines.size, pixels.size, 2), np.nan)
    at = np.searchsorted(lines, grid.lines), np.searchsorted(pixels, grid.pixels)
    table[at] = np.stack([grid.longitudes, grid.latitudes], axis=-1)
    ring = np.concatenate([table[0], table[1:, -1], table[-1, -2::-1], table[-2:0:-1, 0]])
    known: NDArray[np.float64] = ring[np.isfinite(ring[:, 0])]
    return known
