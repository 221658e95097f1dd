"""COSMO-SkyMed: files written with real and with made-up attributes."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.insar.deramp import AzimuthRamp
from kernels.model import LookSide, Shape, SlcProduct
from kernels.products.cosmo_skymed import open_cosmo_skymed
from tests.products import cosmo_samples


def random_pixels(shape: tuple[int, int] = (30, 40)) -> NDArray[np.int16]:
    return np.random.default_rng(2).integers(-3000, 3000, (*shape, 2)).astype(np.int16)


def orbit_of(image: SlcProduct) -> Orbit:
    grid = image.grid
    last = grid.first_line_time + grid.shape.lines * grid.line_interval
    return Orbit.fit(image.state_vectors, start=grid.first_line_time, stop=last)


def test_what_the_attributes_say(tmp_path: Path) -> None:
    product = open_cosmo_skymed(cosmo_samples.write(tmp_path, random_pixels()))
    assert product.images == (("H4-05", "HH"),)
    image = product.slc("h4-05", "hh")
    assert (image.platform, image.mode, image.swath) == ("CSKS1", "SM", "H4-05")
    assert image.grid.shape == Shape(30, 40)
    assert image.grid.epoch == datetime(2011, 4, 18)
    assert image.grid.first_line_time == pytest.approx(43200.0 - 0.01, abs=1e-9)
    assert image.grid.first_slant_range == pytest.approx(0.5 * 299_792_458.0 * 4.9e-3)
    assert image.grid.look_side is LookSide.RIGHT
    assert image.grid.wavelength == pytest.approx(299_792_458.0 / 9.6e9)
    assert (image.range_bandwidth, image.azimuth_bandwidth) == (8.0e7, 2800.0)
    assert image.geolocation.latitudes.tolist() == [0.1]


def test_the_doppler_centroid_is_that_of_the_middle(tmp_path: Path) -> None:
    product = open_cosmo_skymed(cosmo_samples.write(tmp_path, random_pixels()))
    burst = product.slc("H4-05", "HH").bursts[0]
    middle = -0.01 + 0.5 * 29 * 3.0e-4
    assert burst.doppler(5.0e-3) == pytest.approx(120.0 - 3.0 * (middle - 0.5), abs=1e-9)
    assert burst.doppler(5.1e-3) - burst.doppler(5.0e-3) == pytest.approx(-40.0, abs=1e-9)
    assert burst.fm_rate(5.0e-3) == -5400.0
    assert burst.steering_rate == 0.0


def test_the_ramp_of_a_spotlight_drifts_as_annotated(tmp_path: Path) -> None:
    drift = np.array([0.0, -11_000.0, 0.0])
    path = cosmo_samples.write(
        tmp_path,
        random_pixels(),
        root={
            "Acquisition Mode": b"ENHANCED SPOTLIGHT",
            "Centroid vs Azimuth Time Polynomial": drift,
            "Centroid vs Range Time Polynomial": np.zeros(3),
            "Doppler Rate vs Range Time Polynomial": np.array([-5400.0, 0.0]),
        },
    )
    image = open_cosmo_skymed(path).slc("H4-05", "HH")
    assert image.mode == "SL"
    ramp = AzimuthRamp.of(image.bursts[0], orbit_of(image))
    cycles = ramp.cycles(np.array([4.0, 5.0, 24.0, 25.0]), np.full(4, 20.0))
    frequencies = -np.array([cycles[1] - cycles[0], cycles[3] - cycles[2]]) / 3.0e-4
    assert (frequencies[1] - frequencies[0]) / (20 * 3.0e-4) == pytest.approx(-11_000.0, rel=0.01)


def test_pixels_are_read_by_block_also_after_pickling(tmp_path: Path) -> None:
    pixels = random_pixels()
    product = open_cosmo_skymed(cosmo_samples.write(tmp_path, pixels))
    reader = pickle.loads(pickle.dumps(product.slc("H4-05", "HH").pixels))
    expected = pixels[3:9, 10:30, 0] + 1j * pixels[3:9, 10:30, 1].astype(np.float64)
    np.testing.assert_array_equal(reader.read(3, 6, 10, 20), expected.astype(np.complex64))
    with pytest.raises(ProductError, match="window must be inside 30 lines and 40 samples"):
        reader.read(25, 10)


def test_only_metadata_may_be_asked_for(tmp_path: Path) -> None:
    product = open_cosmo_skymed(cosmo_samples.write(tmp_path, random_pixels()))
    assert product.slc("H4-05", "HH", need_pixels=False).pixels is None


@pytest.mark.parametrize(
    ("root", "line"),
    [
        ({"Product Type": b"DGM_B"}, "must be an SCS product of mode .*, got DGM_B"),
        ({"Acquisition Mode": b"HUGEREGION"}, "got SCS_B of mode HUGEREGION"),
        ({"Lines Order": b"LATE-EARLY"}, "attribute Lines Order must be EARLY-LATE"),
        ({"Reference UTC": b"yesterday"}, "attribute Reference UTC must be a UTC time"),
        ({"Radar Frequency": np.nan}, "attribute Radar Frequency must be finite numbers"),
        ({"State Vectors Times": np.arange(3.0)}, "as many times as positions"),
    ],
)
def test_unusable_attributes_are_named(tmp_path: Path, root: dict[str, Any], line: str) -> None:
    path = cosmo_samples.write(tmp_path, random_pixels(), root=root)
    with pytest.raises(ProductError, match=line):
        open_cosmo_skymed(path).slc("H4-05", "HH")


def test_a_missing_group_is_named(tmp_path: Path) -> None:
    path = cosmo_samples.write(tmp_path, random_pixels())
    with h5py.File(path, "a") as file:
        del file["S01/SBI"]
    with pytest.raises(ProductError, match="has no HDF5 group SBI"):
        open_cosmo_skymed(path).slc("H4-05", "HH")
    with h5py.File(path, "a") as file:
        del file["S01"]
    with pytest.raises(ProductError, match="has no HDF5 group S01"):
        open_cosmo_skymed(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = cosmo_samples.write(tmp_path, random_pixels((200, 200)))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ProductError, match="cannot be read as HDF5, or is cut off"):
        open_cosmo_skymed(path)


def test_other_names_are_refused(tmp_path: Path) -> None:
    path = cosmo_samples.write(tmp_path, random_pixels(), name="CSKS1_DGM_B_HI")
    with pytest.raises(ProductError, match="must be a COSMO-SkyMed SCS product"):
        open_cosmo_skymed(path)


@pytest.mark.shared_data
def test_reference_points_of_a_real_product(shared_data: Path, tmp_path: Path) -> None:
    """An Enhanced Spotlight product of 2011, its metadata written as HDF5, its own points."""
    path = cosmo_samples.write_real(tmp_path, shared_data)
    image = open_cosmo_skymed(path).slc("H4-05", "HH")
    points = np.loadtxt(shared_data / "csk" / "cosmoskymed-1.gcp2")
    longitudes, latitudes = np.radians(points[:, 2]), np.radians(points[:, 3])
    found_times, ranges = ground_to_radar(
        orbit_of(image), geodetic_to_ecef(longitudes, latitudes, points[:, 4])
    )
    lines, samples = image.grid.line(found_times, ranges), image.grid.sample(ranges)
    assert image.grid.shape == (14380, 17502)
    # the points carry half a pixel in range; their azimuth is that of another code's orbit, which
    # differs by 0.84 to 0.92 line, 0.6 m, over the 1800 lines
    np.testing.assert_allclose(samples, points[:, 0] - 0.5, atol=1e-3)
    assert np.abs(lines - points[:, 1]).max() < 1.0
    assert np.ptp(lines - points[:, 1]) < 0.1
