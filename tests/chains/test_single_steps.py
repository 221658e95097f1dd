"""Deramping, Doppler centroid, projection of elevation, height of ambiguity and quick look."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains import (
    quick_look,
    sar_dem_projection,
    sar_deramp,
    sar_doppler0,
    sar_height_of_ambiguity,
)
from kernels.chains.steps.images import open_image
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.model import SPEED_OF_LIGHT, MapGrid
from kernels.products.raster import RasterReader, read_raster
from kernels.simulation import load_truth
from tests.series import BASELINE, Series


def complex_pixels(path: Path) -> np.ndarray:
    found: np.ndarray = gdal.Open(str(path)).ReadAsArray()
    return found


def deramped(folder: Path, **options: object) -> Path:
    request = sar_deramp.DerampRequest(**options)  # type: ignore[arg-type]
    return sar_deramp.run(request, folder, Progress()).artefact("image").path


def azimuth_correlation(image: np.ndarray) -> float:
    product = (image[1:] * image[:-1].conj()).sum()
    power = (np.abs(image[1:]) ** 2).sum() * (np.abs(image[:-1]) ** 2).sum()
    return float(np.abs(product) / np.sqrt(power))


def test_deramping_and_reramping_give_the_pixels_back(tops_series: Series, tmp_path: Path) -> None:
    image = (tops_series.reference,)
    flat = deramped(tmp_path / "flat", image=image, burst=2)
    back = deramped(tmp_path / "back", image=image, raster=flat, burst=2, direction="reramp")
    product = open_image("image", image, swath=None, polarisation="VV").image
    burst = product.bursts[1]
    pixels = product.pixels.read(burst.first_line, burst.grid.shape.lines)
    np.testing.assert_allclose(complex_pixels(back), pixels, atol=1e-2)  # of some thousands
    level = complex_pixels(flat)
    middle = slice(20, -20)
    assert azimuth_correlation(pixels[middle]) < 0.3
    assert azimuth_correlation(level[middle]) > 0.5
    with pytest.raises(FournaiseError, match="must not be deramped twice"):
        deramped(tmp_path / "never", image=image, raster=flat, burst=2)
    with pytest.raises(FournaiseError, match=r"deramped.tif must be of bursts 1, got 2"):
        deramped(tmp_path / "never", image=image, raster=flat, burst=1, direction="reramp")
    assert not (tmp_path / "never").exists()


def test_what_has_no_ramp_or_no_such_burst_is_refused(
    tops_series: Series, stripmap_series: Series, tmp_path: Path
) -> None:
    with pytest.raises(FournaiseError, match="must have bursts of a steered antenna"):
        deramped(tmp_path / "never", image=(stripmap_series.reference,))
    with pytest.raises(FournaiseError, match="burst must be at most 2"):
        deramped(tmp_path / "never", image=(tops_series.reference,), burst=3)
    for options in ({}, {"grid": tmp_path}, {"grid": tmp_path, "raster": tmp_path, "burst": 1}):
        with pytest.raises(FournaiseError, match=r"image must be|burst must be"):
            sar_deramp.DerampRequest(**options)
    assert not (tmp_path / "never").exists()


@pytest.mark.shared_data
def test_real_pixels_become_correlated(shared_data: Path, tmp_path: Path) -> None:
    """The sea off the Azores, in the measurement file of its own annotation, zeros around it."""
    folder = shared_data / "s1_iw3_crop_azores"
    (annotation,), (crop,) = folder.glob("*.xml"), folder.glob("*.tiff")
    safe = tmp_path / "S1A_IW_SLC__1SDV_20220918T074920_20220918T074948_045056_056232_62D6.SAFE"
    (safe / "annotation").mkdir(parents=True)
    (safe / "measurement").mkdir()
    (safe / "manifest.safe").write_text("<xfdu/>", encoding="utf-8")
    shutil.copy(annotation, safe / "annotation")
    image = safe / "measurement" / f"{annotation.stem}.tiff"
    pixels = complex_pixels(crop)
    text = annotation.read_text(encoding="utf-8")
    size = [
        int(text.split(f"<{n}>")[1].split("<")[0]) for n in ("numberOfSamples", "numberOfLines")
    ]
    options = ["SPARSE_OK=TRUE", "TILED=YES"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(image), *size, 1, gdal.GDT_CInt16, options)
    dataset.GetRasterBand(1).WriteArray(pixels, 11000, 9800)
    dataset = None
    product = open_image("image", (safe,), swath="IW3", polarisation="VV").image
    burst = next(
        b for b in product.bursts if b.first_line <= 9800 < b.first_line + b.grid.shape.lines
    )
    found = deramped(tmp_path / "out", image=(safe,), swath="IW3", burst=burst.index + 1)
    first = 9800 - burst.first_line
    window = (slice(first, first + pixels.shape[0]), slice(11000, 11000 + pixels.shape[1]))
    assert azimuth_correlation(pixels.astype(np.complex64)) == pytest.approx(0.06, abs=0.01)
    assert azimuth_correlation(complex_pixels(found)[window]) == pytest.approx(0.64, abs=0.01)


def centroid(image: Path, folder: Path, **options: object) -> dict[str, object]:
    request = sar_doppler0.DopplerRequest(image=(image,), **options)  # type: ignore[arg-type]
    found = sar_doppler0.run(request, folder, Progress())
    report: dict[str, object] = json.loads(found.artefact("doppler").path.read_text())
    assert report == found.report
    with found.artefact("table").path.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(found.report["blocks"])
    return report


def test_the_centroid_is_that_of_the_simulated_antenna(
    stripmap_series: Series, tmp_path: Path
) -> None:
    """Focused noise about a carrier that the annotation states."""
    found = centroid(stripmap_series.reference, tmp_path, range_blocks=4)
    image = open_image("image", (stripmap_series.reference,), swath=None, polarisation="VV").image
    samples = (np.arange(4) + 0.5) * image.grid.shape.samples / 4
    tau = 2.0 * image.grid.slant_range(samples) / SPEED_OF_LIGHT
    truth = image.bursts[0].doppler(tau)
    values = [block["doppler_centroid_hz"] for block in found["blocks"]]
    np.testing.assert_allclose(values, truth, atol=15.0)  # [Hz], of 1900 Hz
    assert found["doppler_centroid_hz"] == pytest.approx(np.mean(truth), abs=10.0)


def test_nothing_is_left_once_the_steering_is_removed(tops_series: Series, tmp_path: Path) -> None:
    found = centroid(tops_series.reference, tmp_path, steering="removed")
    assert [block["burst"] for block in found["blocks"]] == [1, 2]
    for block in found["blocks"]:
        assert abs(block["doppler_centroid_hz"]) < 15.0  # [Hz]


def projection(series: Series, folder: Path, **options: object) -> tuple[np.ndarray, RasterReader]:
    request = sar_dem_projection.DemProjectionRequest(
        image=(series.reference,),
        dem=(series.dem,),
        dem_heights="ellipsoid",
        **options,  # type: ignore[arg-type]
    )
    path = sar_dem_projection.run(request, folder, Progress()).artefact("projection").path
    return gdal.Open(str(path)).ReadAsArray(), RasterReader(path)


def test_nodes_lie_where_the_truth_sees_them(stripmap_series: Series, tmp_path: Path) -> None:
    """The truth tells the ground of pixels: lines and samples of nodes are linear between them."""
    planes, reader = projection(stripmap_series, tmp_path, cartesian=True, satellite=True)
    assert reader.band_names[:3] == ("line", "sample", "height")
    grid = reader.grid
    assert isinstance(grid, MapGrid)
    truth = load_truth(stripmap_series.truth, swath="S3", burst=0, date=1)
    # on a node's own position: what its slant range says
    x, y, z = planes[3:6]
    ranges = np.linalg.norm(planes[3:6] - planes[6:9], axis=0)
    image = open_image("image", (stripmap_series.reference,), swath=None, polarisation="VV").image
    np.testing.assert_allclose(image.grid.slant_range(planes[1]), ranges, atol=1e-3)  # [m]
    assert np.abs(np.hypot(np.hypot(x, y), z) - 6.37e6).max() < 2e4
    row = (grid.north - truth.latitude) / grid.y_spacing - 0.5
    column = (truth.longitude - grid.west) / grid.x_spacing - 0.5
    clear = truth.mask[np.ix_(truth.lines, truth.samples)] == 0
    i, j = row[clear].astype(int), column[clear].astype(int)
    fy, fx = row[clear] - i, column[clear] - j
    height = planes[2]
    between = (1 - fy) * ((1 - fx) * height[i, j] + fx * height[i, j + 1]) + fy * (
        (1 - fx) * height[i + 1, j] + fx * height[i + 1, j + 1]
    )
    np.testing.assert_allclose(between, truth.height[clear], atol=0.05)  # [m]
    lines = np.broadcast_to(truth.lines[:, None], truth.latitude.shape)[clear]
    surrounding = np.stack([planes[0, i + a, j + b] for a in (0, 1) for b in (0, 1)])
    assert ((surrounding.min(axis=0) <= lines) & (lines <= surrounding.max(axis=0))).mean() > 0.97


def ambiguity(series: Series, folder: Path, **options: object) -> list[dict[str, float]]:
    request = sar_height_of_ambiguity.HeightOfAmbiguityRequest(
        reference=(series.reference,),
        secondary=(series.still,),
        **options,  # type: ignore[arg-type]
    )
    found = sar_height_of_ambiguity.run(request, folder, Progress())
    points: list[dict[str, float]] = found.report["points"]
    return points


def test_the_height_of_ambiguity_turns_the_phase_once(tops_series: Series, tmp_path: Path) -> None:
    """Two points at one place in the reference that differ by it: ranges differ by half a wave."""
    (point,) = ambiguity(tops_series, tmp_path, points=("55.7,-21.0,400",))
    assert point["perpendicular_baseline_m"] == pytest.approx(BASELINE, abs=1.0)
    wavelength = 0.05546576
    expected = wavelength * point["slant_range_m"] * math.sin(math.radians(point["incidence_deg"]))
    assert point["height_of_ambiguity_m"] == pytest.approx(
        expected / (2.0 * point["perpendicular_baseline_m"]), rel=1e-6
    )
    sight = [point[f"to_satellite_{axis}"] for axis in ("east", "north", "up")]
    assert math.hypot(*sight) == pytest.approx(1.0)
    assert math.degrees(math.acos(sight[2])) == pytest.approx(point["incidence_deg"], abs=1e-6)


def test_a_grid_over_the_scene_stands_on_the_terrain(tops_series: Series, tmp_path: Path) -> None:
    options = {"dem": (tops_series.dem,), "dem_heights": "ellipsoid"}
    points = ambiguity(tops_series, tmp_path, grid_points=3, **options)
    assert len(points) == 9
    heights = [point["height_m"] for point in points]
    assert 150.0 < min(heights) < max(heights) < 640.0
    lines = sorted(point["line"] for point in points)
    assert lines[0] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    ("points", "line"),
    [
        (("55.7",), "points must be longitude,latitude"),
        (("a,b",), "points must be longitude,latitude"),
        (("-120.0,40.0",), "points must be on the ground that"),
    ],
)
def test_points_that_are_none_are_told(
    tops_series: Series, tmp_path: Path, points: tuple[str, ...], line: str
) -> None:
    with pytest.raises(FournaiseError, match=line):
        ambiguity(tops_series, tmp_path / "never", points=points)
    assert not (tmp_path / "never").exists()


def test_a_quick_look_is_a_picture_and_a_raster(tops_series: Series, tmp_path: Path) -> None:
    request = quick_look.QuickLookRequest(image=(tops_series.reference,), ml="8x2")
    found = quick_look.run(request, tmp_path, Progress())
    raster = read_raster(found.artefact("raster").path)
    picture = complex_pixels(found.artefact("picture").path)
    assert picture.shape[1:] == raster.array.shape[1:]
    assert raster.array.shape[2] == 2000 // 8
    assert 950 // 2 > raster.array.shape[1] > 400
    known = np.isfinite(raster.array[0])
    np.testing.assert_array_equal(picture[1] == 255, known)
    automatic = quick_look.QuickLookRequest(image=(found.artefact("raster").path,))
    again = quick_look.run(automatic, tmp_path / "again", Progress())
    assert again.report["looks"] == {"azimuth": 1, "range": 1}


@pytest.mark.parametrize("ml", ["0", "8x", "x", "-3", "501", "8x2x1"])
def test_looks_that_are_none_are_told(ml: str) -> None:
    with pytest.raises(FournaiseError, match="ml must be one number"):
        quick_look.QuickLookRequest(image=(Path("a"),), ml=ml)
