"""What a user says to filter a series of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.options import (
    memory_option,
    threads_option,
)
from kernels.chains.request import Request, option
from kernels.errors import RequestError
from kernels.geometry.mgrs import is_tile


@dataclass(frozen=True, slots=True, kw_only=True)
class MultitemporalFilterRequest(Request):
    """Images of one track and polarisation on one grid, and how to filter them."""

    series: tuple[Path, ...] = option(
        title="Series (folder of GeoTIFFs, or one GeoTIFF per acquisition)",
        abstract=(
            "Linear intensities on one grid, of one relative orbit and one polarisation; 0 and "
            "NaN are no data. Tags, else names such as s1b_31TGL_vv_DES_139_20180720t060000.tif, "
            "tell orbit, polarisation and time. Folders are searched at any depth up to six, as "
            "S1-L1-ORTHO/31TGL/2018/07/20; the results lie in the same folders below the output."
        ),
        role="raster",
    )
    tile: str | None = option(
        default=None,
        title="Sentinel-2 tile, for example 31TGL (none = the only one)",
        abstract="Chooses among the files of a folder.",
    )
    state: Path | None = option(
        default=None,
        title="State of an earlier run (GeoTIFF, none = that of the output folder)",
        abstract=(
            "Sums over the acquisitions filtered before; those of the series that it does not "
            "hold are added, and nothing else is read."
        ),
        role="raster",
    )
    polarisation: str | None = option(
        default=None,
        choices=("VV", "VH", "HH", "HV"),
        title="Polarisation (VV, VH, HH or HV; none = the only one)",
        abstract="Chooses among the files of a folder, and the band of a file that holds two.",
    )
    relative_orbit: int | None = option(
        default=None,
        minimum=1,
        maximum=175,
        title="Relative orbit, 1 to 175 (none = the only one)",
        abstract="Chooses among the files of a folder.",
    )
    method: str = option(
        default="quegan",
        choices=("quegan", "ratio", "lee"),
        title="Filter (quegan, ratio or lee)",
        abstract=(
            "Quegan and Yu; the ratio to the temporal mean, filtered and multiplied back; or "
            "Lee for each acquisition by itself."
        ),
    )
    window: int = option(
        default=7,
        minimum=3,
        maximum=31,
        title="Side of the window [pixels], odd, 3 to 31",
        unit="pixels",
    )
    looks: float | None = option(
        default=None,
        minimum=0.1,
        maximum=10_000.0,
        title="Equivalent number of looks of one acquisition (none = measured)",
        abstract="About 4.4 for Sentinel-1 GRDH at 10 m.",
    )
    refilter: bool = option(
        default=False,
        title="Filter all of the series again when acquisitions are added (true or false)",
        abstract=(
            "Otherwise the earlier results stay as they are: filtered with the acquisitions "
            "known then."
        ),
    )
    compression: str = option(
        default="same",
        choices=("same", "ZSTD", "DEFLATE", "LERC", "NONE"),
        title="Compression of the results (same as the series, ZSTD, DEFLATE, LERC or NONE)",
        abstract="Results of Cloud Optimized GeoTIFFs are such themselves.",
    )
    archive: str = option(
        default="all",
        choices=("all", "report"),
        title="Contents of the zip (all acquisitions, or the report only)",
        abstract="All is for clients of a server; on this machine the folder holds the files.",
    )
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.window % 2 == 0:
            raise RequestError("window", "odd", self.window)
        if self.tile is not None and not is_tile(self.tile):
            raise RequestError("tile", "the name of a Sentinel-2 tile", self.tile)


OUTPUTS = (
    OutputInfo(
        name="filtered",
        title="Newest acquisition, filtered",
        abstract="Linear intensities, same grid, missing value and tags as the acquisition.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="filtered_series",
        title="All acquisitions, filtered",
        abstract="Zip of the report and one GeoTIFF per acquisition, named ..._filtered.tif.",
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="state",
        title="State: sums and number of acquisitions of each pixel",
        abstract="Give it back as the input state when there is a new acquisition.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="picture",
        title="Quicklook before and after",
        abstract="Middle of the newest acquisition and of its filtered version, in decibels.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Acquisitions, looks predicted and measured, warnings, versions, timings.",
        media_type=MediaType.JSON,
    ),
)
