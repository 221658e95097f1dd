"""Zero-Doppler geolocation against the annotations' own grids, and its speed beside sarsen.

``python -m benchmarks geolocation --annotation FILE…``: for every annotation the computed
azimuth time, line (with the residual bistatic term) and slant range of the grid's points are
compared with the annotated ones, then random points of the frame are located without any seed.
The last grid row of IW3 is left out: it is 11 to 12 us off in the products themselves.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.error_charts import BOTTOM, LEFT, TOP, draw_sizes
from benchmarks.harness import say
from benchmarks.measuring import measure
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import SPEED_OF_LIGHT, SlcProduct
from kernels.products.annotation import read_annotation
from kernels.products.drawing import Sheet, save_picture

RECENT = (
    "alps_iw_desc_and_grd/*SLC*.SAFE/annotation/*.xml",
    "rome_s1/*SLC*.SAFE/annotation/*.xml",
    "s1_iw3_crop_azores/*.xml",
    "sm_annotations/S1A_S3*.SAFE/annotation/*.xml",
)
"""Products of 2021 and later in the folder of real metadata."""

PICTURE = "accuracy_geolocation.png"
BARS = {"azimuth_us": 2.06, "range_mm": 0.1}
"""What errors should stay within: a thousandth of an IW line, and a tenth of a millimetre."""
POINTS = 1_000_000
_GRID_COLUMNS = 21
_CORNERS = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own options."""
    parser.add_argument(
        "--annotation",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="annotation files of SLC products (default: those of 2021 and later in --shared)",
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="draw the errors into this folder, as PNG"
    )


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    files = arguments.annotation or sorted(
        file for pattern in RECENT for file in arguments.shared.glob(pattern)
    )
    products = []
    errors = []
    for file in files:
        product = read_annotation(file)
        products.append(product)
        errors.append(_grid_errors(product))
        say(f"{file.name}: " + ", ".join(f"{k} {_largest(v):.3f}" for k, v in errors[-1].items()))
    count = POINTS // 10 if arguments.quick else POINTS
    taken = measure(_speed, products[0], count, warm_up=(products[0], 1000))
    figures: dict[str, Any] = {
        "files": len(files),
        "grid_points": sum(p.geolocation.lines.size for p in products),
        "azimuth_error_max_us": max(_largest(e["azimuth_us"]) for e in errors),
        "line_error_max_us": max(_largest(e["line_us"]) for e in errors),
        "range_error_max_mm": max(_largest(e["range_mm"]) for e in errors),
        "random_points": count,
        "mpoints_per_second_core": taken.value,
        "compile_s": taken.compile_s,
    }
    peer, of_peer = _peer(products[0], count)
    figures |= peer
    if arguments.pictures:
        draw_picture(arguments.pictures, errors, of_peer)
    if "peer_mpoints_per_second_core" in figures:
        figures["speed_ratio_vs_peer"] = (
            figures["mpoints_per_second_core"] / figures["peer_mpoints_per_second_core"]
        )
    return figures


def _orbit(product: SlcProduct) -> Orbit:
    times = product.geolocation.zero_doppler_times
    return Orbit.fit(product.state_vectors, start=float(times.min()), stop=float(times.max()))


def _grid_points(product: SlcProduct) -> NDArray[np.float64]:
    grid = product.geolocation
    return geodetic_to_ecef(np.radians(grid.longitudes), np.radians(grid.latitudes), grid.heights)


def _kept(product: SlcProduct) -> NDArray[np.bool_]:
    """Rows of the grid that the product itself places consistently."""
    times = product.geolocation.zero_doppler_times
    kept = np.ones(times.size, np.bool_)
    if product.swath == "IW3":
        kept[-_GRID_COLUMNS:] = False
    return kept


def _grid_errors(product: SlcProduct) -> dict[str, NDArray[np.float64]]:
    """Errors at the grid's points [us, us, mm]."""
    grid, kept = product.geolocation, _kept(product)
    times, ranges = ground_to_radar(_orbit(product), _grid_points(product))
    return {
        "azimuth_us": (times - grid.zero_doppler_times)[kept] * 1e6,
        "line_us": (_line_times(product) - times)[kept] * 1e6,
        "range_mm": (ranges - 0.5 * SPEED_OF_LIGHT * grid.slant_range_times)[kept] * 1e3,
    }


def _largest(values: NDArray[np.float64]) -> float:
    """Largest absolute value; NaN marks points that no line belongs to."""
    return float(np.nanmax(np.abs(values)))


