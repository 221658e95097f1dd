"""What a user says to get a coregistered series of images and its interferograms."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.dinsar_pair.request import DinsarPairRequest
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
from kernels.chains.regions import read_region
from kernels.chains.request import Request, option
from kernels.errors import RequestError
from kernels.insar.networks import NETWORKS, read_pair
from kernels.model import GeographicBox

VERSION = "1.0"
"""Of the results."""

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultislcSeriesRequest(Request):
    """A track, days, a reference, and what to make of the images."""

    products: tuple[Path, ...] = option(
        title="Folders to search for SLC products, or products",
        abstract="At any depth; names and headers tell which to take. Slices of a pass are joined.",
        role="slc_datalake",
    )
    catalogue: bool = option(
        default=False,
        title="Fetch first what catalogues have of the track on the region (true or false)",
        abstract=(
            "Sentinel-1 products of these days that are not here, into the data folders of the "
            "server; without it the series is made of what is here."
        ),
    )
    first_day: str = option(
        title="First day, as 2016-06-01 or 20160601",
        abstract="UTC day on which the pass begins; it belongs to the series.",
    )
    last_day: str = option(title="Last day, as 2016-09-30; it belongs to the series")
    excluded_days: tuple[str, ...] = option(
        default=(),
        title="Days to leave out, for example of known bad acquisitions",
    )
    track: int | None = option(
        default=None,
        minimum=1,
        maximum=175,
        title="Relative orbit, 1 to 175 (none = that of all images)",
    )
    reference: str | None = option(
        default=None,
        title="Reference (master): a day, a product or a measurement file (none = chosen)",
        abstract=(
            "All images are resampled onto it. Without it the image is chosen whose baselines to "
            "the others are smallest in time and space."
        ),
    )
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("fail")
    orbits: Path | None = orbits_option()
    polarisation: str = option_of(DinsarPairRequest, "polarisation")
    swaths: tuple[str, ...] = option_of(DinsarPairRequest, "swaths")
    region: str | None = option_of(DinsarPairRequest, "region")
    first_burst: int | None = option_of(DinsarPairRequest, "first_burst")
    last_burst: int | None = option_of(DinsarPairRequest, "last_burst")
    azimuth_looks: int | None = option_of(DinsarPairRequest, "azimuth_looks")
    range_looks: int | None = option_of(DinsarPairRequest, "range_looks")
    kernel: int = option_of(DinsarPairRequest, "kernel")
    correlation: str = option_of(DinsarPairRequest, "correlation")
    correlation_threshold: float = option_of(DinsarPairRequest, "correlation_threshold")
    correlation_gap: float = option_of(DinsarPairRequest, "correlation_gap")
    esd: str = option(
        default="auto",
        choices=("off", "auto"),
        title="Enhanced spectral diversity, all passes jointly (off or auto)",
        abstract=(
            "Azimuth shifts from the overlaps of bursts, of each date with its neighbours in "
            "time, solved jointly; where coherence is too low the orbits are trusted."
        ),
    )
    esd_threshold: float = option_of(DinsarPairRequest, "esd_threshold")
    corrections: tuple[str, ...] = option_of(DinsarPairRequest, "corrections")
    interferograms: bool = option(
        default=True,
        title="Make interferograms of the network (true or false: only coregistered images)",
    )
    network: str = option(
        default="reference",
        choices=NETWORKS,
        title="Pairs (reference, consecutive, small_baseline or list)",
        abstract=(
            "All dates with the reference, each date with the next one, all pairs within limits "
            "of days and baseline, or the pairs listed."
        ),
    )
    largest_days: int = option(
        default=36,
        minimum=1,
        maximum=10_000,
        title="Most days between the images of a pair, 1 to 10000 (small_baseline)",
    )
    largest_baseline: float = option(
        default=150.0,
        unit="m",
        minimum=0.0,
        maximum=10_000.0,
        title="Largest perpendicular baseline of a pair [m] (small_baseline)",
    )
    pairs: tuple[str, ...] = option(
        default=(),
        title="Pairs of days, as 20160605_20160629 (list)",
    )
    linking: str = option(
        default="none",
        choices=("none", "dolphin"),
        title="Phases of pairs from all images together (none or dolphin)",
        abstract=(
            "With dolphin, an extra, every image gets one phase from the coherence of all pairs, "
            "and pairs are made of these: for ground whose coherence is lost within months."
        ),
    )
    gain: float = option(
        default=1.0,
        minimum=1e-6,
        maximum=1e6,
        title="Factor of the amplitudes of interferograms",
    )
    coherence: str = option_of(DinsarPairRequest, "coherence")
    phase_filter: str = option_of(DinsarPairRequest, "phase_filter")
    filter_strength: float = option_of(DinsarPairRequest, "filter_strength")
    unwrapping: str = option_of(DinsarPairRequest, "unwrapping")
    unwrapping_coherence: float = option_of(DinsarPairRequest, "unwrapping_coherence")
    reference_point: str | None = option_of(DinsarPairRequest, "reference_point")
    reference_area: str | None = option_of(DinsarPairRequest, "reference_area")
    ortho: str = option_of(
        DinsarPairRequest,
        "ortho",
        choices=("geographic", "utm", "none"),
        title="Map projection of the interferograms (geographic, utm or none)",
    )
    spacing: float | None = option_of(DinsarPairRequest, "spacing")
    like: Path | None = option_of(DinsarPairRequest, "like")
    light: bool = option(
        default=True,
        title="Leave the coregistered images out of the results (true or false)",
        abstract="They stay in the store for later runs where there is one.",
    )
    store: Path | None = option(
        default=None,
        title="Folder that keeps coregistered images from run to run (none = with the results)",
        role="store",
    )
    archive: str = option_of(OrthoTilingRequest, "archive")
    threads: int | None = threads_option()
    memory_mb: int = memory_option(4000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.days[1] < self.days[0]:
            rule = f"the first day, {self.first_day}, or later"
            raise RequestError("last_day", rule, self.last_day)
        for text in self.excluded_days:
            read_day("excluded_days", text)
        for text in self.pairs:
            read_pair(text)
        if (self.network == "list") != bool(self.pairs):
            rule = "given with network = list, and only then"
            raise RequestError("pairs", rule, ", ".join(self.pairs) or "none")
        if self.catalogue and (self.track is None or self.region is None):
            raise RequestError("catalogue", "false without track and region", "true")
        if self.linking != "none" and self.coherence != "plain":
            rule = "plain with linking, whose temporal coherence has no bias of few looks"
            raise RequestError("coherence", rule, self.coherence)
        self.pair(self.products, self.products)
        self._check_pairs()

    def _check_pairs(self) -> None:
        """Refuse what would be left undone without a word."""
        if self.unwrapping != "none" and not self.interferograms:
            raise RequestError("unwrapping", "none without interferograms", self.unwrapping)
        if self.ortho != "none":
            return
        if self.phase_filter != "none" and self.unwrapping == "none":
            raise RequestError("phase_filter", "none without map and unwrapping", self.phase_filter)
        for name in ("reference_point", "reference_area"):
            if getattr(self, name) is not None:
                rule = "left out where there is no map for the displacement"
                raise RequestError(name, rule, getattr(self, name))

    @property
    def days(self) -> tuple[date, date]:
        """First and last day."""
        return read_day("first_day", self.first_day), read_day("last_day", self.last_day)

    @property
    def box(self) -> GeographicBox | None:
        """The region of interest."""
        return None if self.region is None else read_region(self.region)

    def pair(
        self, reference: tuple[Path, ...], secondary: tuple[Path, ...], **changed: Any
    ) -> DinsarPairRequest:
        """Return the request of one pair of dates, checked by its own rules."""
        own = {item.name for item in fields(self)} - {"reference", "esd"}
        shared = {f.name: getattr(self, f.name) for f in fields(DinsarPairRequest) if f.name in own}
        if self.ortho == "none":
            shared["ortho"] = "geographic"
        both = {"reference": reference, "secondary": secondary, "esd": self.esd}
        return DinsarPairRequest(**(shared | both | changed))


def read_day(name: str, text: str) -> date:
    """Read a day of the calendar with or without dashes; raises RequestError naming the option."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise RequestError(name, "a day of the calendar as 2016-06-05", text) from error


