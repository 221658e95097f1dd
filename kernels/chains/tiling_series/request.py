"""What a user says to get a series of ortho tiles, filtered."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.multitemporal_filter import MultitemporalFilterRequest
from kernels.chains.options import (
    dem_heights_option,
    dem_missing_option,
    dem_option,
    memory_option,
    option_of,
    orbits_option,
    threads_option,
)
from kernels.chains.ortho_tiling import OrthoTilingRequest
from kernels.chains.request import Request, option
from kernels.errors import RequestError

NO_FILTER = "none"

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilingSeriesRequest(Request):
    """Tiles, days, where products are, and how to make and filter the tiles."""

    tiles: tuple[str, ...] = option(title="Sentinel-2 tiles, for example 31TGL")
    first_day: str = option(
        title="First day, as 2018-07-01",
        abstract="UTC day on which the acquisition over the tile starts.",
    )
    last_day: str = option(title="Last day, as 2018-07-31", abstract="It belongs to the series.")
    relative_orbit: int | None = option(
        default=None,
        minimum=1,
        maximum=175,
        title="Relative orbit, 1 to 175 (none = all)",
        abstract="Each relative orbit is a series by itself.",
    )
    direction: str | None = option(
        default=None,
        choices=("ascending", "descending"),
        title="Direction of the orbit (ascending or descending; none = both)",
    )
    products: tuple[Path, ...] = option(
        title="Folders to search for Sentinel-1 GRD products, or products",
        abstract="SAFE folders and zips at any depth; names and manifests tell which to take.",
        role="datalake",
    )
    mode: str = option(
        default="IW",
        choices=("IW", "EW", "SM"),
        title="Mode of acquisition (IW, EW or SM)",
    )
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("sea")
    orbits: Path | None = orbits_option()
    polarisations: tuple[str, ...] = option_of(OrthoTilingRequest, "polarisations")
    calibration: str = option_of(OrthoTilingRequest, "calibration")
    remove_noise: bool = option_of(OrthoTilingRequest, "remove_noise")
    interpolation: str = option_of(OrthoTilingRequest, "interpolation")
    resolution: float = option_of(OrthoTilingRequest, "resolution")
    minimum_coverage: float = option_of(OrthoTilingRequest, "minimum_coverage")
    filter: str = option_of(
        MultitemporalFilterRequest,
        "method",
        choices=("quegan", "ratio", "lee", NO_FILTER),
        title="Filter (quegan, ratio, lee or none)",
    )
    window: int = option_of(MultitemporalFilterRequest, "window")
    looks: float | None = option_of(MultitemporalFilterRequest, "looks")
    refilter: bool = option_of(MultitemporalFilterRequest, "refilter")
    masks: tuple[str, ...] = option_of(OrthoTilingRequest, "masks")
    names: str = option_of(OrthoTilingRequest, "names")
    layout: str = option_of(OrthoTilingRequest, "layout", default="folders")
    compression: str = option_of(OrthoTilingRequest, "compression")
    archive: str = option_of(OrthoTilingRequest, "archive")
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.days[1] < self.days[0]:
            rule = f"the first day, {self.first_day}, or later"
            raise RequestError("last_day", rule, self.last_day)
        self.tiling(products=self.products)
        self.filtering(series=self.products)

    @property
    def days(self) -> tuple[date, date]:
        """First and last day."""
        return _day("first_day", self.first_day), _day("last_day", self.last_day)

    def tiling(self, **changed: Any) -> OrthoTilingRequest:
        """Return the request of some tiles of one pass, checked by its own rules."""
        return OrthoTilingRequest(**(self._shared(OrthoTilingRequest) | changed))

    def filtering(self, **changed: Any) -> MultitemporalFilterRequest:
        """Return the request that filters one series, checked by its own rules."""
        shared = self._shared(MultitemporalFilterRequest) | {"compression": "same"}
        if self.filter != NO_FILTER:
            shared["method"] = self.filter
        return MultitemporalFilterRequest(**(shared | changed))

    def _shared(self, kind: type[Request]) -> dict[str, Any]:
        """Values of the fields that another request has too."""
        own = {item.name for item in fields(self)}
        return {item.name: getattr(self, item.name) for item in fields(kind) if item.name in own}


def _day(name: str, text: str) -> date:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise RequestError(name, "a day of the calendar as 2018-07-20", text) from error


OUTPUTS = (
    OutputInfo(
        name="series",
        title="All tiles and filtered tiles",
        abstract="Zip with the layout of the output folder, and the report.",
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="newest_tile",
        title="The newest tile, filtered",
        abstract="Of the newest day, the tile with the most data, as one GeoTIFF for a map.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="quicklook",
        title="Quicklook of that tile",
        abstract="Before and after the filter, pixel by pixel, in decibels.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Days with their products and covered shares, what was left out and why, looks.",
        media_type=MediaType.JSON,
    ),
)
