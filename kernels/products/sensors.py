"""Single-look complex products of every sensor, through one door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from kernels.errors import ProductError
from kernels.model import Looks, SlcProduct
from kernels.products import cosmo_skymed, terrasar_x
from kernels.products.safe import MANIFEST
from kernels.products.sentinel1 import open_sentinel1
from kernels.products.sentinel1_names import Image


class SlcSource(Protocol):
    """A product of single-look complex images that are read on demand."""

    @property
    def name(self) -> str:
        """Without folder or ending."""
        ...

    @property
    def platform(self) -> str:
        """Of the satellite, for example S1A, TSX1 or CSKS1."""
        ...

    @property
    def mode(self) -> str:
        """IW, EW or WV; SM for StripMap; SL, HS or ST for Spotlight."""
        ...

    @property
    def start(self) -> datetime:
        """Of sensing [UTC, naive]."""
        ...

    @property
    def stop(self) -> datetime:
        """Of sensing [UTC, naive]."""
        ...

    @property
    def images(self) -> tuple[Image, ...]:
        """Swaths, or beams, and polarisations."""
        ...

    def tracks(self) -> frozenset[int]:
        """Track numbers that the satellites of the sensor share; empty where there are none."""
        ...

    def slc(
        self,
        swath: str,
        polarisation: str,
        *,
        need_pixels: bool = True,
        epoch: datetime | None = None,
    ) -> SlcProduct:
        """Read the metadata of one image; its pixels are read later, by block."""
        ...


class Sensor(NamedTuple):
    """A family of satellites whose images make pairs.

    Attributes
    ----------
    name : str
        Of the sensor.
    accepts : str
        What its products are, for people.
    recognises : callable
        Tells from names and markers, without opening it, whether a path is a product.
    opens : callable
        Opens a product with precise orbits, or with its own where it is given None.
    looks : dict of str to Looks
        Looks that make cells of some 10 to 15 m by mode; those of "" hold for any other mode.
    """

    name: str
    accepts: str
    recognises: Callable[[Path], bool]
    opens: Callable[[Path, Path | None], SlcSource]
    looks: Mapping[str, Looks]

    def looks_of(self, mode: str) -> Looks:
        """Return the looks of a mode."""
        return self.looks.get(mode, self.looks[""])


def _is_sentinel1(path: Path) -> bool:
    return (
        path.name == MANIFEST
        or path.suffix in (".SAFE", ".zip")
        or path.name.startswith("S1")
        or (path / MANIFEST).is_file()
    )


def _is_terrasar_x(path: Path) -> bool:
    return (path.is_dir() or path.suffix == ".xml") and path.name.startswith(
        ("TSX1_", "TDX1_", "PAZ1_")
    )


SENSORS = (
    Sensor(
        "Sentinel-1",
        "a Sentinel-1 SLC, SAFE folder or zip",
        _is_sentinel1,
        lambda path, orbits: open_sentinel1(path, orbits=orbits),
        {"SM": Looks(azimuth=3, range=3), "": Looks(azimuth=2, range=8)},
    ),
    Sensor(
        "TerraSAR-X",
        "a TerraSAR-X, TanDEM-X or PAZ SSC, folder or its XML",
        _is_terrasar_x,
        lambda path, _: terrasar_x.open_terrasar_x(path),
        {"SM": Looks(azimuth=6, range=5), "": Looks(azimuth=12, range=10)},
    ),
    Sensor(
        "COSMO-SkyMed",
        "a COSMO-SkyMed SCS, HDF5",
        lambda path: path.suffix in (".h5", ".hdf5"),
        lambda path, _: cosmo_skymed.open_cosmo_skymed(path),
        {"SM": Looks(azimuth=5, range=5), "": Looks(azimuth=16, range=16)},
    ),
)
"""The next sensor is one line here."""


def sensor_of(path: Path) -> Sensor:
    """Find the sensor that a product is of.

    Parameters
    ----------
    path : Path
        File or folder.

    Returns
    -------
    Sensor
        The product itself has not been opened.

    Raises
    ------
    ProductError
        If there is nothing, or it is of no known sensor.
    """
    if not path.exists():
        raise ProductError(f"{path.name} does not exist")
    for sensor in SENSORS:
        if sensor.recognises(path):
            return sensor
    accepted = "; ".join(sensor.accepts for sensor in SENSORS)
    raise ProductError(f"{path.name} must be {accepted}")


def open_slc(path: Path, *, orbits: Path | None = None) -> SlcSource:
    """Open a product of any sensor; no pixels are read.

    Parameters
    ----------
    path : Path
        File or folder.
    orbits : Path or None
        Precise orbits for sensors that have them apart (Sentinel-1); None: the product's own.

    Returns
    -------
    SlcSource
        Its images are read by its method slc.

    Raises
    ------
    ProductError
        If it is of no known sensor, or damaged.
    OrbitError
        If the orbit folder does not exist.
    """
    return sensor_of(path).opens(path, orbits)
