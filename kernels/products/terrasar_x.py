"""Single-look complex products of TerraSAR-X, TanDEM-X and PAZ.

DLR, TX-GS-DD-3302 "Basic product specification" and TX-GS-DD-3307 "Level 1b product format
specification". Images are in zero-Doppler geometry at every range: no bistatic term is left in
their times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    LookSide,
    OrbitSource,
    PixelReader,
    RadarGrid,
    RangePolynomial,
    Shape,
    SlcProduct,
    StateVectors,
)
from kernels.products.annotation_head import midnight
from kernels.products.beam_steering import doppler_per_turn
from kernels.products.cosar import CosarReader
from kernels.products.elements import Element
from kernels.products.sentinel1_names import Image
from kernels.products.terrasar_x_scene import SCENE, read_calibration, read_corners

NAME = re.compile(r"(?P<mission>TSX1|TDX1|PAZ1)_SAR__SSC_\w+", re.ASCII)
"""Name of a product, of its folder and of its annotation."""

_MODES = {"SM": "SM", "SL": "SL", "HS": "HS", "HS300": "HS", "ST": "ST"}
"""StripMap, Spotlight, High Resolution Spotlight, Staring Spotlight."""

_INFO = "productInfo"
_RASTER = f"{_INFO}/imageDataInfo/imageRaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraSarXProduct:
    """A product whose images are read on demand.

    Attributes
    ----------
    name : str
        Without folder or ending.
    path : Path
        Of the annotation.
    mode : str
        SM for StripMap, SL, HS or ST for Spotlight.
    start, stop : datetime
        First and last line [UTC, naive].
    track : int
        Relative orbit.
    images : tuple of Image
        Beam and polarisations.
    """

    name: str
    path: Path
    mode: str
    start: datetime
    stop: datetime
    track: int
    images: tuple[Image, ...]

    @property
    def platform(self) -> str:
        """TSX1, TDX1 or PAZ1."""
        return self.name[:4]

    def tracks(self) -> frozenset[int]:
        """Relative orbit: the satellites fly in one tube and share its numbers."""
        return frozenset({self.track})

    def slc(
        self,
        swath: str,
        polarisation: str,
        *,
        need_pixels: bool = True,
        epoch: datetime | None = None,
    ) -> SlcProduct:
        """Read the metadata of one image; its pixels are read later, by block.

        Parameters
        ----------
        swath : str
            Name of the elevation beam, for example STRIP_011.
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later; if not, the COSAR file may be missing.
        epoch : datetime or None
            UTC instant (naive) that times count from; None: midnight of the product's day.

        Returns
        -------
        SlcProduct
            One burst, with the annotation's orbit.

        Raises
        ------
        ProductError
            If the product has no such image, or a file of it is unusable.
        """
        wanted = Image(swath.upper(), polarisation.upper())
        if wanted not in self.images:
            there = ", ".join(f"{beam} {polarisation}" for beam, polarisation in self.images)
            raise ProductError(
                f"{self.name} has no image {wanted.swath} {wanted.polarisation}; there are: {there}"
            )
        root = _root(self.path)
        product = parse_terrasar_x(root, name=self.name, image=wanted, epoch=epoch)
        if not need_pixels:
            return product
        return replace(product, pixels=self._pixels(root, wanted, product.grid.shape))

    def _pixels(self, root: Element, image: Image, shape: Shape) -> PixelReader:
        for data in root.children("productComponents/imageData"):
            if data.text("polLayer") == image.polarisation:
                place = data.child("file/location")
                file = self.path.parent / place.text("path") / place.text("filename")
                if not file.resolve().is_relative_to(self.path.parent.resolve()):
                    raise ProductError(f"{self.name}: {file.name} must be inside the product")
                if not file.is_file():
                    raise ProductError(f"{self.name} has no measurement file {file.name}")
                reader = CosarReader(str(file.absolute()), shape=shape)
                reader.check()
                return reader
        raise ProductError(f"{self.name} names no file for polarisation {image.polarisation}")


def open_terrasar_x(path: Path) -> TerraSarXProduct:
    """Open a product; only its annotation is read.

    Parameters
    ----------
    path : Path
        The product's folder, or the annotation in it.

    Returns
    -------
    TerraSarXProduct
        Its images are read by its method slc.

    Raises
    ------
    ProductError
        If this is no single-look complex product in slant range.
    """
    annotation = path / f"{path.name}.xml" if path.is_dir() else path
    if not annotation.is_file() or not NAME.fullmatch(annotation.stem):
        raise ProductError(f"{path.name} must be a TerraSAR-X SSC folder or its annotation")
    root = _root(annotation)
    beam = root.text(f"{_INFO}/acquisitionInfo/elevationBeamConfiguration").upper()
    return TerraSarXProduct(
        name=annotation.stem,
        path=annotation,
        mode=_mode(root, annotation.stem),
        start=root.time(f"{SCENE}/start/timeUTC"),
        stop=root.time(f"{SCENE}/stop/timeUTC"),
        track=root.integer(f"{_INFO}/missionInfo/relOrbit"),
        images=tuple(
            sorted(
                Image(beam, data.text("polLayer"))
                for data in root.children("productComponents/imageData")
            )
        ),
    )


def _root(path: Path) -> Element:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProductError(f"{path.name} cannot be read") from error
    root = Element.parse(content, origin=path.name)
    rules = {
        f"{_INFO}/productVariantInfo/productVariant": "SSC",
        f"{_INFO}/productVariantInfo/projection": "SLANTRANGE",
        "productSpecific/complexImageInfo/imageCoordinateType": "ZERODOPPLER",
        "productSpecific/complexImageInfo/imageDataStartWith": "EARLYAZNEARRG",
    }
    for element, wanted in rules.items():
        found = root.text(element)
        if found != wanted:
            last = element.rsplit("/", maxsplit=1)[-1]
            raise ProductError(f"{path.name}: {last} must be {wanted}, got {found}")
    return root


def _mode(root: Element, name: str) -> str:
    mode = root.text(f"{_INFO}/acquisitionInfo/imagingMode")
    if mode not in _MODES:
        raise ProductError(f"{name} must be of mode {', '.join(_MODES)}, got {mode}")
    return _MODES[mode]


def parse_terrasar_x(
    root: Element, *, name: str, image: Image, epoch: datetime | None = None
) -> SlcProduct:
    """Read the annotation of one image.

    Parameters
    ----------
    root : Element
        Of the annotation.
    name : str
        Of the product.
    image : Image
        Beam and polarisation.
    epoch : datetime or None
        UTC instant (naive) that times count from; None: midnight of the product's day.

    Returns
    -------
    SlcProduct
        Without pixels.

    Raises
    ------
    ProductError
        If an element is missing or unusable.
    """
    start = root.time(f"{SCENE}/start/timeUTC")
    epoch = epoch or midnight(start)
    acquisition = root.child(f"{_INFO}/acquisitionInfo")
    mission = root.child(f"{_INFO}/missionInfo")
    mode = _mode(root, name)
    grid = _grid(root, epoch, acquisition.text("lookDirection"))
    vectors = _state_vectors(root, epoch)
    processing = _processing(root, image.polarisation)
    return SlcProduct(
        name=name,
        platform=name[:4],
        mode=mode,
        swath=image.swath,
        polarisation=image.polarisation,
        start=start,
        stop=root.time(f"{SCENE}/stop/timeUTC"),
        absolute_orbit=mission.integer("absOrbit"),
        relative_orbit=mission.integer("relOrbit"),
        ascending=mission.text("orbitDirection") == "ASCENDING",
        processor=_processor(root),
        state_vectors=vectors,
        grid=grid,
        bursts=(_burst(root, grid, vectors, image, steered=mode != "SM"),),
        range_bandwidth=processing.number("totalProcessedRangeBandwidth"),
        azimuth_bandwidth=processing.number("totalProcessedAzimuthBandwidth"),
        calibration=read_calibration(root, grid, image.polarisation, epoch),
        geolocation=read_corners(root, epoch),
        pixels=None,
    )


def _grid(root: Element, epoch: datetime, look: str) -> RadarGrid:
    raster = root.child(_RASTER)
    return RadarGrid(
        epoch=epoch,
        first_line_time=root.seconds(f"{SCENE}/start/timeUTC", epoch),
        line_interval=raster.number("columnSpacing"),
        shape=Shape(raster.integer("numberOfRows"), raster.integer("numberOfColumns")),
        wavelength=SPEED_OF_LIGHT / root.number("instrument/radarParameters/centerFrequency"),
        look_side=LookSide.LEFT if look == "LEFT" else LookSide.RIGHT,
        bistatic_range=None,
        first_slant_range=0.5 * SPEED_OF_LIGHT * root.number(f"{SCENE}/rangeTime/firstPixel"),
        slant_range_spacing=0.5 * SPEED_OF_LIGHT * raster.number("rowSpacing"),
    )


def _state_vectors(root: Element, epoch: datetime) -> StateVectors:
    found = list(root.children("platform/orbit/stateVec"))
    columns = np.array(
        [
            [vector.seconds("timeUTC", epoch)]
            + [vector.number(f"{kind}{axis}") for kind in ("pos", "vel") for axis in "XYZ"]
            for vector in found
        ]
    ).reshape(-1, 7)
    return StateVectors(
        epoch=epoch,
        times=columns[:, 0],
        positions=columns[:, 1:4],
        velocities=columns[:, 4:7],
        source=OrbitSource.ANNOTATION,
        origin=root.origin,
    )


def _processing(root: Element, polarisation: str) -> Element:
    """Parameters of a polarisation; products of one polarisation have a single element."""
    found = list(root.children("processing/processingParameter"))
    for element in found:
        if element.has("polLayer") and element.text("polLayer") == polarisation:
            return element
    if not found:
        raise ProductError(f"{root.origin} has no element processing/processingParameter")
    return found[0]


def _processor(root: Element) -> str:
    version = root.child("generalHeader/generationSystem")
    return f"{version.node.text or 'unknown'} {version.node.get('version', '')}".strip()


def _burst(
    root: Element, grid: RadarGrid, vectors: StateVectors, image: Image, *, steered: bool
) -> Burst:
    middle = grid.first_line_time + 0.5 * (grid.shape.lines - 1) * grid.line_interval
    dopplers = _dopplers(root, grid.epoch, image.polarisation)
    rates = [
        _polynomial(entry, "dopplerRatePolynomial", grid.epoch)
        for entry in root.children("processing/geometry/dopplerRate")
    ]
    per_turn = doppler_per_turn(vectors, time=middle, wavelength=grid.wavelength)
    return Burst(
        index=0,
        first_line=0,
        grid=grid,
        first_valid_sample=np.zeros(grid.shape.lines, np.int32),
        last_valid_sample=np.full(grid.shape.lines, grid.shape.samples - 1, np.int32),
        doppler=_nearest(dopplers, middle, root),
        fm_rate=_nearest(rates, middle, root),
        steering_rate=_drift(dopplers) / per_turn if steered else 0.0,
    )


def _dopplers(root: Element, epoch: datetime, polarisation: str) -> list[RangePolynomial]:
    """Doppler centroids of one polarisation, ambiguity resolved."""
    return [
        _polynomial(entry, "combinedDoppler", epoch)
        for centroid in root.children("processing/doppler/dopplerCentroid")
        if centroid.text("polLayer") == polarisation
        for entry in centroid.children("dopplerEstimate")
    ]


def _polynomial(entry: Element, kind: str, epoch: datetime) -> RangePolynomial:
    polynomial = entry.child(kind)
    by_exponent = {
        int(term.node.get("exponent", "-1")): term.number(".")
        for term in polynomial.children("coefficient")
    }
    degree = polynomial.integer("polynomialDegree")
    if set(by_exponent) != set(range(degree + 1)):
        raise ProductError(f"{entry.origin}: {kind} must have the coefficients 0 to {degree}")
    return RangePolynomial(
        azimuth_time=entry.seconds("timeUTC", epoch),
        origin=polynomial.number("referencePoint"),
        coefficients=tuple(by_exponent[k] for k in range(degree + 1)),
    )


def _nearest(entries: list[RangePolynomial], time: float, root: Element) -> RangePolynomial:
    if not entries:
        raise ProductError(f"{root.origin} has no Doppler centroid or Doppler rate of this image")
    return min(entries, key=lambda entry: abs(entry.azimuth_time - time))


def _drift(dopplers: list[RangePolynomial]) -> float:
    """Change of the Doppler centroid at the middle of the swath while a spotlight turns [Hz/s]."""
    if len(dopplers) < 2:
        return 0.0
    slope, _ = np.polyfit(
        [entry.azimuth_time for entry in dopplers], [entry(entry.origin) for entry in dopplers], 1
    )
    return float(slope)
