"""Files of the statistics of a stack: what was simulated, however the work is cut."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from kernels.chains.multislc_series.stack import Stack
from kernels.chains.multislc_series.statistics import StackStatistics, write_statistics
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.terrain import heights_on_dem
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import RadarGrid
from kernels.products.raster import RasterReader, read_raster
from tests.series import Series
from tests.stacks import decaying, make_stack, shapes, speckle

PHASES = np.array([0.0, 1.0, -2.0, 0.3])
GAINS = np.array([50.0, 100.0, 10.0, 75.0])
DAYS = ("20260101", "20260113", "20260125", "20260206")


@pytest.fixture(scope="module")
def stack(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Four dates of known coherence and gain; the second lacks the first lines."""
    truth = GAINS[:, None] * decaying(4, PHASES) * GAINS
    pixels = speckle(truth, shapes(tops_series)[0])
    pixels[1, :300] = 0.0
    pixels[:, 400:420, 500:600] = 0.0
    pixels[2, 450, 700] = np.nan
    return make_stack(tops_series, tmp_path_factory.mktemp("stack"), [pixels], reference=1)


@pytest.fixture(scope="module")
def found(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> StackStatistics:
    """Statistics as usual."""
    folder = tmp_path_factory.mktemp("found")
    return write_statistics(stack, folder, threads=2, memory_mb=200, progress=Progress())


def contents(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


def test_the_coherence_is_the_simulated_one(stack: Stack, found: StackStatistics) -> None:
    truth = decaying(4, PHASES)
    # mean of some 40 blocks of 16384 pixels: standard error below 0.001
    np.testing.assert_allclose(found.coherence, np.abs(truth), atol=0.005)
    file = contents(found.coherence_matrices[0])
    assert file["days"].astype(str).tolist() == list(DAYS)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    assert file["pairs"].astype(str).tolist() == [[DAYS[i], DAYS[j]] for i, j in pairs]
    for number, (i, j) in enumerate(pairs):
        full = file["pixels"][number] == 64 * 256
        assert full.sum() > 10
        seen = file["coherence"][number] * np.exp(1j * file["phase"][number])
        np.testing.assert_allclose(seen[full], truth[i, j], atol=0.03)
        lacks = 1 in (i, j)
        assert np.isnan(file["coherence"][number, :4]).all() == lacks
        assert (file["pixels"][number, :4] == 0).all() == lacks
        # line 300 lies in the fifth row of blocks, 20 of whose lines are there
        assert file["pixels"][number, 4, 0] == (20 if lacks else 64) * 256
    lines, samples = stack.swaths[0].layout.grid.shape
    assert file["coherence"].shape == (6, lines // 64, samples // 256)


def test_blocks_lie_where_the_radar_sees_them(stack: Stack, found: StackStatistics) -> None:
    file = contents(found.coherence_matrices[0])
    longitudes, latitudes = np.radians(file["longitude"]), np.radians(file["latitude"])
    heights = heights_on_dem(stack.dem, longitudes, latitudes)
    points = geodetic_to_ecef(longitudes, latitudes, heights)
    grid: RadarGrid = stack.swaths[0].layout.grid
    times, ranges = ground_to_radar(stack.swaths[0].reference_orbit, points.reshape(-1, 3))
    shape = longitudes.shape
    lines = grid.line(times, ranges).reshape(shape)
    samples = grid.sample(ranges).reshape(shape)
    np.testing.assert_allclose(lines, np.broadcast_to(file["line"][:, None], shape), atol=0.05)
    np.testing.assert_allclose(samples, np.broadcast_to(file["sample"], shape), atol=0.05)
    assert file["line"][1] == 64 + 32
    assert file["sample"][1] == 256 + 128


def test_amplitudes_are_those_of_the_images(stack: Stack, found: StackStatistics) -> None:
    reader = RasterReader(found.amplitude_stacks[0])
    assert reader.band_names == DAYS
    assert reader.grid == stack.swaths[0].layout.grid.looked(stack.swaths[0].looks)
    amplitudes = reader.read()
    assert np.isnan(amplitudes[1, :75]).all()
    assert np.isfinite(amplitudes[[0, 2, 3], :75]).all()
    assert np.isnan(amplitudes[:, 100:105, 32:37]).all()
    for number, gain in enumerate(GAINS):
        # 64 looks have a standard error of 1 / 8 of the intensity
        assert np.nanmean(amplitudes[number] ** 2) == pytest.approx(gain**2, rel=0.01)
    image = stack.images[2].reader(0)(Band(300, 4), Band(32, 16))
    power = np.abs(image.astype(np.complex128)) ** 2
    assert amplitudes[2, 75, 2] == pytest.approx(np.sqrt(power.mean()), rel=1e-6)


def test_mean_and_dispersion_are_of_calibrated_amplitudes(found: StackStatistics) -> None:
    # The reference is the second date; ratios of speckle means over common pixels are close.
    np.testing.assert_allclose(found.factors[0], GAINS[1] / GAINS, rtol=0.01)
    raster = read_raster(found.mean_amplitude)
    mean, dispersion, smallest, dates = raster.array
    assert found.mean_amplitude == found.mean_amplitudes[0]
    assert (dates[:75] == 3).all()
    assert (dates[100:105, 32:37] == 0).all()
    assert np.isnan(mean[100:105, 32:37]).all()
    # root of the mean of 64 exponential intensities: (1 - 1 / (8 * 64)) of the true amplitude
    assert np.nanmean(mean) == pytest.approx(GAINS[1], rel=0.01)
    assert (smallest <= dispersion)[dates > 1].all()
    # Correlated dates scatter less than independent ones would.
    assert 0.2 < np.nanmean(dispersion) < np.sqrt(4.0 / np.pi - 1.0)


@pytest.mark.parametrize(("threads", "memory_mb"), [(1, 1), (3, 4000)])
def test_neither_threads_nor_budget_change_a_bit(
    stack: Stack, found: StackStatistics, threads: int, memory_mb: int, tmp_path: Path
) -> None:
    again = write_statistics(
        stack, tmp_path, threads=threads, memory_mb=memory_mb, progress=Progress()
    )
    np.testing.assert_array_equal(again.coherence, found.coherence)
    np.testing.assert_array_equal(again.factors, found.factors)
    for mine, theirs in (
        (again.amplitude_stacks, found.amplitude_stacks),
        (again.mean_amplitudes, found.mean_amplitudes),
    ):
        np.testing.assert_array_equal(read_raster(mine[0]).array, read_raster(theirs[0]).array)
    mine, theirs = (contents(one.coherence_matrices[0]) for one in (again, found))
    for name, values in mine.items():
        np.testing.assert_array_equal(values, theirs[name])


def test_swaths_are_put_side_by_side(two_swaths: Series, tmp_path: Path) -> None:
    pixels = [
        speckle(level**2 * np.eye(2), shape)
        for level, shape in zip((10, 40), shapes(two_swaths), strict=True)
    ]
    stack = make_stack(two_swaths, tmp_path / "stack", pixels)
    found = write_statistics(
        stack, tmp_path, threads=2, memory_mb=100, progress=Progress(), calibrate=False
    )
    assert [path.name for path in found.mean_amplitudes] == [
        "mean_amplitude_iw1.tif",
        "mean_amplitude_iw2.tif",
    ]
    assert found.mean_amplitude == tmp_path / "mean_amplitude.tif"
    assert (found.factors == 1.0).all()
    mean, _, _, dates = read_raster(found.mean_amplitude).array
    parts = [read_raster(path).array[0] for path in found.mean_amplitudes]
    assert mean.shape[1] > max(part.shape[1] for part in parts)
    near, far = mean[:, :20], mean[:, -20:]
    assert np.nanmean(near) == pytest.approx(np.nanmean(parts[0][:, :20]), rel=0.02)
    assert np.nanmean(far) == pytest.approx(np.nanmean(parts[1][:, -20:]), rel=0.02)
    assert np.isnan(mean[np.isnan(dates)]).all()
    assert set(np.unique(dates[np.isfinite(dates)])) == {2.0}


def test_a_cancelled_or_failed_run_leaves_no_file(stack: Stack, tmp_path: Path) -> None:
    progress = Progress.to(lambda _share, _step: None)
    progress.cancelled.set()
    with pytest.raises(Cancelled):
        write_statistics(stack, tmp_path, threads=1, memory_mb=100, progress=progress)
    assert not list(tmp_path.iterdir())


def test_a_damaged_image_is_named(tops_series: Series, tmp_path: Path) -> None:
    shape = shapes(tops_series)[0]
    stack = make_stack(tops_series, tmp_path / "stack", [speckle(np.eye(2), shape)])
    raster = stack.images[1].rasters[0]
    content = raster.read_bytes()
    raster.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"IW1\.tif"):
        write_statistics(stack, tmp_path / "out", threads=2, memory_mb=100, progress=Progress())
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
