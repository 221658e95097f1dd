"""Intensities of SLC images against slow, plain ones, and tables against the annotation's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    Looks,
    NoiseBlock,
    NoiseLut,
    NoiseVector,
    Shape,
    SlcProduct,
)
from kernels.products.annotation import read_annotation
from kernels.products.detection import DetectedSlc, detect, looks_for
from kernels.products.noise import parse_noise
from kernels.products.sentinel1 import open_sentinel1
from kernels.radiometry.noise import NoiseTables
from tests.products import samples

LINES, WIDTH, CYCLE, EDGE = 24, 50, 16, 2
"""Of bursts; those lines at either end are not valid."""

WHOLE = Shape(0, 0)
Array = NDArray[np.float64]


class Pixels:
    """An array as a file, or a part of one; counts the pixels that are read."""

    def __init__(
        self, array: NDArray[np.complex64], first: Shape = WHOLE, shape: Shape | None = None
    ) -> None:
        self.array, self.first = array, first
        self.shape = shape or Shape(*array.shape)
        self.count = 0

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.complex64]:
        samples = self.shape.samples - first_sample if samples is None else samples
        assert min(first_line, first_sample) >= 0
        assert first_line + lines <= self.shape.lines
        assert first_sample + samples <= self.shape.samples
        self.count += lines * samples
        top, left = first_line - self.first.lines, first_sample - self.first.samples
        found = self.array[top : top + lines, left : left + samples]
        assert found.shape == (lines, samples)
        return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> SlcProduct:
    """A read product, for everything that detection hands on."""
    product = open_sentinel1(samples.write_safe(tmp_path_factory.mktemp("template")))
    return product.slc("IW2", "VV")


def swath(
    template: SlcProduct,
    *,
    bursts: int = 3,
    first: int = 0,
    width: int = WIDTH,
    seed: int = 1,
    whole: NDArray[np.complex64] | None = None,
) -> SlcProduct:
    """Bursts of a data take from the `first` one on, whose ground is random or given."""
    rng = np.random.default_rng(seed)
    interval = template.grid.line_interval
    start = template.grid.first_line_time
    tables, pixels = [], []
    for k in range(first, first + bursts):
        valid = np.full(LINES, 3 + k % 2, np.int32), np.full(LINES, width - 4 - k % 3, np.int32)
        for table in valid:
            table[:EDGE] = table[LINES - EDGE :] = -1
        grid = replace(
            template.grid,
            first_line_time=start + k * CYCLE * interval,
            shape=Shape(LINES, width),
        )
        tables.append(
            replace(
                template.bursts[0],
                index=k - first,
                first_line=(k - first) * LINES,
                grid=grid,
                first_valid_sample=valid[0],
                last_valid_sample=valid[1],
            )
        )
        noise = rng.normal(size=(2, LINES, width)).astype(np.float32)
        ground = noise[0] + 1j * noise[1]
        pixels.append(ground if whole is None else whole[k * CYCLE : k * CYCLE + LINES, :width])
    stack = np.concatenate(pixels).astype(np.complex64)
    return replace(
        template,
        grid=replace(tables[0].grid, shape=Shape(*stack.shape)),
        bursts=tuple(tables),
        calibration=None,
        pixels=Pixels(stack),
    )


def plain(product: SlcProduct, looks: Looks) -> Array:
    """Mean intensities: every line from the burst whose valid lines reach furthest around it."""
    assert isinstance(product.pixels, Pixels)
    power = np.abs(product.pixels.array.astype(np.complex128)) ** 2
    count = (len(product.bursts) - 1) * CYCLE + LINES
    cells = np.full((count // looks.azimuth, product.grid.shape.samples // looks.range), np.nan)
    for row in range(cells.shape[0]):
        lines = row * looks.azimuth + np.arange(looks.azimuth)
        burst = _owner(product, float(lines.mean()))
        inside = lines - burst.index * CYCLE
        first, last = burst.first_valid_sample[inside], burst.last_valid_sample[inside]
        for column in range(cells.shape[1]):
            part = column * looks.range + np.arange(looks.range)
            if (first >= 0).all() and part[0] >= first.max() and part[-1] <= last.min():
                cells[row, column] = power[np.ix_(burst.first_line + inside, part)].mean()
    return cells


def _owner(product: SlcProduct, line: float) -> Burst:
    """Burst whose middle is nearest to a line."""
    middles = [burst.index * CYCLE + 0.5 * (LINES - 1) for burst in product.bursts]
    return product.bursts[int(np.argmin(np.abs(np.array(middles) - line)))]


def read(image: DetectedSlc) -> NDArray[np.float32]:
    assert image.pixels is not None
    return image.pixels.read(0, image.grid.shape.lines)


@pytest.mark.parametrize("looks", [Looks(1, 1), Looks(1, 3), Looks(2, 3), Looks(4, 7)])
def test_intensities_are_those_of_a_plain_mean(template: SlcProduct, looks: Looks) -> None:
    product = swath(template)
    (image,) = detect([product], looks)
    expected = plain(product, looks)
    assert image.grid.shape == expected.shape
    np.testing.assert_allclose(read(image), expected, rtol=1e-5)
    assert np.isfinite(expected).mean() > 0.6


def test_a_window_is_part_of_the_whole_and_reads_no_more(template: SlcProduct) -> None:
    product = swath(template)
    (image,) = detect([product], Looks(2, 3))
    whole = read(image)
    assert isinstance(product.pixels, Pixels)
    assert image.pixels is not None
    product.pixels.count = 0
    part = image.pixels.read(6, 7, 4, 5)
    np.testing.assert_array_equal(part, whole[6:13, 4:9])
    assert product.pixels.count == 7 * 2 * 5 * 3
    assert image.pixels.read(3, 0).shape == (0, WIDTH // 3)
    with pytest.raises(ProductError, match="window must be inside 28 lines and 16 samples"):
        image.pixels.read(0, 30)


def test_cells_are_centred_where_their_energy_is(template: SlcProduct) -> None:
    """The centroid of a smooth spot, from times and ranges of the SLC and of the cells."""
    lines, columns = np.mgrid[: 2 * CYCLE + LINES, :400]
    spot = np.exp(-(((lines - 29.37) / 4.0) ** 2) / 4.0 - (((columns - 201.84) / 17.0) ** 2) / 4.0)
    product = swath(template, width=400, whole=(1e3 * spot).astype(np.complex64))
    for burst in product.bursts:
        burst.first_valid_sample[:], burst.last_valid_sample[:] = 0, 399
    looks = Looks(3, 5)
    (image,) = detect([product], looks)
    power = read(image).astype(np.float64)
    rows, cells = np.mgrid[: power.shape[0], : power.shape[1]]
    row, cell = ((at * power).sum() / power.sum() for at in (rows, cells))
    grid, slc = image.grid, product.grid
    range_at = grid.slant_range(cell)
    assert (range_at - slc.slant_range(201.84)) / slc.slant_range_spacing == pytest.approx(
        0.0, abs=1e-5
    )
    assert (
        grid.zero_doppler_time(row, range_at) - slc.zero_doppler_time(29.37, range_at)
    ) / slc.line_interval == pytest.approx(0.0, abs=1e-5)


def test_the_grid_has_the_residual_bistatic_term(template: SlcProduct) -> None:
    (image,) = detect([swath(template)], Looks(2, 3))
    grid = image.grid
    assert template.grid.bistatic_range is not None
    assert grid.bistatic_range == template.grid.bistatic_range
    first = template.grid.slant_range(1.0)
    assert grid.first_slant_range == pytest.approx(first, abs=1e-9)
    expected = (
        template.grid.first_line_time
        + 0.5 * template.grid.line_interval
        + (first - template.grid.bistatic_range) / SPEED_OF_LIGHT
    )
    assert grid.zero_doppler_time(0.0, first) == pytest.approx(expected, abs=1e-10)
    assert grid.line_interval == pytest.approx(2.0 * template.grid.line_interval, rel=1e-12)


def test_cells_at_the_end_that_are_not_whole_are_left_out(template: SlcProduct) -> None:
    (image,) = detect([swath(template)], Looks(4, 7))
    assert image.grid.shape == ((2 * CYCLE + LINES) // 4, WIDTH // 7)


def test_data_ends_at_zeros_in_stripmap(template: SlcProduct) -> None:
    """There are no tables of valid samples, but zeros beside the image; one zero is dark water."""
    pixels = np.full((12, 12), 3.0 + 4.0j, np.complex64)
    pixels[:, :4] = 0.0
    pixels[4, 10] = 0.0
    burst = template.bursts[0]
    still = replace(
        template,
        mode="SM",
        grid=replace(template.grid, shape=Shape(12, 12)),
        bursts=(
            replace(
                burst,
                grid=replace(template.grid, shape=Shape(12, 12)),
                first_valid_sample=np.zeros(12, np.int32),
                last_valid_sample=np.full(12, 11, np.int32),
            ),
        ),
        calibration=None,
        pixels=Pixels(pixels),
    )
    (image,) = detect([still], Looks(2, 3))
    expected = np.tile([np.nan, np.nan, 25.0, 25.0], (6, 1))
    expected[2, 3] *= 5.0 / 6.0
    np.testing.assert_allclose(read(image), expected, rtol=1e-6)
    assert image.pixels is not None
    np.testing.assert_allclose(image.pixels.read(2, 3, 1, 2), expected[2:5, 1:3], rtol=1e-6)


def test_zeros_are_data_in_tops(template: SlcProduct) -> None:
    product = swath(template, whole=np.zeros((100, WIDTH), np.complex64))
    (image,) = detect([product], Looks(1, 1))
    found = read(image)
    assert np.nanmax(found) == 0.0
    np.testing.assert_array_equal(np.isnan(found), np.isnan(plain(product, Looks(1, 1))))


def noise_of(bursts: int) -> NoiseLut:
    """Vectors at the first lines of bursts, before and after; a factor that jumps with bursts."""
    lines = np.arange(bursts * LINES)
    return NoiseLut(
        vectors=tuple(
            NoiseVector(
                line=k * LINES + (5 if k == 1 else 0),
                pixels=np.array([1, 19, WIDTH - 1], np.int32),
                values=np.array([100.0 + 10.0 * k, 50.0, 90.0 - k], np.float32),
            )
            for k in range(-1, bursts + 1)
        ),
        blocks=(
            NoiseBlock(
                swath="IW2",
                first_line=0,
                last_line=bursts * LINES - 1,
                first_sample=0,
                last_sample=WIDTH - 1,
                lines=lines.astype(np.int32),
                values=(1.0 + 0.2 * np.cos(lines % LINES / LINES)).astype(np.float32),
            ),
        ),
    )


def plain_noise(lut: NoiseLut, line: float, columns: Array) -> Array:
    """Noise on a line of the file, as the annotation has it."""
    at = [vector.line for vector in lut.vectors]
    values = np.stack([np.interp(columns, v.pixels, v.values) for v in lut.vectors])
    along = np.array([np.interp(line, at, column) for column in values.T])
    (block,) = lut.blocks
    factor: float = np.interp(line, block.lines, block.values)
    return along * factor


@pytest.mark.parametrize("looks", [Looks(1, 1), Looks(1, 3)])
def test_noise_is_that_of_the_line_of_the_burst(template: SlcProduct, looks: Looks) -> None:
    product = replace(swath(template), noise=noise_of(3))
    (image,) = detect([product], looks)
    assert image.noise is not None
    assert product.noise is not None
    tables = NoiseTables.of(image.noise, image.grid.shape)
    at = np.arange(0.0, image.grid.shape.samples - 1.0)
    for row in range(image.grid.shape.lines):
        burst = _owner(product, float(row))
        line = burst.first_line + row - burst.index * CYCLE
        expected = plain_noise(product.noise, line, (at + 0.5) * looks.range - 0.5)
        found = [_noise_at(tables, row, int(sample)) for sample in at]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def _noise_at(tables: NoiseTables, row: int, sample: int) -> float:
    along = np.interp(row, tables.vector_lines, tables.vectors[:, sample])
    return float(along * tables.factors[row, 0])


def test_slices_give_what_the_whole_gives(template: SlcProduct) -> None:
    whole = swath(template, bursts=4)
    parts = [swath(template, bursts=2), swath(template, bursts=2, first=2)]
    assert isinstance(whole.pixels, Pixels)
    parts = [
        replace(part, pixels=Pixels(half))
        for part, half in zip(parts, np.split(whole.pixels.array, 2), strict=True)
    ]
    # the second slice holds the last burst of the first one as well
    again = swath(template, bursts=3, first=1)
    again = replace(again, pixels=Pixels(whole.pixels.array[LINES:]))
    looks = Looks(2, 3)
    (expected,) = detect([whole], looks)
    for slices in (parts, [parts[0], again]):
        (joined,) = detect(slices, looks)
        assert joined.grid == expected.grid
        np.testing.assert_array_equal(read(joined), read(expected))


def test_a_slice_with_fewer_samples_has_no_data_beyond(template: SlcProduct) -> None:
    first, second = swath(template, bursts=2), swath(template, bursts=1, first=2, width=44)
    (joined,) = detect([first, second], Looks(1, 1))
    assert joined.grid.shape.samples == WIDTH
    (alone,) = detect([second], Looks(1, 1))
    whole = read(joined)
    np.testing.assert_array_equal(whole[2 * CYCLE + 8 :, :44], read(alone)[8:])
    assert np.isnan(whole[2 * CYCLE + 8 :, 44:]).all()


@pytest.mark.parametrize("change", ["gap", "half a line", "range", "processor"])
def test_slices_that_do_not_share_a_raster_are_two_images(
    template: SlcProduct, change: str
) -> None:
    first, second = swath(template, bursts=2), swath(template, bursts=1, first=2)
    interval = template.grid.line_interval
    if change == "gap":
        second = swath(template, bursts=1, first=3)
    elif change == "half a line":
        second = _moved(second, seconds=0.5 * interval)
    elif change == "range":
        second = _moved(second, metres=0.5)
    else:
        second = replace(second, processor="Sentinel-1 IPF 003.99")
    assert [image.grid.shape.lines for image in detect([first, second], Looks(1, 1))] == [
        CYCLE + LINES,
        LINES,
    ]


def _moved(product: SlcProduct, *, seconds: float = 0.0, metres: float = 0.0) -> SlcProduct:
    def moved(burst: Burst) -> Burst:
        grid = replace(
            burst.grid,
            first_line_time=burst.grid.first_line_time + seconds,
            first_slant_range=burst.grid.first_slant_range + metres,
        )
        return replace(burst, grid=grid)

    bursts = tuple(moved(burst) for burst in product.bursts)
    grid = replace(bursts[0].grid, shape=product.grid.shape)
    return replace(product, grid=grid, bursts=bursts)


def test_calibration_stands_at_its_times(template: SlcProduct) -> None:
    """Vectors at -1 s and 1 s, linear in between; lines of 2 ms."""
    product = replace(swath(template), calibration=template.calibration)
    (image,) = detect([product], Looks(2, 2))
    lut = image.calibration
    assert lut is not None
    # 4 ms a row, and the middle of row 0 at 1 ms
    assert lut.lines.tolist() == [-250, 250]
    assert lut.pixels.tolist() == [0, 5, 9]
    assert lut.sigma_nought[:, 0] == pytest.approx([330.55, 340.5], abs=1e-4)


def test_without_files_of_calibration_noise_or_pixels_there_are_none(template: SlcProduct) -> None:
    (image,) = detect([replace(swath(template), pixels=None)], Looks(1, 2))
    assert (image.calibration, image.noise, image.pixels) == (None, None, None)


def test_times_of_slices_count_from_one_day(tmp_path: Path) -> None:
    product = open_sentinel1(samples.write_safe(tmp_path))
    today = product.slc("IW2", "VV")
    epoch = today.grid.epoch - timedelta(days=1)
    other = product.slc("IW2", "VV", epoch=epoch)
    assert other.grid.epoch == epoch
    assert other.grid.first_line_time - today.grid.first_line_time == pytest.approx(86400.0)


@pytest.mark.shared_data
def test_looks_of_real_swaths(shared_data: Path) -> None:
    """10 m: three samples of 2.3 m slant range by one line of 14 m; StripMap lines are 3.5 m."""
    (alps,) = shared_data.glob("alps_iw_pair/*20190101*.SAFE")
    swaths = [
        open_sentinel1(alps).slc(name, "VV", need_pixels=False) for name in ("IW1", "IW2", "IW3")
    ]
    assert [looks_for(slc, 10.0) for slc in swaths] == [Looks(1, 3)] * 3
    assert [looks_for(slc, 60.0) for slc in swaths] == [Looks(5, n) for n in (15, 17, 18)]
    (path,) = shared_data.glob("sm_annotations/*S3*.SAFE/annotation/*.xml")
    assert looks_for(read_annotation(path), 10.0) == Looks(3, 3)
    assert looks_for(read_annotation(path), 5.0) == Looks(2, 2)


@pytest.mark.shared_data
def test_real_annotation_on_cells(shared_data: Path) -> None:
    """Calibration by time and noise by line of the burst, at cells of a whole swath."""
    (alps,) = shared_data.glob("alps_iw_pair/*20190101*.SAFE")
    product = open_sentinel1(alps)
    slc = product.slc("IW1", "VV", need_pixels=False, need_noise=True)
    (image,) = detect([slc], Looks(1, 3))
    assert image.grid.shape == Shape(12232, 21953 // 3)
    assert image.noise is not None
    tables = NoiseTables.of(image.noise, image.grid.shape)
    (path,) = alps.glob("annotation/calibration/noise-s1a-iw1-slc-vv-*.xml")
    lut = parse_noise(path.read_bytes(), origin=path.name)
    # lines well inside of bursts 0, 4 and 8, which begin at the annotated multiples of a line
    starts = [burst.grid.first_line_time for burst in slc.bursts]
    for k in (0, 4, 8):
        origin = round((starts[k] - starts[0]) / slc.grid.line_interval)
        for line in (300, 740, 1200):
            columns = np.array([500.0, 3000.0, 7000.0])
            expected = plain_noise(lut, k * 1498 + line, 3.0 * columns + 1.0)
            found = [_noise_at(tables, origin + line, int(c)) for c in columns]
            np.testing.assert_allclose(found, expected, rtol=2e-4)
    assert image.calibration is not None
    assert slc.calibration is not None
    times = image.grid.first_line_time + image.calibration.lines * image.grid.line_interval
    np.testing.assert_allclose(times, slc.calibration.times, atol=0.5 * image.grid.line_interval)
    # tie points: first lines of bursts follow each other, the last row is past the end
    assert np.unique(image.geolocation.lines)[[0, 1, -1]].tolist() == [0.0, 1342.0, 12232.0]
    assert image.geolocation.pixels.max() == pytest.approx((21952 + 0.5) / 3 - 0.5)


@pytest.mark.shared_data
def test_real_pixels_are_decoded(shared_data: Path) -> None:
    """The sea off the Azores: a crop of one burst."""
    folder = shared_data / "s1_iw3_crop_azores"
    (path,) = folder.glob("*.xml")
    (crop,) = folder.glob("*.tiff")
    array = gdal.Open(str(crop)).ReadAsArray().astype(np.complex64)
    slc = read_annotation(path)
    pixels = Pixels(array, first=Shape(9800, 11000), shape=slc.grid.shape)
    (image,) = detect([replace(slc, pixels=pixels)], Looks(1, 3))
    burst = next(b for b in slc.bursts if b.first_line <= 9800 < b.first_line + b.grid.shape.lines)
    origin = round((burst.grid.first_line_time - slc.grid.first_line_time) / slc.grid.line_interval)
    assert image.pixels is not None
    # samples 11001 to 12398 are 466 cells
    found = image.pixels.read(9800 - burst.first_line + origin, array.shape[0], 3667, 466)
    power = np.abs(array[:, 1 : 1 + 3 * 466]) ** 2
    np.testing.assert_allclose(found, power.reshape(-1, 466, 3).mean(axis=2), rtol=1e-5)
