"""What a user says to get an interferogram of two images."""

from __future__ import annotations

from dataclasses import dataclass
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
from kernels.chains.regions import read_point, read_region
from kernels.chains.request import Request, option
from kernels.errors import RequestError
from kernels.insar.adjustment import FLATTENINGS
from kernels.insar.timing import CORRECTIONS
from kernels.insar.unwrapping import UNWRAPPERS
from kernels.model import GeographicBox

VERSION = "1.0"
"""Of the results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DinsarPairRequest(Request):
    """Two SLC products, a DEM, and how to combine them."""

    reference: tuple[Path, ...] = option(
        title="Reference product or its slices (SLC of Sentinel-1, TerraSAR-X or COSMO-SkyMed)",
        abstract=(
            "The earlier or master image; its geometry is the geometry of the result. Sentinel-1 "
            "SAFE folder or zip (contiguous slices of one pass, in any order, are joined); "
            "TerraSAR-X, TanDEM-X or PAZ SSC folder or its XML; COSMO-SkyMed SCS in HDF5."
        ),
        role="slc",
    )
    secondary: tuple[Path, ...] = option(
        title="Secondary product or its slices (SLC of the same sensor, mode and track)",
        abstract=(
            "The later or slave image; it is resampled onto the reference. Its slices need not "
            "begin or end where those of the reference do."
        ),
        role="slc",
    )
    dem: tuple[Path, ...] = dem_option()
    dem_heights: str = dem_heights_option()
    dem_missing: str = dem_missing_option("fail")
    orbits: Path | None = orbits_option()
    polarisation: str = option(
        default="VV",
        choices=("VV", "VH", "HH", "HV"),
        title="Polarisation (VV, VH, HH or HV)",
    )
    swaths: tuple[str, ...] = option(
        default=(),
        title="Swaths or beams (IW1, IW2, IW3; S1 to S6; STRIP_011; none = all of the product)",
    )
    region: str | None = option(
        default=None,
        title="Region of interest: west,south,east,north in degrees (none = all)",
        abstract=(
            "Only bursts that touch it are processed, and the map is cut to it; west is larger "
            "than east across the antimeridian."
        ),
    )
    first_burst: int | None = option(
        default=None,
        minimum=1,
        title="First burst of the reference, counted from 1 over all slices (none = first)",
    )
    last_burst: int | None = option(
        default=None,
        minimum=1,
        title="Last burst of the reference, included (none = last)",
    )
    azimuth_looks: int | None = option(
        default=None,
        minimum=1,
        maximum=64,
        title="Looks in azimuth, 1 to 64 (none = 2 for IW, else by sensor)",
    )
    range_looks: int | None = option(
        default=None,
        minimum=1,
        maximum=64,
        title="Looks in range, 1 to 64 (none = 8 for IW, else by sensor)",
    )
    kernel: int = option(
        default=12,
        choices=(8, 12),
        title="Taps of the resampling kernel (8 = fast, 12 = accurate)",
    )
    flattening: str = option(
        default="topography",
        choices=FLATTENINGS,
        title="Phase that is removed (none, ellipsoid or topography)",
        abstract=(
            "Nothing at all, that of the ellipsoid (flat earth), or that of the terrain; the "
            "images are coregistered with the terrain in any case."
        ),
    )
    correlation: str = option(
        default="off",
        choices=("off", "constant", "plane"),
        title="Refinement by correlation of the amplitudes (off, constant or plane)",
        abstract=(
            "Offsets of patches in azimuth and range: their common part moves the secondary as a "
            "whole, or as a plane over the scene; the orbits and the terrain give the rest. "
            "Comes before the enhanced spectral diversity."
        ),
    )
    correlation_threshold: float = option(
        default=0.3,
        minimum=0.05,
        maximum=0.99,
        title="Correlation from which a patch counts, 0.05 to 0.99",
    )
    correlation_gap: float = option(
        default=0.7,
        unit="pixels",
        minimum=0.05,
        maximum=8.0,
        title="Largest distance of an offset from the median of all [pixels], 0.05 to 8",
    )
    correlation_patches: int = option(
        default=100,
        minimum=10,
        maximum=10_000,
        title="Patches of 64 x 64 pixels to correlate in a burst or StripMap image, 10 to 10000",
        abstract="They are spread evenly; their lines alone are read.",
    )
    esd: str = option(
        default="auto",
        choices=("off", "auto", "1", "2", "3", "4", "5"),
        title="Enhanced spectral diversity (off, auto or a number of iterations, 1 to 5)",
        abstract=(
            "Azimuth shift from the overlaps of bursts; auto iterates until it no longer "
            "matters. Where coherence is too low the orbits are trusted and the report says so."
        ),
    )
    esd_threshold: float = option(
        default=0.3,
        minimum=0.05,
        maximum=0.99,
        title="Coherence from which a part of an overlap counts, 0.05 to 0.99",
    )
    phase_offsets: str = option(
        default="none",
        choices=("none", "swath", "burst"),
        title="Constant phases to estimate and remove (none, one per swath or one per burst)",
        abstract="For pairs whose bursts differ by constants, as those of S1C with S1D do.",
    )
    fine_metadata: str = option(
        default="off",
        choices=("off", "on"),
        title="Correct first line and near range by the amplitude simulated from the terrain",
        abstract=(
            "For images whose timing is off by metres or more; needs relief, and reads the whole "
            "reference. Both images are corrected alike."
        ),
    )
    fine_metadata_threshold: float = option(
        default=0.3,
        minimum=0.05,
        maximum=0.99,
        title="Correlation with the simulated amplitude from which a patch counts, 0.05 to 0.99",
    )
    corrections: tuple[str, ...] = option(
        default=("bistatic",),
        choices=(*CORRECTIONS, "none"),
        title="Timing corrections (bistatic, doppler_range, fm_rate; or none)",
        abstract=(
            "Of what the processor approximates: the rest of the bistatic delay, the shift in "
            "range by the Doppler frequency, the mismatch of the azimuth FM rate; in both images "
            "alike."
        ),
    )
    tides: str = option(
        default="off",
        choices=("off", "on"),
        title="Remove the difference of the solid earth tides (off or on)",
        abstract="Needs the package pyTMD.",
    )
    coherence: str = option(
        default="plain",
        choices=("plain", "unbiased"),
        title="Coherence estimate (plain or unbiased)",
        abstract=(
            "Few looks show coherence even in noise; unbiased takes that away, so that noise has 0."
        ),
    )
    phase_filter: str = option(
        default="none",
        choices=("none", "goldstein", "adaptive"),
        title="Phase filter (none, goldstein or adaptive)",
        abstract=(
            "Goldstein's filter gives a further, filtered interferogram and helps the unwrapping; "
            "adaptive filters more where coherence is lower."
        ),
    )
    filter_strength: float = option(
        default=0.7,
        minimum=0.0,
        maximum=1.0,
        title="Strength of the Goldstein filter, 0 (nothing) to 1",
    )
    unwrapping: str = option(
        default="none",
        choices=("none", *UNWRAPPERS),
        title="Phase unwrapping (none, mcf or snaphu)",
        abstract=(
            "Gives displacement in metres. mcf is a minimum cost flow, free for any use; snaphu "
            "has to be installed and is free for non-commercial use."
        ),
    )
    unwrapping_coherence: float = option(
        default=0.2,
        minimum=0.0,
        maximum=0.95,
        title="Coherence from which phase is unwrapped, 0 to 0.95",
        abstract="Mean of 5 x 5 cells of about 4 x 16 looks; never less than what noise shows.",
    )
    reference_point: str | None = option(
        default=None,
        title="Where displacement is 0: longitude,latitude in degrees (none = median)",
        abstract=(
            "The mean of 5 x 5 cells there. Without point and area, displacement is relative to "
            "the median of the largest connected region."
        ),
    )
    reference_area: str | None = option(
        default=None,
        title="Where displacement is 0 on average: west,south,east,north in degrees",
    )
    ortho: str = option(
        default="geographic",
        choices=("geographic", "utm"),
        title="Map projection of the result (geographic or utm)",
    )
    spacing: float | None = option(
        default=None,
        minimum=1e-6,
        maximum=1000.0,
        title="Pixel size of the result [degrees or metres] (none = 0.0001 degrees or 10 m)",
    )
    like: Path | None = option(
        default=None,
        title="Raster whose map grid the result takes (none = by projection and spacing)",
        abstract="Any north-up GeoTIFF on the ground of the pair; its pixels do not matter.",
        role="raster",
    )
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.region is not None:
            read_region(self.region)
        self._check_reference()
        if self.like is not None and self.spacing is not None:
            raise RequestError("spacing", "left out where like gives the grid", self.spacing)
        if self.first_burst and self.last_burst and self.last_burst < self.first_burst:
            raise RequestError(
                "last_burst", f"at least first_burst = {self.first_burst}", self.last_burst
            )
        if "none" in self.corrections and len(self.corrections) > 1:
            raise RequestError("corrections", "none alone or others", ", ".join(self.corrections))
        if self.tides == "on" and self.flattening == "none":
            raise RequestError("tides", "off where no phase is removed by flattening", "on")
        if self.spacing is not None and self.ortho == "geographic" and self.spacing > 0.1:
            raise RequestError(
                "spacing", "at most 0.1 degrees for ortho = geographic", self.spacing
            )
        if self.spacing is not None and self.ortho == "utm" and self.spacing < 1.0:
            raise RequestError("spacing", "at least 1 metre for ortho = utm", self.spacing)

    def _check_reference(self) -> None:
        given = self.reference_point is not None, self.reference_area is not None
        if all(given):
            raise RequestError(
                "reference_area", "left out where there is a reference_point", self.reference_area
            )
        if any(given) and self.unwrapping == "none":
            name = "reference_point" if given[0] else "reference_area"
            raise RequestError(name, "left out without unwrapping", getattr(self, name))
        if self.reference_point is not None:
            read_point(self.reference_point, argument="reference_point")
        if self.reference_area is not None:
            read_region(self.reference_area, argument="reference_area")

    @property
    def box(self) -> GeographicBox | None:
        """The region of interest."""
        return None if self.region is None else read_region(self.region)


OUTPUTS = (
    OutputInfo(
        name="interferogram",
        title="Interferogram on the map",
        abstract=(
            "Bands amplitude, phase (rad), coherency, isData and line-of-sight displacement "
            "towards the satellite (m, wrapped to half a wavelength)."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="interferogram_radar",
        title="Interferogram in radar geometry",
        abstract=(
            "Bands amplitude, phase (rad), coherency, isData; zip of one GeoTIFF with its style "
            "per swath, and one of all swaths side by side."
        ),
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="phase_picture",
        title="Picture of the wrapped phase",
        abstract="Phase over amplitude, with a colour wheel, axes and scale.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="coherence_picture",
        title="Picture of the coherence",
        abstract="Coherence with its colour bar, axes and scale.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="style",
        title="QGIS style of the interferogram",
        abstract="Cyclic colours for the phase band; load it in the layer's properties.",
        media_type=MediaType.QML,
    ),
    OutputInfo(
        name="filtered",
        title="Filtered interferogram on the map (with a phase filter)",
        abstract="The bands of the interferogram; the phase is filtered, the others are the same.",
        media_type=MediaType.GEOTIFF,
        optional=True,
    ),
    OutputInfo(
        name="displacement",
        title="Displacement on the map (with unwrapping)",
        abstract=(
            "Bands displacement towards the satellite (m), unwrapped phase (rad), component, "
            "incidence (rad), and east, north and up of the unit vector to the satellite."
        ),
        media_type=MediaType.GEOTIFF,
        optional=True,
    ),
    OutputInfo(
        name="displacement_picture",
        title="Picture of the displacement (with unwrapping)",
        abstract="Displacement with its colour bar, axes, scale and the reference.",
        media_type=MediaType.PNG,
        optional=True,
    ),
    OutputInfo(
        name="displacement_style",
        title="QGIS style of the displacement (with unwrapping)",
        abstract="From blue (away from the satellite) to red (towards it).",
        media_type=MediaType.QML,
        optional=True,
    ),
    OutputInfo(
        name="stac_item",
        title="STAC item of the result",
        abstract="Footprint, dates, orbit, radar and grid, and the files that there are.",
        media_type=MediaType.GEOJSON,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Orbits used, baselines, height of ambiguity, coherence, versions, timings.",
        media_type=MediaType.JSON,
    ),
)
