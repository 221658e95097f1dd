from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.engine.bands import Band
from kernels.errors import ProductError, RequestError
from kernels.model import Dem, GrdProduct
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import (
    Background,
    Scene,
    SimulatedDetected,
    TargetGrid,
    load_detected_truth,
    simulate_detected_on_annotation,
)
from kernels.simulation.detected_numba import image_point
from kernels.simulation.detected_view import ground_view
from kernels.simulation.locate_numba import cartesian
from tests.simulation.detected_tools import centroid

WINDOW = Band(8_000, 120)
LEVEL = 0.1


def hills() -> Dem:
    """Hills under the whole frame."""
    step = 0.01
    longitudes, latitudes = np.arange(11.5, 16.0, step), np.arange(43.5, 40.0, -step)
    heights = 300.0 + 200.0 * np.sin(longitudes * 90.0)[None, :] * np.cos(latitudes * 80.0)[:, None]
    return Dem(
        heights=heights.astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-step,
    )


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Path:
    (product,) = (shared_data / "rome_s1").glob("S1B_IW_GRDH*.SAFE")
    return product


@pytest.fixture(scope="module")
def simulated(real: Path, tmp_path_factory: pytest.TempPathFactory) -> SimulatedDetected:
    """A window of the frame in two polarisations, with noise and targets, without speckle."""
    return simulate_detected_on_annotation(
        Scene(dem=hills()),
        real,
        tmp_path_factory.mktemp("grd"),
        background=Background(level=LEVEL, looks=None, noise=True),
        target_grid=TargetGrid(count=30, margin=15),
        polarisations=("VV", "VH"),
        lines=WINDOW,
    )


def window(image: GrdProduct) -> np.ndarray:
    assert image.pixels is not None
    return image.pixels.read(*WINDOW).astype(np.float64)


@pytest.mark.shared_data
def test_geometry_is_that_of_the_annotated_tie_points(real: Path) -> None:
    image = open_sentinel1(real).grd("VV", need_pixels=False)
    view, grid = ground_view(image.grid, image.state_vectors), image.geolocation
    points = zip(grid.longitudes, grid.latitudes, grid.heights, strict=True)
    seen = np.array([image_point(view, cartesian(*p), view.orbit.middle) for p in points])
    # annotated: times to the microsecond (7e-4 line), ranges to far less than a millimetre
    np.testing.assert_allclose(seen[:, 0], grid.lines, atol=2e-3)
    # tie points follow the record nearest to their line, pixels lie between two records
    times = image.grid.first_line_time + grid.lines * image.grid.line_interval
    for time, pixel, slant_range in zip(times, grid.pixels, seen[:, 3], strict=True):
        record = min(image.grid.records, key=lambda r: abs(r.azimuth_time - time))
        ground = pixel * image.grid.ground_range_spacing - record.ground_range_origin
        expected = np.polynomial.polynomial.polyval(ground, record.ground_to_slant)
        assert abs(expected - slant_range) < 1e-3  # [m]


@pytest.mark.shared_data
def test_metadata_is_copied_and_crossed_polarisation_derived(
    real: Path, simulated: SimulatedDetected
) -> None:
    (safe,) = simulated.products
    assert safe.name == real.name
    names = {p.relative_to(safe) for p in safe.rglob("*.xml")}
    copied = {name for name in names if "-vv-" in name.name}
    assert len(copied) == 3
    assert len(names) == 6
    for name in [*copied, Path("manifest.safe")]:
        assert (safe / name).read_bytes() == (real / name).read_bytes()
    crossed = open_sentinel1(safe).grd("VH")
    assert crossed.polarisation == "VH"
    assert crossed.calibration is not None
    assert crossed.noise is not None
    assert all(name.stem.endswith("-002") for name in names - copied)
    assert not list(safe.rglob("summary.txt"))