def _line_times(product: SlcProduct) -> NDArray[np.float64]:
    """Zero-Doppler time that the radar grid gives to the grid's lines and ranges."""
    grid = product.geolocation
    ranges = 0.5 * SPEED_OF_LIGHT * grid.slant_range_times
    times = np.full(grid.lines.size, np.nan)
    for burst in product.bursts:
        own = grid.lines - burst.first_line
        inside = (own >= 0) & (own < burst.grid.shape.lines)
        times[inside] = burst.grid.zero_doppler_time(own, ranges)[inside]
    return times


def _random_points(product: SlcProduct, count: int) -> NDArray[np.float64]:
    """Points anywhere between the grid's points, in random order."""
    generator = np.random.default_rng(1)
    corners = _grid_points(product)[
        generator.integers(0, product.geolocation.lines.size, (count, _CORNERS))
    ]
    weights = generator.dirichlet(np.ones(_CORNERS), count)
    points: NDArray[np.float64] = np.einsum("nk,nki->ni", weights, corners)
    return points


def _speed(product: SlcProduct, count: int) -> float:
    """Million points per second of one thread, the best of three."""
    orbit, points = _orbit(product), _random_points(product, count)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        ground_to_radar(orbit, points, threads=1)
        best = min(best, time.process_time() - start)
    return count / best / 1e6


def _peer(product: SlcProduct, count: int) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """Locate the same points with sarsen, if it is installed: figures, and errors as ours."""
    try:
        release = version("sarsen")
    except PackageNotFoundError:
        say("sarsen is not installed (pip install sarsen): no peer's figure")
        return {"peer": "sarsen, not installed"}, {}
    import xarray  # noqa: PLC0415 - a peer, not a dependency
    from sarsen.geocoding import backward_geocode  # noqa: PLC0415
    from sarsen.orbit import OrbitPolyfitInterpolator  # noqa: PLC0415

    vectors = product.state_vectors
    stamps = np.datetime64(vectors.epoch, "ns") + (vectors.times * 1e9).astype("timedelta64[ns]")
    orbit = OrbitPolyfitInterpolator.from_position(
        xarray.DataArray(
            vectors.positions.T,
            dims=("axis", "azimuth_time"),
            coords={"axis": [0, 1, 2], "azimuth_time": stamps},
        )
    )

    def locate(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        array = xarray.DataArray(points, dims=("point", "axis"), coords={"axis": [0, 1, 2]})
        found = backward_geocode(array, orbit)
        times = (found.azimuth_time.values - np.datetime64(vectors.epoch, "ns")).astype(np.int64)
        distance = np.linalg.norm(found.dem_distance.transpose("point", "axis").values, axis=1)
        return times * 1e-9, distance

    times, ranges = locate(_grid_points(product))
    grid, kept = product.geolocation, _kept(product)
    points = _random_points(product, count)
    start = time.process_time()
    locate(points)
    seconds = time.process_time() - start
    errors = {
        "azimuth_us": (times - grid.zero_doppler_times)[kept] * 1e6,
        "range_mm": (ranges - 0.5 * SPEED_OF_LIGHT * grid.slant_range_times)[kept] * 1e3,
    }
    return {
        "peer": f"sarsen {release}",
        "peer_mpoints_per_second_core": count / seconds / 1e6,
        "peer_azimuth_error_max_us": _largest(errors["azimuth_us"]),
        "peer_range_error_max_mm": _largest(errors["range_mm"]),
    }, errors


def draw_picture(
    folder: Path,
    errors: Sequence[Mapping[str, NDArray[np.float64]]],
    of_peer: Mapping[str, NDArray[np.float64]],
) -> None:
    """Draw errors at the points of the annotations' grids.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    errors : sequence of mapping
        Of each annotation: azimuth_us [us] and range_mm [mm], of shape (points,).
    of_peer : mapping
        Of the peer on the first annotation; empty without one.
    """
    count = sum(own["range_mm"].size for own in errors)
    sheet = Sheet(
        width=LEFT + 9.7,
        height=TOP + 3.2 + BOTTOM,
        title="Geolocation against the annotations' own grids",
        subtitle=f"{count} points of {len(errors)} annotations",
    )
    labels = {"azimuth_us": "Azimuth time error [µs]", "range_mm": "Slant range error [mm]"}
    for place, (name, label) in enumerate(labels.items()):
        series = {
            f"all {len(errors)} annotations": np.concatenate([own[name] for own in errors]),
            "the first alone": errors[0][name],
        }
        if of_peer:
            series["sarsen on the first"] = of_peer[name]
        axes = sheet.axes(LEFT + place * 5.1, TOP, 4.2, 3.2)
        draw_sizes(axes, series, label=label, bar=BARS[name])
    folder.mkdir(parents=True, exist_ok=True)
    save_picture(sheet.figure, folder / PICTURE)
