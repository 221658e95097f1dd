"""Types that adapters, downloader, index and command line share.

Times are aware datetimes in UTC. Geometry is GeoJSON (longitude first, EPSG:4326), as plain dicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

Geometry = Mapping[str, Any]
"""GeoJSON geometry: Polygon or MultiPolygon of a footprint, also Point of an area."""


class Box(NamedTuple):
    """West, south, east, north [degrees]; west is larger than east across the antimeridian."""

    west: float
    south: float
    east: float
    north: float


class Storage(StrEnum):
    """Where a product is."""

    LOCAL = "local"
    """On this machine's disks."""
    DISK = "disk"
    """At the provider, ready to be fetched."""
    TAPE = "tape"
    """At the provider, to be staged first."""
    STAGING = "staging"
    """On its way from tape."""
    UNKNOWN = "unknown"
    """The provider does not know now, which says nothing for ever."""


class Checksum(NamedTuple):
    """Of the file that is fetched: name of the algorithm as hashlib has it, lower-case digits."""

    algorithm: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to a catalogue; None and empty mean any.

    Attributes
    ----------
    collection : str
        S1, S2, S2ST, S3, SpotWorldHeritage or any other name.
    product_type, mode, polarisation, platform : str or None
        For example GRD, IW, VV VH, S1A; product types and modes of other collections as
        they are (S2MSI1C, INS-NOBS, SPOT4).
    area : Box, Geometry or None
        Where footprints must meet it.
    point : tuple of (float, float) or None
        Longitude and latitude, with `radius_m` around it.
    radius_m : float
        Of a point [m].
    place : str
        Name that the catalogue resolves.
    tile : str
        MGRS tile, without the T.
    start, stop : datetime or None
        First and last instant of the acquisition's start, both included.
    absolute_orbit, relative_orbit : int or None
        Orbits.
    direction : str
        ascending or descending.
    largest_cloud_cover : float or None
        [%]; products that do not say theirs are kept.
    names : tuple of str
        Product names, without .SAFE.
    most : int or None
        Results at most.
    """

    collection: str = "S1"
    product_type: str | None = None
    mode: str | None = None
    polarisation: str | None = None
    platform: str | None = None
    area: Box | Geometry | None = None
    point: tuple[float, float] | None = None
    radius_m: float = 10_000.0
    place: str = ""
    tile: str = ""
    start: datetime | None = None
    stop: datetime | None = None
    absolute_orbit: int | None = None
    relative_orbit: int | None = None
    direction: str = ""
    largest_cloud_cover: float | None = None
    names: tuple[str, ...] = ()
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as a catalogue knows it.

    Attributes
    ----------
    name : str
        Without .SAFE or .zip.
    identifier : str
        Of the catalogue.
    catalog : str
        Name of the catalogue that says so: peps, geodes, cdse, local, ...
    collection, product_type, mode, polarisation, platform : str
        As far as they are known, else empty.
    start, stop : datetime or None
        Acquisition.
    absolute_orbit, relative_orbit : int or None
        Orbits.
    direction : str
        ascending, descending or empty.
    footprint : Geometry or None
        Polygon or MultiPolygon.
    cloud_cover : float or None
        [%].
    size : int or None
        Of the file that is fetched [bytes].
    checksum : Checksum or None
        Of the same.
    storage : Storage
        Where it is.
    address : str
        To fetch it from; empty where there is none.
    path : Path or None
        Of a local product.
    quicklook : str
        Address of a picture.
    published : datetime or None
        When the catalogue got it.
    properties : mapping
        Everything else that the catalogue said.
    """

    name: str
    identifier: str = ""
    catalog: str = ""
    collection: str = ""
    product_type: str = ""
    mode: str = ""
    polarisation: str = ""
    platform: str = ""
    start: datetime | None = None
    stop: datetime | None = None
    absolute_orbit: int | None = None
    relative_orbit: int | None = None
    direction: str = ""
    footprint: Geometry | None = None
    cloud_cover: float | None = None
    size: int | None = None
    checksum: Checksum | None = None
    storage: Storage = Storage.UNKNOWN
    address: str = ""
    path: Path | None = None
    quicklook: str = ""
    published: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


class Credentials(Protocol):
    """Access to one provider; knows secrets and never shows them."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a request now; fetches or refreshes a token where needed."""
        ...

    def refuse(self) -> bool:
        """Hear that the headers were refused (401); True where asking again makes sense."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a provider lets files be fetched, whichever they are.

    Attributes
    ----------
    credentials : Credentials or None
        For its own hosts only.
    connections : int
        At once with one host.
    ca_bundle : Path or None
        Authorities that certificates are checked against; None: those of the downloader.
    poll_s : float or None
        Longest time between two questions whether a product has come from tape [s]; None: that
        of the errand.
    """

    credentials: Credentials | None = None
    connections: int = 2
    ca_bundle: Path | None = None
    poll_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Access):
    """How to fetch one product.

    Attributes
    ----------
    address : str
        Of the bytes; the credentials are for its host only.
    size : int or None
        [bytes]; None where the catalogue does not say or what it says cannot be trusted.
    checksum : Checksum or None
        Likewise.
    retry_after_unit_s : float
        Unit of a number in Retry-After [s]; 0.001 at PEPS.
    not_found_means_access : bool
        True where the provider answers 404 to wrong credentials.
    own_way : callable or None
        Brings the product by other means than its address, into an empty folder, and returns
        where it is: an archive, or its unpacked folder.
    """

    address: str
    size: int | None = None
    checksum: Checksum | None = None
    retry_after_unit_s: float = 1.0
    not_found_means_access: bool = False
    own_way: Callable[[Path], Path] | None = None

    @classmethod
    def of(cls, access: Access, *, own: bool = True, **about: Any) -> Self:
        """Make a source at a provider; one that is not its `own` gets no credentials."""
        common = {one.name: getattr(access, one.name) for one in fields(Access)}
        return cls(**{**common, **({} if own else {"credentials": None}), **about})


class Catalog(Protocol):
    """A place that knows products."""

    name: str

    def search(self, query: Query) -> Iterator[Product]:
        """Find products, each once, page by page as they are asked for; raises CatalogError."""
        ...

    def refresh(self, product: Product) -> Product:
        """Ask again where a product is; raises NotFoundError if it is gone."""
        ...

    def source(self, product: Product) -> Source:
        """Tell how to fetch a product; raises AccessError without credentials."""
        ...
