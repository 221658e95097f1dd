"""Single-look complex products of COSMO-SkyMed: HIMAGE and Spotlight, HDF5.

ASI, "COSMO-SkyMed SAR Products Handbook", chapters on HDF5 products and their attributes. Images
are in zero-Doppler geometry at every range: no bistatic term is left in their times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    GeolocationGrid,
    LookSide,
    OrbitSource,
    RadarGrid,
    RangePolynomial,
    Shape,
    SlcProduct,
    StateVectors,
)
from kernels.products.annotation_head import midnight
from kernels.products.beam_steering import doppler_per_turn
from kernels.products.elements import parse_time
from kernels.products.hdf5_pixels import Hdf5PixelReader
from kernels.products.sentinel1_names import Image

NAME = re.compile(r"CSKS[1-4]_SCS_[BU]_\w+", re.ASCII)
"""Name of a product, and of its file without ending."""

_MODES = {"HIMAGE": "SM", "PINGPONG": "SM", "ENHANCED SPOTLIGHT": "SL", "SMART": "SL"}
_IMAGE = "SBI"
_CORNERS = ("Top Left", "Top Right", "Bottom Left", "Bottom Right")


@dataclass(frozen=True, slots=True, kw_only=True)
class CosmoSkyMedProduct:
    """A product whose images are read on demand.

    Attributes
    ----------
    name : str
        Without ending.
    path : Path
        Of the HDF5 file.
    mode : str
        SM for StripMap, SL for Spotlight.
    start, stop : datetime
        Of sensing [UTC, naive].
    groups : dict of Image to str
        HDF5 group of each image: beam and polarisation.
    """

    name: str
    path: Path
    mode: str
    start: datetime
    stop: datetime
    groups: dict[Image, str]

    @property
    def platform(self) -> str:
        """CSKS1 to CSKS4."""
        return self.name[:5]

    def tracks(self) -> frozenset[int]:
        """None: orbits are counted from the launch of each satellite, tracks by nobody."""
        return frozenset()

    @property
    def images(self) -> tuple[Image, ...]:
        """Beam and polarisations."""
        return tuple(sorted(self.groups))

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
            Name of the beam, for example H4-05.
        polarisation : str
            VV, VH, HH or HV.
        need_pixels : bool
            Whether pixels are read later.
        epoch : datetime or None
            UTC instant (naive) that times count from; None: midnight of the product's day.

        Returns
        -------
        SlcProduct
            One burst, with the product's own orbit.

        Raises
        ------
        ProductError
            If the product has no such image, or a group or attribute is missing or unusable.
        """
        wanted = Image(swath.upper(), polarisation.upper())
        group = self.groups.get(wanted)
        if group is None:
            there = ", ".join(f"{beam} {polarisation}" for beam, polarisation in self.images)
            raise ProductError(
                f"{self.name} has no image {wanted.swath} {wanted.polarisation}; there are: {there}"
            )
        with _opened(self.path) as file:
            product = _parse(_Group(file, self.name), group, self.name, wanted, epoch)
        if not need_pixels:
            return product
        reader = Hdf5PixelReader(self.path, f"{group}/{_IMAGE}", shape=product.grid.shape)
        return replace(product, pixels=reader)