@pytest.mark.shared_data
def test_file_has_full_size_tags_and_tie_points(simulated: SimulatedDetected) -> None:
    gdal.UseExceptions()
    for path in (simulated.products[0] / "measurement").iterdir():
        dataset = gdal.Open(str(path))
        assert (dataset.RasterYSize, dataset.RasterXSize) == (16_705, 26_102)
        assert dataset.GetRasterBand(1).DataType == gdal.GDT_UInt16
        description = dataset.GetMetadataItem("TIFFTAG_IMAGEDESCRIPTION")
        assert description.startswith("Sentinel-1B IW GRD")
        assert dataset.GetGCPCount() == 210
        assert "4326" in dataset.GetGCPProjection()
        assert path.stat().st_size < 30e6  # of 872 MB: only the window is there
        assert not dataset.ReadAsArray(0, 0, 500, 50).any()


@pytest.mark.shared_data
def test_targets_peak_where_the_truth_says(simulated: SimulatedDetected) -> None:
    targets = load_detected_truth(simulated.truth).targets
    assert targets.index.size >= 25
    for polarisation in ("VV", "VH"):
        amplitudes = window(open_sentinel1(simulated.products[0]).grd(polarisation))
        for line, pixel in zip(targets.line - WINDOW.first, targets.pixel, strict=True):
            found = centroid(amplitudes, line, pixel)
            np.testing.assert_allclose(found, (line, pixel), atol=0.005)  # [pixels]


@pytest.mark.shared_data
def test_level_follows_the_real_calibration_and_noise(simulated: SimulatedDetected) -> None:
    """At the noise vectors' own samples, on a line that one is given for."""
    truth = load_detected_truth(simulated.truth)
    image = open_sentinel1(simulated.products[0]).grd("VV")
    assert image.calibration is not None
    assert image.noise is not None
    assert image.pixels is not None
    lut, noise = image.calibration, image.noise
    (vector,) = (v for v in noise.vectors if 8_000 <= v.line < 8_120)
    line = vector.line
    gamma = np.array([np.interp(line, lut.lines, column) for column in lut.gamma.T])
    power = LEVEL * np.interp(vector.pixels, lut.pixels, gamma) ** 2
    factors = np.empty(vector.pixels.size)
    for block in noise.blocks:
        inside = (vector.pixels >= block.first_sample) & (vector.pixels <= block.last_sample)
        factors[inside] = np.interp(line, block.lines, block.values)
    power += vector.values * factors
    clear = np.abs(vector.pixels[:, None] - truth.targets.pixel).min(axis=1) > 30
    found = image.pixels.read(line, 1)[0, vector.pixels].astype(np.float64)
    assert clear.sum() > 500
    assert np.abs(found - np.sqrt(power))[clear].max() <= 0.5 + 1e-3  # rounded


@pytest.mark.shared_data
def test_refusals(real: Path, shared_data: Path, tmp_path: Path) -> None:
    scene = Scene(dem=hills())
    with pytest.raises(RequestError, match="lines must be within 16705 lines"):
        simulate_detected_on_annotation(scene, real, tmp_path, lines=Band(16_700, 6))
    # this one has annotation, but neither calibration nor noise
    (bare,) = (shared_data / "alps_iw_desc_and_grd").glob("*GRDH*.SAFE")
    window = Band(100, 16)
    with pytest.raises(RequestError, match="quantity must be none for a product without calib"):
        simulate_detected_on_annotation(scene, bare, tmp_path, lines=window)
    noisy = Background(quantity=None, level=1e4, noise=True)
    with pytest.raises(RequestError, match="noise must be false for a product without noise"):
        simulate_detected_on_annotation(scene, bare, tmp_path, background=noisy, lines=window)
    (complex_image,) = (shared_data / "alps_iw_desc_and_grd").glob("*SLC*.SAFE")
    with pytest.raises(ProductError, match="must be a GRD"):
        simulate_detected_on_annotation(scene, complex_image, tmp_path)
    assert not list(tmp_path.iterdir())
    plain = Background(quantity=None, level=1e4, looks=None)
    made = simulate_detected_on_annotation(
        scene, bare, tmp_path, background=plain, lines=window, polarisations=("VH",)
    )
    image = open_sentinel1(made.products[0]).grd("VH")
    assert image.pixels is not None
    crossed = np.unique(image.pixels.read(*window))
    assert crossed.tolist() == [45]  # the root of 0.2e4, rounded
