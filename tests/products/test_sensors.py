"""The door to products of every sensor, and what the writers write, read back and by GDAL."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.errors import ProductError
from kernels.model import GeographicBox, LookSide, Shape, SlcProduct
from kernels.products.sensors import SENSORS, open_slc, sensor_of
from kernels.simulation import Acquisition, StripMapMode, Track, plane
from kernels.simulation.acquisition import make_products
from kernels.simulation.containers import container_of
from kernels.simulation.modes import SWATHS
from kernels.simulation.scene import terrain_of

GROUND = GeographicBox(55.4, -21.3, 56.0, -20.7)
CENTRE = datetime(2026, 1, 1, 23, 59, 59, 950000)
SHAPE = Shape(90, 110)
BEAMS = {"STRIP_011": "TSX1", "SPOT_045": "PAZ1", "H4-05": "CSKS4", "S2-05": "CSKS1", "S6": "S1A"}


def made(beam: str) -> SlcProduct:
    """Metadata of a small image around midnight."""
    terrain = terrain_of(plane(GROUND, height=120.0))
    mode = StripMapMode(beam=beam, lines=SHAPE.lines, samples=SHAPE.samples)
    (image,) = make_products(
        Track(), mode, Acquisition(centre=CENTRE, platform=BEAMS[beam]), terrain
    )
    return image


def pixels() -> NDArray[np.int16]:
    return np.random.default_rng(3).integers(-9000, 9000, (*SHAPE, 2)).astype(np.int16)


def written(folder: Path, image: SlcProduct) -> Path:
    """A product whose lines came in two parts, the last first; line 40 never came."""
    container, content = container_of(image), pixels()
    path = folder / f"{image.name}{container.ending}"
    (file,) = container.begin(path, (image,))
    with container.pixels(file, image) as writer:
        writer.write(41, content[41:])
        writer.write(0, content[:40])
    container.finish(path, (image,))
    return path


@pytest.mark.parametrize("beam", BEAMS)
def test_what_was_written_is_read(beam: str, tmp_path: Path) -> None:
    image = made(beam)
    product = open_slc(written(tmp_path, image))
    assert (product.name, product.platform, product.mode) == (image.name, BEAMS[beam], image.mode)
    assert product.images == ((beam, "VV"),)
    found = product.slc(beam, "VV", epoch=CENTRE)
    grid, burst = found.grid, found.bursts[0]
    assert (grid.shape, grid.look_side, found.ascending) == (SHAPE, LookSide.RIGHT, False)
    # times of a day hold 1e-11 s; the orbit does not notice 1e-9 s
    assert grid.first_line_time == pytest.approx(image.grid.first_line_time, abs=1e-9)
    assert grid.line_interval == pytest.approx(image.grid.line_interval, rel=1e-12)
    assert grid.first_slant_range == pytest.approx(image.grid.first_slant_range, abs=1e-6)
    assert grid.slant_range_spacing == pytest.approx(image.grid.slant_range_spacing, rel=1e-12)
    assert grid.wavelength == pytest.approx(image.grid.wavelength, rel=1e-12)
    np.testing.assert_allclose(found.state_vectors.positions, image.state_vectors.positions)
    np.testing.assert_allclose(found.state_vectors.times, image.state_vectors.times, atol=1e-6)
    times = 2.0 / 299_792_458.0 * grid.slant_range(np.arange(0.0, SHAPE.samples))
    np.testing.assert_allclose(burst.doppler(times), image.bursts[0].doppler(times), atol=1e-3)
    np.testing.assert_allclose(burst.fm_rate(times), image.bursts[0].fm_rate(times), atol=1e-3)
    steering = math.radians(SWATHS[beam].steering_rate)
    assert burst.steering_rate == pytest.approx(steering, rel=1e-6)
    assert abs(found.start - image.start) <= timedelta(microseconds=1)
    assert found.geolocation.latitudes.mean() == pytest.approx(-21.0, abs=0.01)
    assert found.pixels is not None
    expected = pixels().astype(np.float32)
    expected[40] = 0.0
    np.testing.assert_array_equal(
        found.pixels.read(0, SHAPE.lines), expected[..., 0] + 1j * expected[..., 1]
    )


def test_gdal_knows_an_annotation_of_terrasar_x(tmp_path: Path) -> None:
    """Its own reader of the format: size, layers, and pixels of the COSAR file."""
    path = written(tmp_path, made("STRIP_011"))
    dataset = gdal.Open(str(path / f"{path.name}.xml"))
    assert dataset.GetDriver().ShortName == "TSX"
    assert (dataset.RasterYSize, dataset.RasterXSize) == SHAPE
    band = dataset.GetRasterBand(1)
    assert gdal.GetDataTypeName(band.DataType) == "CInt16"
    content = pixels()
    np.testing.assert_array_equal(
        band.ReadAsArray()[50], content[50, :, 0] + 1j * content[50, :, 1]
    )


@pytest.mark.parametrize(
    ("name", "sensor"),
    [
        ("S1A_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B.SAFE", "Sentinel-1"),
        ("renamed.zip", "Sentinel-1"),
        ("manifest.safe", "Sentinel-1"),
        ("TDX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228", "TerraSAR-X"),
        ("PAZ1_SAR__SSC______HS_S_SRA_20200310T133220_20200310T133228.xml", "TerraSAR-X"),
        ("CSKS4_SCS_B_HI_05_HH_RD_SF_20110418180327_20110418180329.h5", "COSMO-SkyMed"),
    ],
)
def test_sensors_are_known_by_names_and_markers(name: str, sensor: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix in (".xml", ".zip", ".h5", ".safe"):
        path.touch()
    else:
        path.mkdir()
    assert sensor_of(path).name == sensor


def test_a_renamed_safe_folder_is_known_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.safe").touch()
    assert sensor_of(tmp_path).name == "Sentinel-1"


def test_other_files_are_told_what_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "image.tif"
    path.touch()
    with pytest.raises(ProductError) as caught:
        open_slc(path)
    for sensor in SENSORS:
        assert sensor.accepts in str(caught.value)


def test_nothing_is_told_apart_from_no_product(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="TSX1_SAR does not exist"):
        open_slc(tmp_path / "TSX1_SAR")