def open_cosmo_skymed(path: Path) -> CosmoSkyMedProduct:
    """Open a product; only a few attributes are read.

    Parameters
    ----------
    path : Path
        The HDF5 file.

    Returns
    -------
    CosmoSkyMedProduct
        Its images are read by its method slc.

    Raises
    ------
    ProductError
        If this is no HDF5 file, is cut off, or holds no single-look complex images of one strip.
    """
    if not path.is_file() or not NAME.fullmatch(path.stem):
        raise ProductError(f"{path.name} must be a COSMO-SkyMed SCS product in one HDF5 file")
    with _opened(path) as file:
        root = _Group(file, path.stem)
        kind, mode = root.text("Product Type"), root.text("Acquisition Mode")
        if not kind.startswith("SCS") or mode not in _MODES:
            raise ProductError(
                f"{path.stem} must be an SCS product of mode {', '.join(_MODES)},"
                f" got {kind} of mode {mode}"
            )
        for order, wanted in (("Lines Order", "EARLY-LATE"), ("Columns Order", "NEAR-FAR")):
            if root.has(order) and root.text(order) != wanted:
                raise ProductError(
                    f"{path.stem}: attribute {order} must be {wanted}, got {root.text(order)}"
                )
        beam = root.text("Multi-Beam ID").upper()
        start, stop = root.time("Scene Sensing Start UTC"), root.time("Scene Sensing Stop UTC")
        groups = {
            Image(beam, root.group(name).text("Polarisation")): name
            for name in sorted(file)
            if re.fullmatch(r"S\d\d", name)
        }
    if not groups:
        raise ProductError(f"{path.stem} has no HDF5 group S01")
    return CosmoSkyMedProduct(
        name=path.stem, path=path, mode=_MODES[mode], start=start, stop=stop, groups=groups
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py  # noqa: PLC0415  # of use for this sensor alone

    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise ProductError(f"{path.name} cannot be read as HDF5, or is cut off") from error


class _Group:
    """Attributes of an HDF5 object, with errors that name them."""

    def __init__(self, node: Any, origin: str) -> None:
        self._node = node
        self._origin = origin

    def group(self, name: str) -> _Group:
        if name not in self._node:
            raise ProductError(f"{self._origin} has no HDF5 group {name}")
        return _Group(self._node[name], f"{self._origin} {name}")

    def has(self, name: str) -> bool:
        return name in self._node.attrs

    def _value(self, name: str) -> Any:
        if not self.has(name):
            raise ProductError(f"{self._origin} has no attribute {name}")
        return self._node.attrs[name]

    def text(self, name: str) -> str:
        value = self._value(name)
        return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip(
            " \0"
        )

    def numbers(self, name: str) -> NDArray[np.float64]:
        try:
            values = np.atleast_1d(np.asarray(self._value(name), dtype=np.float64))
        except (TypeError, ValueError) as error:
            raise ProductError(f"{self._origin}: attribute {name} must be numbers") from error
        if not np.isfinite(values).all():
            raise ProductError(f"{self._origin}: attribute {name} must be finite numbers")
        return values

    def number(self, name: str) -> float:
        values = self.numbers(name)
        if values.size != 1:
            raise ProductError(f"{self._origin}: attribute {name} must be one number")
        return float(values[0])

    def time(self, name: str) -> datetime:
        text = self.text(name).replace(" ", "T")
        try:
            return parse_time(text)
        except ValueError as error:
            raise ProductError(
                f"{self._origin}: attribute {name} must be a UTC time, got {text[:40]}"
            ) from error

    def shape(self) -> Shape:
        shape: tuple[int, ...] = tuple(getattr(self._node, "shape", ()))
        kind = getattr(self._node, "dtype", None)
        if len(shape) != 3 or shape[2] != 2 or kind != np.int16:
            raise ProductError(f"{self._origin} must be pairs of 16 bit integers")
        return Shape(int(shape[0]), int(shape[1]))


def _parse(root: _Group, group: str, name: str, image: Image, epoch: datetime | None) -> SlcProduct:
    band = root.group(group)
    pixels = band.group(_IMAGE)
    reference = root.time("Reference UTC")
    epoch = epoch or midnight(root.time("Scene Sensing Start UTC"))
    zero = (reference - epoch).total_seconds()
    shape = pixels.shape()
    grid = RadarGrid(
        epoch=epoch,
        first_line_time=zero + pixels.number("Zero Doppler Azimuth First Time"),
        line_interval=pixels.number("Line Time Interval"),
        shape=shape,
        wavelength=SPEED_OF_LIGHT / root.number("Radar Frequency"),
        look_side=LookSide.LEFT if root.text("Look Side") == "LEFT" else LookSide.RIGHT,
        bistatic_range=None,
        first_slant_range=0.5 * SPEED_OF_LIGHT * pixels.number("Zero Doppler Range First Time"),
        slant_range_spacing=0.5 * SPEED_OF_LIGHT * pixels.number("Column Time Interval"),
    )
    vectors = _state_vectors(root, epoch, zero)
    mode = _MODES[root.text("Acquisition Mode")]
    orbit = int(root.number("Orbit Number"))
    return SlcProduct(
        name=name,
        platform=name[:5],
        mode=mode,
        swath=image.swath,
        polarisation=image.polarisation,
        start=root.time("Scene Sensing Start UTC"),
        stop=root.time("Scene Sensing Stop UTC"),
        absolute_orbit=orbit,
        relative_orbit=_track(orbit),
        ascending=root.text("Orbit Direction") == "ASCENDING",
        processor=f"COSMO-SkyMed {root.text('L1A Software Version')}"
        if root.has("L1A Software Version")
        else "COSMO-SkyMed",
        state_vectors=vectors,
        grid=grid,
        bursts=(_burst(root, grid, zero, vectors, steered=mode != "SM"),),
        range_bandwidth=band.number("Range Focusing Bandwidth"),
        azimuth_bandwidth=band.number("Azimuth Focusing Bandwidth"),
        calibration=None,
        geolocation=_geolocation(pixels, grid),
        pixels=None,
    )


def _track(orbit: int) -> int:
    """Place of an orbit in the repeat cycle of 237 orbits in sixteen days."""
    return (orbit - 1) % 237 + 1


def _state_vectors(root: _Group, epoch: datetime, zero: float) -> StateVectors:
    times = root.numbers("State Vectors Times")
    positions = root.numbers("ECEF Satellite Position").reshape(-1, 3)
    velocities = root.numbers("ECEF Satellite Velocity").reshape(-1, 3)
    if not times.size == len(positions) == len(velocities):
        raise ProductError("state vectors must have as many times as positions and velocities")
    return StateVectors(
        epoch=epoch,
        times=zero + times,
        positions=positions,
        velocities=velocities,
        source=OrbitSource.ANNOTATION,
        origin=root.text("Product Filename") if root.has("Product Filename") else "attributes",
    )


def _burst(
    root: _Group, grid: RadarGrid, zero: float, vectors: StateVectors, *, steered: bool
) -> Burst:
    """Doppler polynomials hold for the middle of the image; a spotlight's centroid drifts."""
    middle = grid.first_line_time + 0.5 * (grid.shape.lines - 1) * grid.line_interval
    since = middle - zero - root.number("Azimuth Polynomial Reference Time")
    origin = root.number("Range Polynomial Reference Time")

    def at_middle(quantity: str) -> tuple[float, ...]:
        along = root.numbers(f"{quantity} vs Range Time Polynomial")
        drift = np.polynomial.Polynomial(root.numbers(f"{quantity} vs Azimuth Time Polynomial"))
        # both polynomials have the same constant
        return (float(along[0] + drift(since) - drift(0.0)), *map(float, along[1:]))

    doppler = RangePolynomial(
        azimuth_time=middle, origin=origin, coefficients=at_middle("Centroid")
    )
    fm_rate = RangePolynomial(
        azimuth_time=middle, origin=origin, coefficients=at_middle("Doppler Rate")
    )
    steering = 0.0
    if steered:
        centroid = np.polynomial.Polynomial(root.numbers("Centroid vs Azimuth Time Polynomial"))
        drift, rate = float(centroid.deriv()(since)), fm_rate(origin)
        per_turn = doppler_per_turn(vectors, time=middle, wavelength=grid.wavelength)
        # drift of the image's centroid: rate * beam / (rate - beam), solved for the beam's
        steering = rate * drift / (rate + drift) / per_turn
    return Burst(
        index=0,
        first_line=0,
        grid=grid,
        first_valid_sample=np.zeros(grid.shape.lines, np.int32),
        last_valid_sample=np.full(grid.shape.lines, grid.shape.samples - 1, np.int32),
        doppler=doppler,
        fm_rate=fm_rate,
        steering_rate=steering,
    )


def _geolocation(pixels: _Group, grid: RadarGrid) -> GeolocationGrid:
    """Corners of the image as far as they are given."""
    last = grid.shape.lines - 1.0, grid.shape.samples - 1.0
    found = [
        (
            last[0] * corner.startswith("Bottom"),
            last[1] * corner.endswith("Right"),
            *pixels.numbers(f"{corner} Geodetic Coordinates")[:3],
        )
        for corner in _CORNERS
        if pixels.has(f"{corner} Geodetic Coordinates")
    ]
    corners = np.array(found, dtype=np.float64).reshape(-1, 5)
    ranges = grid.slant_range(corners[:, 1])
    return GeolocationGrid(
        zero_doppler_times=grid.zero_doppler_time(corners[:, 0], ranges),
        slant_range_times=2.0 / SPEED_OF_LIGHT * ranges,
        lines=corners[:, 0],
        pixels=corners[:, 1],
        latitudes=corners[:, 2],
        longitudes=corners[:, 3],
        heights=corners[:, 4],
        incidence_angles=np.full(len(corners), np.nan),
    )