OUTPUTS = (
    OutputInfo(
        name="series",
        title="The folders of the series",
        abstract=(
            "Zip with a folder for the reference and one for each pair, named as DiapOTB names "
            "them, and the products of the stack."
        ),
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="interferogram_stack",
        title="Unwrapped interferograms as MintPy reads them (with unwrapping)",
        abstract="ifgramStack.h5 of insar-timeseries and MintPy.",
        media_type=MediaType.HDF5,
        optional=True,
    ),
    OutputInfo(
        name="geometry",
        title="Geometry of the interferograms as MintPy reads it (with unwrapping)",
        abstract="geometryRadar.h5 of insar-timeseries and MintPy.",
        media_type=MediaType.HDF5,
        optional=True,
    ),
    OutputInfo(
        name="mean_amplitude",
        title="Mean amplitude of all dates",
        abstract="Bands mean amplitude (DN) and amplitude dispersion, in radar geometry.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="baselines",
        title="Table of baselines",
        abstract="Days, perpendicular and parallel baselines and Doppler by date, CSV.",
        media_type=MediaType.CSV,
    ),
    OutputInfo(
        name="baselines_picture",
        title="Plot of the network",
        abstract="Dates by perpendicular baseline, pairs as lines.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="phase_picture",
        title="Pictures of the interferograms",
        abstract="Small multiples of the wrapped phase of up to 24 pairs.",
        media_type=MediaType.PNG,
        optional=True,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Dates, what was left out, shifts, baselines, network, coherence, timings.",
        media_type=MediaType.JSON,
    ),
)
