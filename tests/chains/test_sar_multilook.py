"""Multilooked amplitudes against sums written out, and the simulated amplitude against them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernels.chains import sar_dem_to_amplitude, sar_multilook
from kernels.chains.steps.images import open_image
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.model import Dem, RadarGrid, Shape
from kernels.products.raster import create_raster, read_raster
from kernels.simulation import Acquisition, Scene, StripMapMode, simulate
from tests.series import CENTRE, START, Series, hills, write_dem


def multilooked(image: Path, folder: Path, **options: object) -> np.ndarray:
    request = sar_multilook.MultilookRequest(image=(image,), **options)  # type: ignore[arg-type]
    result = sar_multilook.run(request, folder, Progress())
    return read_raster(result.artefact("amplitude").path).array[0]


def test_cells_are_roots_of_mean_intensities_times_the_gain(
    stripmap_series: Series, tmp_path: Path
) -> None:
    image = open_image("image", (stripmap_series.reference,), swath=None, polarisation="VV").image
    pixels = image.pixels.read(300, 6, 600, 9)
    found = multilooked(stripmap_series.reference, tmp_path)
    for row in (0, 1):
        for cell in (0, 1, 2):
            block = pixels[3 * row : 3 * row + 3, 3 * cell : 3 * cell + 3]
            expected = 0.1 * np.sqrt((np.abs(block.astype(np.complex128)) ** 2).mean())
            assert found[100 + row, 200 + cell] == pytest.approx(expected, rel=1e-5)


def test_a_raster_serves_as_well(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    pixels = (generator.normal(size=(7, 11)) + 1j).astype(np.complex64)
    path = tmp_path / "image.tif"
    with create_raster(path, Shape(7, 11), ("z",), dtype="complex64", compression="NONE") as file:
        file.write(0, pixels[None])
    found = multilooked(path, tmp_path / "out", azimuth_looks=2, range_looks=5, gain=1.0)
    cells = np.abs(pixels[:6, :10]).reshape(3, 2, 2, 5) ** 2
    np.testing.assert_allclose(found, np.sqrt(cells.mean(axis=(1, 3))), rtol=1e-6)


def test_bursts_are_merged_where_the_chain_merges_them(tops_series: Series, tmp_path: Path) -> None:
    found = multilooked(tops_series.reference, tmp_path, azimuth_looks=4, range_looks=16)
    raster = read_raster(tmp_path / "amplitude.tif")
    assert isinstance(raster.grid, RadarGrid)
    # two bursts of 500 lines that overlap
    assert 4 * found.shape[0] < 1000
    assert np.isfinite(found[2:-8, 5:-5]).mean() > 0.98


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"swath": "IW9"}, r"swath must be of .* which has IW1, got IW9"),
        ({"polarisation": "HH"}, "polarisation must be"),
    ],
)
def test_bad_input_is_told(
    tops_series: Series, tmp_path: Path, options: dict[str, str], line: str
) -> None:
    with pytest.raises(FournaiseError, match=line):
        multilooked(tops_series.reference, tmp_path / "never", **options)
    assert not (tmp_path / "never").exists()


def simulated(image: Path, dem: Path, folder: Path, **options: object) -> np.ndarray:
    request = sar_dem_to_amplitude.DemToAmplitudeRequest(
        image=(image,),
        dem=(dem,),
        dem_heights="ellipsoid",
        **options,  # type: ignore[arg-type]
    )
    result = sar_dem_to_amplitude.run(request, folder, Progress())
    return read_raster(result.artefact("amplitude").path).array


@pytest.fixture(scope="module")
def scattering(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """StripMap image of hills of independent scatterers, one in 4 m, and the hills."""
    folder = tmp_path_factory.mktemp("scatterers")
    dem = hills(*CENTRE)
    series = simulate(
        Scene(dem=dem, scatterer_spacing=4.0),
        [Acquisition(centre=START)],
        folder,
        mode=StripMapMode(lines=1600, samples=1200),
    )
    return series.products[0], write_dem(folder / "dem.tif", dem)


def test_simulated_amplitude_correlates_with_that_of_the_scene(
    scattering: tuple[Path, Path], tmp_path: Path
) -> None:
    looks = {"azimuth_looks": 16, "range_looks": 12}
    seen = multilooked(scattering[0], tmp_path / "seen", **looks)
    found = simulated(*scattering, tmp_path / "found", **looks)
    known = np.isfinite(seen) & np.isfinite(found[0])
    assert known.mean() > 0.9
    assert np.corrcoef(seen[known], found[0][known])[0, 1] >= 0.8
    level = simulated(*scattering, tmp_path / "gain", gain=1.0, **looks)
    np.testing.assert_allclose(level[0], 10.0 * found[0], rtol=1e-5)


def test_level_ground_is_seen_under_the_incidence_of_the_ellipsoid(
    tops_series: Series, tmp_path: Path
) -> None:
    """And has the area of its cells over the tangent of the incidence (Small 2011)."""
    path = write_dem(tmp_path / "level.tif", level(*CENTRE))
    found = simulated(tops_series.reference, path, tmp_path, azimuth_looks=10, range_looks=40)
    opened = open_image("image", (tops_series.reference,), swath=None, polarisation="VV")
    annotated = opened.image.geolocation.incidence_angles
    assert np.nanmin(found[1]) > annotated.min() - 1e-3
    assert np.nanmax(found[1]) < annotated.max() + 1e-3
    inner = found[:, 5:-5, 5:-5]
    np.testing.assert_allclose(inner[0], 0.1 / np.sqrt(np.tan(inner[1])), rtol=0.02)
    assert not inner[2:].any()


def level(longitude: float, latitude: float) -> Dem:
    return replace(hills(longitude, latitude), heights=np.full((700, 700), 400.0, np.float32))
