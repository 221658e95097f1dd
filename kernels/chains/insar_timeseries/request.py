"""What a user says to get the ground's motion from a network of interferograms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.multislc_series.request import read_day
from kernels.chains.options import memory_option, threads_option
from kernels.chains.regions import read_point, read_region
from kernels.chains.request import Request, option
from kernels.errors import RequestError

VERSION = "1.0"
"""Of the results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsarTimeseriesRequest(Request):
    """Unwrapped interferograms, and how to turn them into motion."""

    interferograms: Path = option(
        title="Stack of unwrapped interferograms (ifgramStack.h5 as MintPy keeps it)",
        abstract=(
            "The output interferogram_stack of multislc-series, or a file made by MintPy from "
            "interferograms of ISCE, HyP3, GMTSAR and others."
        ),
        role="raster",
    )
    geometry: Path | None = option(
        default=None,
        title="Geometry of its cells (geometryRadar.h5 as MintPy keeps it; none = no map)",
        abstract=(
            "Needed for maps, for places in degrees, for the error of the elevation and for "
            "the atmosphere by height. Without it results stay in radar geometry."
        ),
        role="raster",
    )
    method: str = option(
        default="l2",
        choices=("l2", "l1"),
        title="Norm of the inversion (l2: least squares, or l1: least absolute residuals)",
    )
    weighting: str = option(
        default="variance",
        choices=("variance", "none"),
        title="Weights of the pairs (variance: of the phase by coherence, or none)",
    )
    minimum_coherence: float = option(
        default=0.3,
        minimum=0.0,
        maximum=1.0,
        title="Least coherence of a cell in a pair, 0 to 1; less is left out of the inversion",
    )
    components: str = option(
        default="reference",
        choices=("reference", "all"),
        title="Connected regions of each pair that are used (reference or all)",
        abstract=(
            "Cycles between regions are unknown, so that only the region of the reference is "
            "sure. all: every region, for stacks whose regions were joined."
        ),
    )
    excluded_pairs: tuple[str, ...] = option(
        default=(),
        title="Pairs to leave out, as 20160605_20160629",
    )
    reference_point: str | None = option(
        default=None,
        title="Where motion is 0: longitude,latitude in degrees (none = the most coherent area)",
        abstract=(
            "The mean of 5 x 5 cells there. Without point and area it is the reference that "
            "MintPy noted in the stack, else the 5 x 5 cells that are most coherent among those "
            "that all pairs know."
        ),
    )
    reference_area: str | None = option(
        default=None,
        title="Where motion is 0 on average: west,south,east,north in degrees",
    )
    reference_day: str | None = option(
        default=None,
        title="Day on which displacement is 0, as 2016-06-05 (none = the first one)",
    )
    unwrapping_correction: str = option(
        default="closure",
        choices=("closure", "none"),
        title="Correction of unwrapping errors (closure or none)",
        abstract=(
            "Whole cycles that contradict the rest of the network are taken out of cells whose "
            "triplets of pairs do not close, where they close better afterwards."
        ),
    )
    disconnected: str = option(
        default="model",
        choices=("model", "mask"),
        title="Cells whose pairs leave days unconnected (model or mask)",
        abstract=(
            "model: the subsets are tied by steady motion and an error of the elevation with a "
            "small weight (NSBAS). mask: such cells have no result."
        ),
    )
    minimum_pairs: float = option(
        default=50.0,
        unit="percent",
        minimum=0.0,
        maximum=100.0,
        title="Least share of the pairs that must know a cell [percent]",
    )
    minimum_temporal_coherence: float = option(
        default=0.7,
        minimum=0.0,
        maximum=1.0,
        title="Least temporal coherence of cells on maps and in pictures, 0 to 1",
    )
    atmosphere: str = option(
        default="none",
        choices=("none", "height", "plane", "plane_height"),
        title="Removal of atmosphere day by day (none, height, plane or plane_height)",
        abstract=(
            "What is linear with height, over rows and columns, or both at once is fitted to "
            "each date, robustly, and taken out. Motion that follows the height of a whole "
            "mountain, or tilts the whole scene, goes with it."
        ),
    )
    tropospheric_delays: Path | None = option(
        default=None,
        title="Delays of the troposphere to be taken out (HDF5 file or folder; none = none)",
        abstract=(
            "On the grid of the interferograms: a file of MintPy's layout (timeseries in metres "
            "with the sign of displacement, as its ERA5.h5), or a folder of rasters with the day "
            "in their names (slant delay in metres, positive)."
        ),
        role="raster",
    )
    dem_error: bool = option(
        default=True,
        title="Estimate the error of the elevation model and take it out (true or false)",
        abstract="From perpendicular baselines; needs a geometry with range and incidence.",
    )
    ortho: str = option(
        default="geographic",
        choices=("geographic", "utm"),
        title="Map projection of the results (geographic or utm)",
    )
    spacing: float | None = option(
        default=None,
        minimum=1e-6,
        maximum=10_000.0,
        title="Pixel size of the maps [degrees or metres] (none = about that of the cells)",
    )
    points: tuple[str, ...] = option(
        default=(),
        title="Points to plot: longitude,latitude in degrees (none = those that move most)",
    )
    threads: int | None = threads_option()
    memory_mb: int = memory_option(1000)

    def __post_init__(self) -> None:
        """Check fields and the rules between them."""
        Request.__post_init__(self)
        if self.reference_point is not None and self.reference_area is not None:
            rule = "left out where there is a reference_point"
            raise RequestError("reference_area", rule, self.reference_area)
        if self.reference_point is not None:
            read_point(self.reference_point, argument="reference_point")
        if self.reference_area is not None:
            read_region(self.reference_area, argument="reference_area")
        for text in self.points:
            read_point(text, argument="points")
        if len(self.points) > MOST_POINTS:
            raise RequestError("points", f"at most {MOST_POINTS}", len(self.points))
        if self.reference_day is not None:
            read_day("reference_day", self.reference_day)
        if self.spacing is not None and self.ortho == "geographic" and self.spacing > 0.1:
            rule = "at most 0.1 degrees for ortho = geographic"
            raise RequestError("spacing", rule, self.spacing)
        if self.spacing is not None and self.ortho == "utm" and self.spacing < 1.0:
            raise RequestError("spacing", "at least 1 metre for ortho = utm", self.spacing)
        if self.geometry is None:
            for name in ("reference_point", "reference_area", "points"):
                if getattr(self, name):
                    raise RequestError(name, "left out without a geometry", getattr(self, name))
            if "height" in self.atmosphere:
                rule = "none or plane without a geometry"
                raise RequestError("atmosphere", rule, self.atmosphere)

    @property
    def zero_day(self) -> date | None:
        """On which displacement is 0."""
        if self.reference_day is None:
            return None
        return read_day("reference_day", self.reference_day)


