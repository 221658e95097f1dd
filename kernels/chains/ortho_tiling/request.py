"""What a user says to get ortho tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.options import (
    dem_heights_option,
    dem_missing_option,
    dem_option,
    memory_option,
    orbits_option,
    threads_option,
)
from kernels.chains.request import Request, option
from kernels.errors import RequestError
from kernels.geometry.mgrs import is_tile

TILE_SIZE = 109_800
"""Side of a Sentinel-2 tile [m]."""

GAMMA_NAUGHT_RTC, NORMLIM = "gamma_naught_rtc", "normlim"
"""Calibrations that need the terrain, as S1Tiling spells them."""


class Mask(StrEnum):
    """Rasters beside the backscatter of a tile and pass."""

    INCIDENCE = "incidence"
    LAYOVER_SHADOW = "layover_shadow"
    BORDER = "border"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrthoTilingRequest(Request):
    """Products of one pass or more, the tiles to fill, and how."""

    products: tuple[Path, ...] = option(
        title="Products (Sentinel-1 GRD or SLC, SAFE folders or zips)",
        abstract=(
            "One product, or several; contiguous slices of one pass fill a tile together. "
            "Those of one pass are all GRD or all SLC; SLC are detected on the fly, in as many "
            "looks as the resolution asks for."
        ),
        role="product",
    )
    tiles: tuple[str, ...] = option(
        default=(),
        title="Sentinel-2 tiles, for example 31TDJ (none = all that are covered)",
    )
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("sea")
    orbits: Path | None = orbits_option()
    polarisations: tuple[str, ...] = option(
        default=(),
        choices=("VV", "VH", "HH", "HV"),
        title="Polarisations (none = all of the products)",
    )
    calibration: str = option(
        default="gamma",
        choices=("gamma", "sigma", "beta", GAMMA_NAUGHT_RTC, NORMLIM),
        title="Calibration (gamma, sigma, beta, gamma_naught_rtc or normlim)",
        abstract=(
            "On the ellipsoid, or corrected for the terrain: gamma_naught_rtc is gamma nought over "
            "the area that the radar sees of the relief, normlim is sigma nought by the local "
            "incidence."
        ),
    )
    masks: tuple[str, ...] = option(
        default=(),
        choices=tuple(mask.value for mask in Mask),
        title="Masks beside each tile (incidence, layover_shadow or border)",
        abstract=(
            "Local incidence angle; what is in layover or shadow; where the images have data."
        ),
    )
    remove_noise: bool = option(
        default=False,
        title="Remove thermal noise (true or false)",
        abstract="Backscatter that falls to 0 becomes 1e-7; 0 means no data.",
    )
    interpolation: str = option(
        default="bicubic",
        choices=("nearest", "bilinear", "bicubic"),
        title="Interpolation of intensity (nearest, bilinear or bicubic)",
    )
    resolution: float = option(
        default=10.0,
        unit="m",
        minimum=5.0,
        maximum=1000.0,
        title="Pixel size [m], 5 to 1000, a divisor of 109800",
    )
    minimum_coverage: float = option(
        default=10.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        title="Least share of a tile with data [%], 0 to 100",
    )
    names: str = option(
        default="s1tiling",
        choices=("s1tiling", "peps"),
        title="Names of the files (s1tiling = one per polarisation, peps = one for all)",
    )
    layout: str = option(
        default="flat",
        choices=("flat", "folders"),
        title="Where the files are (flat = side by side, or folders)",
        abstract="Folders are those of PEPS: S1-L1-ORTHO, tile, year, month, day.",
    )
    decibels: bool = option(
        default=False,
        title="Decibels (true or false)",
        abstract="10 log10 of the backscatter, NaN where there is no data; not to be filtered.",
    )
    composite: bool = option(
        default=False,
        title="Quicklook as a colour composite (true or false)",
        abstract=(
            "Red is the co-polarised image, green the cross-polarised one, blue their ratio: for "
            "products of two polarisations."
        ),
    )
    compression: str = option(
        default="ZSTD",
        choices=("ZSTD", "DEFLATE", "LERC", "NONE"),
        title="Compression (ZSTD, DEFLATE, LERC or NONE)",
        abstract="LERC is half as large and errs by up to 0.00001, in decibels by 0.01.",
    )
    archive: str = option(
        default="all",
        choices=("all", "report"),
        title="Contents of the zip (all files, or the report only)",
        abstract="All is for clients of a server; on this machine the folder holds the files.",
    )
    threads: int | None = threads_option()
    memory_mb: int = memory_option(600)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        for tile in self.tiles:
            if not is_tile(tile):
                raise RequestError("tiles", "names of Sentinel-2 tiles", tile)
        # decimal fractions of a metre do not divide exactly in binary
        if abs(math.remainder(TILE_SIZE, self.resolution)) > 1e-6:
            raise RequestError("resolution", f"a divisor of {TILE_SIZE} m", self.resolution)
        if self.compression == "LERC" and self.decibels and self.names == "peps":
            # GDAL writes, but cannot read, LERC with NaN in several bands
            raise RequestError(
                "compression", "ZSTD, DEFLATE or NONE for decibels under names = peps", "LERC"
            )

    @property
    def corrects_terrain(self) -> bool:
        """Whether the calibration needs the terrain beyond its height."""
        return self.calibration in (GAMMA_NAUGHT_RTC, NORMLIM)


OUTPUTS = (
    OutputInfo(
        name="tiles",
        title="All tiles",
        abstract="Zip of one GeoTIFF per tile and polarisation, masks and the report.",
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="first_tile",
        title="The tile with the most data",
        abstract="One calibrated Cloud Optimized GeoTIFF by itself, for a map.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="quicklook",
        title="Quicklook of that tile",
        abstract="Backscatter in decibels, stretched; or a colour composite.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="quicklook_map",
        title="The quicklook on the map",
        abstract="The same picture as a GeoTIFF of colours.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Tiles with their covered share, products, orbits, what was left out and why.",
        media_type=MediaType.JSON,
    ),
)
