"""Write SCS products of COSMO-SkyMed: one HDF5 file of attributes and pixels.

ASI, "COSMO-SkyMed SAR Products Handbook". The attributes are those that readers of images need;
what only the instrument could fill is left out. See simulated products for the one user of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProcessingError
from kernels.model import SPEED_OF_LIGHT, GeolocationGrid, SlcProduct
from kernels.products.annotation_head import midnight
from kernels.products.beam_steering import doppler_per_turn

_MODES = {"SM": "HIMAGE", "SL": "ENHANCED SPOTLIGHT"}
_GROUP, _IMAGE = "S01", "SBI"
_CHUNK = (64, 256, 2)


def write_cosmo_skymed(path: Path, image: SlcProduct) -> Path:
    """Write a product of one image without its pixels, which read as 0 until they are written.

    Parameters
    ----------
    path : Path
        Of the HDF5 file.
    image : SlcProduct
        One burst; its name is that of the product.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    """
    shape = (*image.grid.shape, 2)
    chunks = tuple(min(pair) for pair in zip(_CHUNK, shape, strict=True))
    with _opened(path, "w") as file:
        file.attrs.update(_root(image))
        band = file.create_group(_GROUP)
        band.attrs.update(
            {
                "Polarisation": _text(image.polarisation),
                "PRF": 1.0 / image.grid.line_interval,
                "Range Focusing Bandwidth": image.range_bandwidth,
                "Azimuth Focusing Bandwidth": image.azimuth_bandwidth,
            }
        )
        pixels = band.create_dataset(_IMAGE, shape=shape, dtype=np.int16, chunks=chunks)
        pixels.attrs.update(_raster(image))
    return path


def _root(image: SlcProduct) -> dict[str, Any]:
    grid, vectors = image.grid, image.state_vectors
    reference = midnight(image.start)
    to_reference = (vectors.epoch - reference).total_seconds()
    return {
        "Mission ID": b"CSK",
        "Satellite ID": _text(image.platform),
        "Product Filename": _text(f"{image.name}.h5"),
        "Product Type": b"SCS_B",
        "Acquisition Mode": _text(_MODES[image.mode]),
        "Multi-Beam ID": _text(image.swath),
        "Lines Order": b"EARLY-LATE",
        "Columns Order": b"NEAR-FAR",
        "Look Side": _text(grid.look_side.value.upper()),
        "Orbit Direction": b"ASCENDING" if image.ascending else b"DESCENDING",
        "Orbit Number": np.int32(image.absolute_orbit),
        "L1A Software Version": _text(image.processor.rpartition(" ")[2]),
        "Radar Frequency": SPEED_OF_LIGHT / grid.wavelength,
        "Radar Wavelength": grid.wavelength,
        "Reference UTC": _instant(reference),
        "Scene Sensing Start UTC": _instant(image.start),
        "Scene Sensing Stop UTC": _instant(image.stop),
        "Number of State Vectors": np.int32(vectors.times.size),
        "State Vectors Times": vectors.times + to_reference,
        "ECEF Satellite Position": vectors.positions,
        "ECEF Satellite Velocity": vectors.velocities,
        **_dopplers(image, reference),
    }


def _dopplers(image: SlcProduct, reference: datetime) -> dict[str, Any]:
    """Centroid and rate along range at mid-image; a turning beam makes the centroid drift."""
    burst, grid = image.bursts[0], image.grid
    middle = grid.first_line_time + burst.mid_line * grid.line_interval
    centroid, origin = np.array(burst.doppler.coefficients), burst.doppler.origin
    # both polynomials are about one range time
    rate = np.polynomial.Polynomial(burst.fm_rate.coefficients)
    rate = rate(np.polynomial.Polynomial([origin - burst.fm_rate.origin, 1.0]))
    beam = burst.steering_rate * doppler_per_turn(
        image.state_vectors, time=middle, wavelength=grid.wavelength
    )
    drift = rate.coef[0] * beam / (rate.coef[0] - beam)
    to_reference = (grid.epoch - reference).total_seconds()
    return {
        "Azimuth Polynomial Reference Time": middle + to_reference,
        "Range Polynomial Reference Time": origin,
        "Centroid vs Azimuth Time Polynomial": np.array([centroid[0], drift, 0.0]),
        "Centroid vs Range Time Polynomial": centroid,
        "Doppler Rate vs Azimuth Time Polynomial": np.array([rate.coef[0], 0.0]),
        "Doppler Rate vs Range Time Polynomial": rate.coef,
    }


def _raster(image: SlcProduct) -> dict[str, Any]:
    grid = image.grid
    reference = midnight(image.start)
    first = (grid.epoch - reference).total_seconds() + grid.first_line_time
    per_metre = 2.0 / SPEED_OF_LIGHT
    last = grid.shape.lines - 1, grid.shape.samples - 1
    return {
        "Zero Doppler Azimuth First Time": first,
        "Zero Doppler Azimuth Last Time": first + last[0] * grid.line_interval,
        "Line Time Interval": grid.line_interval,
        "Zero Doppler Range First Time": per_metre * grid.first_slant_range,
        "Zero Doppler Range Last Time": per_metre * grid.slant_range(float(last[1])),
        "Column Time Interval": per_metre * grid.slant_range_spacing,
        "Column Spacing": grid.slant_range_spacing,
        **{
            f"{row} {column} Geodetic Coordinates": _nearest(image.geolocation, line, sample)
            for row, line in (("Top", 0), ("Bottom", last[0]))
            for column, sample in (("Left", 0), ("Right", last[1]))
        },
    }


def _nearest(points: GeolocationGrid, line: int, sample: int) -> NDArray[np.float64]:
    """Latitude, longitude [degrees] and height [m] of the tie point nearest to a pixel."""
    k = int(np.argmin(np.hypot(points.lines - line, points.pixels - sample)))
    return np.array([points.latitudes[k], points.longitudes[k], points.heights[k]])


def _text(value: str) -> bytes:
    return value.encode("ascii")


def _instant(time: datetime) -> bytes:
    return _text(time.isoformat(sep=" ", timespec="microseconds"))


class Hdf5Writer:
    """Takes the lines of an image, in any order; made by `fill_cosmo_skymed`."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def write(self, first_line: int, pixels: NDArray[np.int16]) -> None:
        """Write whole lines.

        Parameters
        ----------
        first_line : int
            Line of the image.
        pixels : ndarray of int16, shape (lines, samples, 2)
            Real and imaginary parts.
        """
        self._dataset[first_line : first_line + pixels.shape[0]] = pixels


@contextmanager
def fill_cosmo_skymed(path: Path) -> Iterator[Hdf5Writer]:
    """Open a product that `write_cosmo_skymed` made, for its pixels.

    Parameters
    ----------
    path : Path
        Of the HDF5 file.

    Yields
    ------
    Hdf5Writer
        Used from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the pixels.
    """
    with _opened(path, "r+") as file:
        yield Hdf5Writer(file[_GROUP][_IMAGE])


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[Any]:
    import h5py  # noqa: PLC0415  # of use for this sensor alone

    try:
        with h5py.File(path, mode) as file:
            yield file
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written, is the disk full?") from error