MOST_POINTS = 12

OUTPUTS = (
    OutputInfo(
        name="velocity",
        title="Velocity towards the satellite, on the map",
        abstract=(
            "Bands velocity and its standard error (m per year; of least squares, as if dates "
            "were independent), temporal coherence, error of the elevation model (m, to be added "
            "to it) and mask (1: reliable)."
        ),
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="velocity_picture",
        title="Picture of the velocity",
        abstract="Millimetres per year, with the reference.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="velocity_style",
        title="QGIS style of the velocity",
        abstract="From blue (away from the satellite) to red (towards it).",
        media_type=MediaType.QML,
    ),
    OutputInfo(
        name="displacement",
        title="Displacement towards the satellite on every date, on the map",
        abstract="One band for each date (m); NaN where it is not reliable.",
        media_type=MediaType.GEOTIFF,
    ),
    OutputInfo(
        name="displacement_picture",
        title="Pictures of the displacement",
        abstract="Small multiples of up to 24 dates.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="cube",
        title="Cube of displacement (with a geometry)",
        abstract="NetCDF with CF coordinates: time, y, x; velocity and its error beside.",
        media_type=MediaType.NETCDF,
        optional=True,
    ),
    OutputInfo(
        name="timeseries",
        title="Displacement in the geometry of the interferograms, as MintPy keeps it",
        abstract="timeseries.h5: metres towards the satellite, corrected as asked for.",
        media_type=MediaType.HDF5,
    ),
    OutputInfo(
        name="mintpy",
        title="Further results as MintPy keeps them",
        abstract="Zip of velocity.h5, temporalCoherence.h5, maskTempCoh.h5 and demErr.h5.",
        media_type=MediaType.ZIP,
    ),
    OutputInfo(
        name="points",
        title="Displacement of points",
        abstract="CSV: point, place, day, displacement (m), and the line fitted to it.",
        media_type=MediaType.CSV,
    ),
    OutputInfo(
        name="points_picture",
        title="Plot of the points",
        abstract="Displacement over time with the fitted velocity.",
        media_type=MediaType.PNG,
    ),
    OutputInfo(
        name="report",
        title="Report",
        abstract="Network, reference, loops, residuals by pair, corrections, figures, timings.",
        media_type=MediaType.JSON,
    ),
)
