"""Detected images on a map: ground range, interpolation, borders, and where targets come out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyproj
import pytest
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from kernels.engine.bands import Band
from kernels.geometry.orbit import Orbit
from kernels.model import (
    Dem,
    GeographicBox,
    GroundRangeGrid,
    GroundRangeRecord,
    MapGrid,
    Shape,
)
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.calibration import LATTICE_STEP
from kernels.radiometry.detected import (
    Calibrated,
    DetectedGeometry,
    Interpolation,
    SquaredAmplitudes,
    Window,
)
from kernels.radiometry.noise import NoiseTables
from kernels.simulation import (
    Acquisition,
    Background,
    DetectedMode,
    Scene,
    TargetGrid,
    Track,
    load_detected_truth,
    simulate_detected,
    volcano_island,
)
from tests.geometry.scenes import EPOCH, circular_orbit, radar_grid, rough_dem
from tests.series import CENTRE, START

Array = NDArray[np.float64]
IMAGE = Shape(70, 90)
WHOLE = Window(lines=Band(0, IMAGE.lines), pixels=Band(0, IMAGE.samples))


def unit(shape: Shape, interpolation: Interpolation, noise: float | None = None) -> Calibrated:
    """Calibration by 1, with the same noise everywhere."""
    nodes = shape.lines // LATTICE_STEP + 2, shape.samples // LATTICE_STEP + 2
    tables = NoiseTables(
        vector_lines=np.zeros(1),
        vectors=np.full((1, shape.samples), noise or 0.0, np.float32),
        last_samples=np.full((shape.lines, 1), shape.samples, np.int32),
        factors=np.ones((shape.lines, 1), np.float32),
    )
    return Calibrated(
        lattice=np.ones(nodes, np.float32),
        noise=None if noise is None else tables,
        interpolation=interpolation,
    )


def intensities_of(amplitudes: NDArray[np.uint16]) -> NDArray[np.float32]:
    return np.where(amplitudes > 0, amplitudes.astype(np.float32) ** 2, np.float32(np.nan))


def sampled(
    calibrated: Calibrated, lines: Array, pixels: Array, image: NDArray[np.uint16]
) -> NDArray[np.float32]:
    out = np.zeros((1, lines.size), np.float32)
    backscatter = intensities_of(image)
    calibrated.calibrate(backscatter, WHOLE)
    calibrated.sample((lines[None], pixels[None]), backscatter, WHOLE, out)
    return out[0]


@dataclass(frozen=True)
class Amplitudes:
    """An image in memory; a `DetectedReader`."""

    image: NDArray[np.uint16]

    @property
    def shape(self) -> Shape:
        return Shape(*self.image.shape)

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.uint16]:
        stop = None if samples is None else first_sample + samples
        return self.image[first_line : first_line + lines, first_sample:stop]


def test_intensities_are_squares_and_zero_is_no_data() -> None:
    image = np.array([[9, 9, 9], [0, 7, 65535]], np.uint16)
    found = SquaredAmplitudes(Amplitudes(image)).read(1, 1, 0, 3)
    assert found.dtype == np.float32
    # 65535 squared needs 32 bits: single precision keeps 24
    np.testing.assert_allclose(found, [[np.nan, 49.0, 65535.0**2]], rtol=1e-7)
    np.testing.assert_array_equal(
        SquaredAmplitudes(Amplitudes(image)).read(1, 1, 1), [[49.0, found[0, 2]]]
    )


def ramp() -> NDArray[np.uint16]:
    """Amplitudes that are linear, whose intensities so are quadratic."""
    line, pixel = np.indices(IMAGE)
    return (200 + 3 * line + 2 * pixel).astype(np.uint16)


def inner_places(margin: float) -> tuple[Array, Array]:
    generator = np.random.default_rng(3)
    lines = generator.uniform(margin, IMAGE.lines - 1 - margin, 2000)
    return lines, generator.uniform(margin, IMAGE.samples - 1 - margin, 2000)


def test_cubic_convolution_is_exact_for_quadratic_intensity() -> None:
    """Keys 1981: with a = -1/2 polynomials up to the second degree are reproduced."""
    lines, pixels = inner_places(1.0)
    found = sampled(unit(IMAGE, Interpolation.BICUBIC), lines, pixels, ramp())
    np.testing.assert_allclose(found, (200.0 + 3.0 * lines + 2.0 * pixels) ** 2, rtol=2e-6)


@pytest.mark.parametrize(
    ("interpolation", "order"), [(Interpolation.BILINEAR, 1), (Interpolation.NEAREST, 0)]
)
def test_smaller_kernels_are_those_of_scipy(interpolation: Interpolation, order: int) -> None:
    lines, pixels = inner_places(0.0)
    image = np.random.default_rng(4).integers(1, 500, IMAGE).astype(np.uint16)
    expected = map_coordinates(image.astype(np.float64) ** 2, [lines, pixels], order=order)
    found = sampled(unit(IMAGE, interpolation), lines, pixels, image)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0.1)


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_zeros_of_a_border_do_not_bleed(interpolation: Interpolation) -> None:
    """A level image with a border comes out level, up to the pixel nearest to the border."""
    image = np.full(IMAGE, 150, np.uint16)
    image[:20] = image[55:] = 0
    image[:, 60:] = image[:, :12] = 0
    lines, pixels = inner_places(0.0)
    found = sampled(unit(IMAGE, interpolation), lines, pixels, image)
    near_line, near_pixel = np.floor(lines + 0.5), np.floor(pixels + 0.5)
    inside = (near_line >= 20) & (near_line < 55) & (near_pixel >= 12) & (near_pixel < 60)
    assert 0.2 < inside.mean() < 0.4
    np.testing.assert_allclose(found[inside], 150.0**2, rtol=1e-6)
    assert (found[~inside] == 0.0).all()


@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_pixels_outside_the_image_or_unknown_are_no_data(interpolation: Interpolation) -> None:
    lines = np.array([-0.51, 69.51, 30.0, 30.0, np.nan, 30.0, 69.49, -0.49])
    pixels = np.array([40.0, 40.0, -0.51, 89.51, 40.0, np.nan, 40.0, 40.0])
    image = np.full(IMAGE, 150, np.uint16)
    found = sampled(unit(IMAGE, interpolation), lines, pixels, image)
    np.testing.assert_array_equal(found > 0.0, [False] * 6 + [True] * 2)


def test_signal_that_falls_to_nothing_is_still_data() -> None:
    image = np.full(IMAGE, 30, np.uint16)
    image[:, :40] = 0
    image[:, 60:] = 50
    at = np.full(3, 35.0), np.array([20.0, 50.0, 80.0])
    found = sampled(unit(IMAGE, Interpolation.NEAREST, noise=1600.0), *at, image)
    np.testing.assert_allclose(found, [0.0, 1e-7, 900.0], rtol=1e-6)


def test_what_an_earlier_image_has_filled_is_kept() -> None:
    out = np.array([[3.0, 0.0, 7.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32)
    places = np.full((2, 3), 10.0), np.tile(np.arange(3.0), (2, 1))
    image = np.full(IMAGE, 4.0, np.float32)
    unit(IMAGE, Interpolation.NEAREST).sample(places, image, WHOLE, out, first_column=1)
    np.testing.assert_array_equal(out, [[3.0, 4.0, 7.0, 4.0], [0.0, 4.0, 4.0, 4.0]])


def test_calibration_is_that_of_the_place() -> None:
    lattice = np.add.outer(np.arange(3.0), 0.25 * np.arange(4.0)).astype(np.float32) + 1.0
    calibrated = replace(unit(IMAGE, Interpolation.NEAREST), lattice=lattice)
    line, pixel = np.indices(IMAGE)
    expected = 1.0 + (line + 0.25 * pixel) / LATTICE_STEP
    for lines, pixels in ((Band(0, 70), Band(0, 90)), (Band(39, 3), Band(41, 49))):
        part = (slice(lines[0], sum(lines)), slice(pixels[0], sum(pixels)))
        image = np.full((lines.rows, pixels.rows), 3.0, np.float32)
        calibrated.calibrate(image, Window(lines=lines, pixels=pixels))
        np.testing.assert_allclose(image, 3.0 * expected[part], rtol=1e-6)


def ground_grid() -> GroundRangeGrid:
    """Image whose records differ by several pixels, so that a wrong one would be seen.

    The slant-to-ground polynomials are nonsense: the ground-to-slant ones alone place pixels.
    """
    records = tuple(
        GroundRangeRecord(
            azimuth_time=-0.62 + 0.25 * k,
            slant_range_origin=845_000.0,
            slant_to_ground=(1.0, 1.0),
            ground_range_origin=2.0 * k,
            ground_to_slant=(845_000.0 + 3.0 * k, 0.55 + 1e-3 * k, 2e-7, 1e-12 * (k - 2)),
        )
        for k in range(5)
    )
    return GroundRangeGrid(
        epoch=EPOCH,
        first_line_time=-0.5,
        line_interval=0.0015,
        shape=Shape(500, 900),
        wavelength=0.0555,
        bistatic_range=848_000.0,
        ground_range_spacing=10.0,
        records=records,
    )


@pytest.fixture(scope="module")
def geometry() -> DetectedGeometry:
    to_map = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32633", always_xy=True)
    west, north = to_map.transform(12.77, 20.83)
    grid = MapGrid(
        crs="EPSG:32633",
        west=west,
        north=north,
        x_spacing=20.0,
        y_spacing=20.0,
        shape=Shape(500, 500),
    )
    dem = rough_dem(west=12.7, east=13.0, south=20.6, north=20.9)
    return DetectedGeometry.of(ground_grid(), circular_orbit(), grid, dem)


def test_ground_range_is_linear_in_time_between_records(geometry: DetectedGeometry) -> None:
    grid = ground_grid()
    times = np.array([record.azimuth_time for record in grid.records])
    used = set()
    for row in range(0, 500, 7):
        lines, pixels = (values[0] for values in geometry.places(Band(row, 1)))
        _, (same, ranges) = geometry.geometry.row(row)
        np.testing.assert_array_equal(lines, same)
        inside = (lines > -1.0) & (lines < 500.0)
        assert np.isfinite(pixels).all()
        for column in np.flatnonzero(inside)[::11]:
            if not 0.0 <= pixels[column] <= 899.0:
                continue
            line_time = grid.first_line_time + lines[column] * grid.line_interval
            used.add(int(np.searchsorted(times, line_time)))
            ground = pixels[column] * 10.0
            of_records = [
                np.polynomial.polynomial.polyval(
                    ground - record.ground_range_origin, record.ground_to_slant
                )
                for record in grid.records
            ]
            # 2 cm, four thousandths of a pixel: the inverses are interpolated, not the inverse
            # of what is interpolated, and these records differ in slope by a thousandth
            expected = np.interp(line_time, times, of_records)
            assert ranges[column] == pytest.approx(expected, abs=2e-2)
    assert len(used) >= 3


@pytest.mark.parametrize("columns", [Band(0, 500), Band(0, 256), Band(256, 130)])
def test_the_window_holds_all_that_the_kernels_of_a_block_need(
    geometry: DetectedGeometry, columns: Band
) -> None:
    shape = ground_grid().shape
    seen = 0
    for first in range(0, 500, 64):  # on nodes, so that nothing is seen beyond the first row
        rows = Band(first, min(64, 500 - first))
        window = geometry.window(rows, columns)
        for row in range(rows.first, rows.first + rows.rows):
            lines, pixels = (values[0] for values in geometry.places(Band(row, 1), columns))
            inside = (lines > -0.5) & (lines < shape.lines - 0.5)
            inside &= (pixels > -0.5) & (pixels < shape.samples - 0.5)
            seen += int(inside.sum())
            for band, values, size in (
                (window.lines, lines[inside], shape.lines),
                (window.pixels, pixels[inside], shape.samples),
            ):
                if values.size:
                    assert band.first <= max(np.floor(values.min()) - 1, 0)
                    last = min(np.floor(values.max()) + 2, size - 1)
                    assert band.first + band.rows - 1 >= last
    assert seen > 5_000


def test_rows_far_from_the_image_have_an_empty_window(geometry: DetectedGeometry) -> None:
    late = replace(ground_grid(), first_line_time=9.0)
    moved = replace(
        ground_grid(),
        first_line_time=9.0,
        records=tuple(replace(r, azimuth_time=r.azimuth_time + 9.5) for r in late.records),
    )
    map_geometry = geometry.geometry
    there = DetectedGeometry.of(moved, circular_orbit(), map_geometry.grid, map_geometry.dem)
    assert there.window(Band(0, 60), Band(0, 500)).lines.rows == 0


def test_an_image_in_slant_range_is_placed_by_its_spacing(geometry: DetectedGeometry) -> None:
    image = radar_grid(Shape(500, 3000))
    on_map = geometry.geometry
    seen = DetectedGeometry.of(image, circular_orbit(), on_map.grid, on_map.dem)
    for row in (3, 250, 499):
        _, pixels = seen.places(Band(row, 1))
        _, (_, ranges) = on_map.block(Band(row, 1), Band(0, 500))
        np.testing.assert_allclose(image.slant_range(pixels), ranges, rtol=0, atol=1e-6)  # [m]
    window = seen.window(Band(0, 500), Band(0, 500))
    assert window.lines.rows > 2
    assert window.pixels.rows > 2


def bright_points(folder: Path, track: Track) -> tuple[Path, Path, Dem]:
    """Product, truth and terrain: targets on a volcano with slopes up to 40 degrees."""
    x, y = track.longitude, track.latitude
    box = GeographicBox(x - 0.2, y - 0.15, x + 0.2, y + 0.15)
    dem = volcano_island(box, radius=8000.0, summit=2500.0)
    made = simulate_detected(
        Scene(dem=dem),
        [Acquisition(centre=START)],
        folder,
        track=track,
        mode=DetectedMode(lines=1500, samples=1500),
        background=Background(level=100.0, quantity=None, looks=None),
        target_grid=TargetGrid(count=400),
    )
    return made.products[0], made.truth, dem


def brightness_centres(image: NDArray[np.float32], rows: Array, columns: Array) -> Array:
    """Centroids [pixels] of 5 x 5 pixels about the brightest one near each place."""
    found = []
    for row, column in zip(np.rint(rows).astype(int), np.rint(columns).astype(int), strict=True):
        near = image[row - 3 : row + 4, column - 3 : column + 4]
        peak = np.unravel_index(near.argmax(), near.shape)
        i, j = row - 3 + int(peak[0]), column - 3 + int(peak[1])
        level = np.median(image[i - 8 : i + 9, j - 8 : j + 9])
        patch = np.clip(image[i - 2 : i + 3, j - 2 : j + 3].astype(np.float64) - level, 0.0, None)
        at = np.mgrid[i - 2 : i + 3, j - 2 : j + 3]
        found.append((at * patch).sum(axis=(1, 2)) / patch.sum())
    return np.array(found)


@pytest.mark.parametrize(
    ("track", "crs"),
    [
        (Track(longitude=CENTRE[0], latitude=CENTRE[1]), "EPSG:32740"),
        (Track(longitude=8.3, latitude=46.5, ascending=True), "EPSG:32632"),
    ],
    ids=["descending in the south", "ascending in the north"],
)
def test_targets_on_steep_relief_lie_where_they_are(track: Track, crs: str, tmp_path: Path) -> None:
    path, truth_folder, dem = bright_points(tmp_path, track)
    image = open_sentinel1(path).grd("VV")
    truth = load_detected_truth(truth_folder).targets
    to_map = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = to_map.transform(truth.longitude, truth.latitude)
    west, north = 10.0 * np.floor(x.min() / 10.0) - 200.0, 10.0 * np.ceil(y.max() / 10.0) + 200.0
    rows, columns = (north - y) / 10.0 - 0.5, (x - west) / 10.0 - 0.5
    shape = Shape(int(rows.max()) + 20, int(columns.max()) + 20)
    grid = MapGrid(crs=crs, west=west, north=north, x_spacing=10.0, y_spacing=10.0, shape=shape)
    start = image.grid.first_line_time
    stop = start + image.grid.shape.lines * image.grid.line_interval
    orbit = Orbit.fit(image.state_vectors, start=start, stop=stop)
    geometry = DetectedGeometry.of(image.grid, orbit, grid, dem)
    calibrated = unit(image.grid.shape, Interpolation.BICUBIC)
    assert image.pixels is not None
    lines, samples = image.grid.shape
    intensities = SquaredAmplitudes(image.pixels).read(0, lines)
    window = Window(lines=Band(0, lines), pixels=Band(0, samples))
    out = np.zeros(shape, np.float32)
    calibrated.sample(geometry.places(Band(0, shape.lines)), intensities, window, out)
    error = 10.0 * (brightness_centres(out, rows, columns) - np.stack([rows, columns], axis=-1))
    distance = np.hypot(error[:, 0], error[:, 1])
    assert distance.size > 350
    assert np.median(distance) < 0.85  # [m]
    assert np.percentile(distance, 95.0) < 3.2  # [m]
    # no shift of the whole map; the centre of brightness is that of the target on level ground,
    # while responses are stretched on slopes
    assert np.abs(np.median(error, axis=0)).max() < 0.1  # [m]
    level = truth.height < 1.0
    assert level.sum() > 80
    assert np.abs(error[level].mean(axis=0)).max() < 0.03  # [m]
