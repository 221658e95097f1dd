"""What a user says to find products."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.model import Query
from catalog.query import read_query
from kernels.chains.request import Request, option
from processes.catalogue.asking import INPUTS, told_as_ours

_WHERE = "Only one of area, point, tile and place may be given."


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRequest(Request):
    """A question to the catalogues of the server; what is left out may be anything."""

    names: tuple[str, ...] = option(
        default=(),
        title="Names of products, with or without .SAFE or .zip",
    )
    collection: str = option(default="S1", title="Collection: S1, S2, S2ST, S3 or another")
    product_type: str | None = option(default=None, title="Product type: SLC, GRD, OCN ...")
    mode: str | None = option(default=None, title="Mode of the sensor: IW, EW, SM, WV ...")
    polarisation: str | None = option(
        default=None, title="Polarisations: VV, VH, HH or HV, or two of them with a blank between"
    )
    platform: str | None = option(default=None, title="Platform: S1A, S1B, S1C ...")
    area: str | None = option(
        default=None,
        title="Area: west,south,east,north in degrees, or GeoJSON, or WKT",
        abstract=f"Footprints that meet it are found; west may be larger than east. {_WHERE}",
    )
    point: str | None = option(
        default=None, title="Point: longitude,latitude in degrees", abstract=_WHERE
    )
    tile: str | None = option(
        default=None, title="Tile of the Sentinel-2 grid, for example 31TCJ", abstract=_WHERE
    )
    place: str | None = option(
        default=None,
        title="Name of a place, for catalogues that know places",
        abstract=_WHERE,
    )
    first_day: str | None = option(
        default=None, title="First day or instant: 2016-08-15 or 2016-08-15T01:46:50Z"
    )
    last_day: str | None = option(
        default=None, title="Last day or instant, included: 2016-08-15 or 2016-08-15T01:46:50Z"
    )
    relative_orbit: int | None = option(
        default=None, minimum=1, maximum=999, title="Relative orbit (track), 1 to 999"
    )
    absolute_orbit: int | None = option(default=None, minimum=1, title="Absolute orbit")
    direction: str | None = option(
        default=None,
        choices=("ascending", "descending"),
        title="Direction: ascending or descending",
    )
    largest_cloud_cover: float | None = option(
        default=None,
        unit="%",
        minimum=0,
        maximum=100,
        title="Largest cloud cover [%], 0 to 100",
        abstract="Products of which the catalogue does not know it are found too.",
    )
    most: int = option(
        default=100, minimum=1, maximum=1000, title="Number of products at most, 1 to 1000"
    )

    def __post_init__(self) -> None:
        """Check each field, and that all of them make a query."""
        Request.__post_init__(self)
        self.query()

    def query(self) -> Query:
        """Return the question as catalogues understand it; raises RequestError."""
        texts = {info.name: getattr(self, info.name) for info in self.describe()}
        texts["names"] = ",".join(self.names)
        for argument, name in INPUTS.items():
            texts[argument] = texts.pop(name)
        with told_as_ours():
            return read_query(**{name: str(v) for name, v in texts.items() if v is not None})
