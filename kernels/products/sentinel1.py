"""Sentinel-1 products in SAFE folders and zips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from kernels.errors import OrbitError, ProductError
from kernels.model import (
    CalibrationLut,
    DetectedReader,
    GrdProduct,
    NoiseLut,
    PixelReader,
    SlcProduct,
    StateVectors,
)
from kernels.products.annotation import parse_annotation, read_annotation
from kernels.products.annotation_head import UNKNOWN_PROCESSOR, ProductContext, midnight
from kernels.products.calibration import parse_calibration
from kernels.products.detected_annotation import parse_detected_annotation, read_detected_annotation
from kernels.products.manifest import Frame, ManifestFacts, parse_frame, parse_manifest
from kernels.products.noise import parse_noise
from kernels.products.orbit_files import choose_state_vectors
from kernels.products.pixels import GdalDetectedReader, GdalPixelReader
from kernels.products.safe import MANIFEST, SafeArchive, open_safe
from kernels.products.sentinel1_names import Image, image_of_annotation, parse_product_name

__all__ = [
    "Image",
    "Sentinel1Product",
    "open_sentinel1",
    "read_annotation",
    "read_detected_annotation",
]

_ANNOTATIONS = "annotation"
_CALIBRATIONS = "annotation/calibration"
_MEASUREMENTS = "measurement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel1Product:
    """A Sentinel-1 product whose images are read on demand.

    Attributes
    ----------
    name : str
        Without folder or ending.
    platform : str
        S1A, S1B, S1C or S1D.
    mode : str
        IW, EW, WV, or SM for StripMap.
    product_type : str
        RAW, SLC, GRD or OCN.
    start, stop : datetime
        Sensing time of the name [UTC, naive], to the second.
    images : tuple of Image
        Swaths and polarisations whose annotation is there.
    archive : SafeArchive
        Where the files are.
    orbits : Path or None
        Folder, zip or file of precise orbits.
    """

    name: str
    platform: str
    mode: str
    product_type: str
    start: datetime
    stop: datetime
    images: tuple[Image, ...]
    archive: SafeArchive
    orbits: Path | None = None

    def slc(
        self,
        swath: str,
        polarisation: str,
        *,
        need_pixels: bool = True,
        need_noise: bool = False,
        epoch: datetime | None = None,
    ) -> SlcProduct:
        """Read the metadata of one image; its pixels are read later, by block.

        Parameters
        ----------
        swath : str
            For example IW2 or S3.
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later; if not, the measurement file may be missing.
        need_noise : bool
            Whether to read the noise file, if there is one.
        epoch : datetime or None
            UTC instant (naive) that times count from; None: midnight of the product's first day.

        Returns
        -------
        SlcProduct
            With the best orbit of the orbit folder, else the annotation's.

        Raises
        ------
        ProductError
            If the product is no SLC, has no such image, or a file of it is unusable.
        OrbitError
            If the orbit folder does not exist or its file for this product is damaged.
        """
        wanted = Image(swath.upper(), polarisation.upper())
        annotation = self._annotation("SLC", f"{wanted.swath} {wanted.polarisation}", {wanted})
        product = parse_annotation(
            self.archive.read(annotation),
            origin=PurePosixPath(annotation).name,
            context=self._context(epoch),
        )
        return replace(
            product,
            state_vectors=self._state_vectors(product),
            calibration=self._calibration(annotation, product.grid.epoch),
            noise=self._noise(annotation) if need_noise else None,
            pixels=self._complex_pixels(annotation, product) if need_pixels else None,
        )

    def grd(
        self, polarisation: str, *, need_pixels: bool = True, epoch: datetime | None = None
    ) -> GrdProduct:
        """Read the metadata of one detected image; its pixels are read later, by block.

        Parameters
        ----------
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later; if not, the measurement file may be missing.
        epoch : datetime or None
            UTC instant (naive) that times count from; None: midnight of the product's first day.

        Returns
        -------
        GrdProduct
            With the best orbit of the orbit folder, else the annotation's.

        Raises
        ------
        ProductError
            If the product is no GRD, has no such polarisation, or a file of it is unusable.
        OrbitError
            If the orbit folder does not exist or its file for this product is damaged.
        """
        wanted = polarisation.upper()
        images = {image for image in self.images if image.polarisation == wanted}
        annotation = self._annotation("GRD", wanted, images)
        product = parse_detected_annotation(
            self.archive.read(annotation),
            origin=PurePosixPath(annotation).name,
            context=self._context(epoch),
        )
        return replace(
            product,
            state_vectors=self._state_vectors(product),
            calibration=self._calibration(annotation, product.grid.epoch),
            noise=self._noise(annotation),
            pixels=self._detected_pixels(annotation, product) if need_pixels else None,
        )

    def _annotation(self, product_type: str, wanted: str, images: set[Image]) -> str:
        """Member that holds the annotation of one of some images."""
        if self.product_type != product_type:
            article = "an" if product_type == "SLC" else "a"
            raise ProductError(
                f"{self.name} must be {article} {product_type}, got {self.product_type}"
            )
        for member in self.archive.in_folder(_ANNOTATIONS):
            if image_of_annotation(PurePosixPath(member).name) in images:
                return member
        there = ", ".join(f"{swath} {polarisation}" for swath, polarisation in self.images)
        raise ProductError(f"{self.name} has no image {wanted}; there are: {there or 'none'}")

    def facts(self) -> ManifestFacts:
        """Read the manifest; raises ProductError if it is unusable."""
        return parse_manifest(self.archive.read(MANIFEST), origin=f"{self.name} {MANIFEST}")

    def frame(self) -> Frame:
        """Read from the manifest where the product lies; raises ProductError if it is unusable."""
        return parse_frame(self.archive.read(MANIFEST), origin=f"{self.name} {MANIFEST}")

    def tracks(self) -> frozenset[int]:
        """Read the track numbers; two where the product crosses the ascending node."""
        return self.facts().tracks

    def _context(self, epoch: datetime | None = None) -> ProductContext:
        facts = self.facts()
        return ProductContext(
            name=self.name,
            epoch=epoch or midnight(self.start),
            relative_orbit=facts.relative_orbit,
            processor=facts.processor or UNKNOWN_PROCESSOR,
        )

    def _state_vectors(self, product: SlcProduct | GrdProduct) -> StateVectors:
        return choose_state_vectors(
            self.orbits,
            platform=product.platform,
            start=product.start,
            stop=product.stop,
            annotated=product.state_vectors,
        )

    def _beside(self, kind: str, annotation: str) -> tuple[str, bytes] | None:
        """Name and content of the calibration or noise file of an image, if there is one."""
        name = f"{kind}-{PurePosixPath(annotation).name}"
        member = f"{_CALIBRATIONS}/{name}"
        return (name, self.archive.read(member)) if member in self.archive.members else None

    def _calibration(self, annotation: str, epoch: datetime) -> CalibrationLut | None:
        found = self._beside("calibration", annotation)
        return found and parse_calibration(found[1], origin=found[0], epoch=epoch)

    def _noise(self, annotation: str) -> NoiseLut | None:
        found = self._beside("noise", annotation)
        return found and parse_noise(found[1], origin=found[0])

    def _complex_pixels(self, annotation: str, product: SlcProduct) -> PixelReader:
        reader = GdalPixelReader(self._measurement(annotation), shape=product.grid.shape)
        reader.check()
        return reader

    def _detected_pixels(self, annotation: str, product: GrdProduct) -> DetectedReader:
        reader = GdalDetectedReader(self._measurement(annotation), shape=product.grid.shape)
        reader.check()
        return reader

    def _measurement(self, annotation: str) -> str:
        """Name that GDAL opens the measurement file of an image by."""
        stem = f"{_MEASUREMENTS}/{PurePosixPath(annotation).stem}"
        for member in (f"{stem}.tiff", f"{stem}.tif"):
            if member in self.archive.members:
                return self.archive.gdal_path(member)
        raise ProductError(f"{self.name} has no measurement file {stem}.tiff")


def open_sentinel1(path: Path, *, orbits: Path | None = None) -> Sentinel1Product:
    """Open a Sentinel-1 product; only names are read.

    Parameters
    ----------
    path : Path
        A SAFE folder, its manifest.safe, or a zip of the folder, which is read in place.
    orbits : Path or None
        A folder of EOF files, a zip of them or one file; None: the annotation's orbit is used.

    Returns
    -------
    Sentinel1Product
        Its images are read by its methods slc and grd.

    Raises
    ------
    ProductError
        If this is no SAFE product, a damaged zip, or its name breaks the naming convention.
    OrbitError
        If the orbit folder does not exist.
    """
    if orbits is not None and not orbits.exists():
        raise OrbitError(f"orbit folder {orbits} does not exist")
    archive = open_safe(path)
    name = parse_product_name(archive.name)
    images = {
        image
        for member in archive.in_folder(_ANNOTATIONS)
        if (image := image_of_annotation(PurePosixPath(member).name)) is not None
    }
    return Sentinel1Product(
        name=name.text,
        platform=name.platform,
        mode=name.mode,
        product_type=name.product_type,
        start=name.start,
        stop=name.stop,
        images=tuple(sorted(images)),
        archive=archive,
        orbits=orbits,
    )
