"""MintPy's files: the layout of its documentation, round trips, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import InputError, ProcessingError
from kernels.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import Dem, Looks, Shape
from kernels.products.mintpy import create_stack, date_baselines, open_stack
from kernels.products.mintpy_scene import open_geometry, scene_attributes, write_radar_geometry
from tests.geometry.scenes import circular_orbit, radar_grid
from tests.products_out.limits import no_file_larger_than

DAYS = (date(2016, 6, 5), date(2016, 6, 17), date(2016, 7, 11))
PAIRS = ((1, 0), (1, 2), (0, 2))
BASELINES = (10.0, -20.0, 35.0)
SHAPE = Shape(70, 9)
ATTRIBUTES = {"WAVELENGTH": "0.05546576", "ORBIT_DIRECTION": "ASCENDING"}


def layers() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Phase, coherence and components of the pairs, as made: first image times second."""
    generator = np.random.default_rng(0)
    phase = generator.normal(scale=9.0, size=(3, *SHAPE)).astype(np.float32)
    phase[:, 3, 4] = np.nan
    phase[:, 5, 6] = 0.0
    coherence = generator.uniform(size=phase.shape).astype(np.float32)
    components = np.where(np.isfinite(phase), 1, 0).astype(np.int32)
    return phase, coherence, components


def write(path: Path) -> Path:
    with create_stack(
        path, days=DAYS, pairs=PAIRS, baselines=BASELINES, shape=SHAPE, attributes=ATTRIBUTES
    ) as writer:
        for number, arrays in reversed(list(enumerate(zip(*layers(), strict=True)))):
            writer.write(number, *arrays)
    return path


def test_the_layout_is_that_of_the_documentation(tmp_path: Path) -> None:
    phase, coherence, components = layers()
    with h5py.File(write(tmp_path / "ifgramStack.h5")) as file:
        assert file["date"][:].tolist() == [
            [b"20160605", b"20160617"],
            [b"20160617", b"20160711"],
            [b"20160605", b"20160711"],
        ]
        np.testing.assert_allclose(file["bperp"][:], [-30.0, 55.0, 25.0])
        assert file["dropIfgram"][:].all()
        # the first pair was made of the later image first
        np.testing.assert_array_equal(file["unwrapPhase"][0, 7], -phase[0, 7])
        np.testing.assert_array_equal(file["unwrapPhase"][1, 7], phase[1, 7])
        assert (file["unwrapPhase"][:, 3, 4] == 0.0).all()
        assert file["unwrapPhase"].dtype == np.float32
        np.testing.assert_array_equal(file["coherence"][:], coherence)
        np.testing.assert_array_equal(file["connectComponent"][:], components)
        assert file["connectComponent"].dtype == np.int16
        attributes = dict(file.attrs)
    assert attributes["FILE_TYPE"] == "ifgramStack"
    assert (attributes["LENGTH"], attributes["WIDTH"]) == ("70", "9")
    assert attributes["WAVELENGTH"] == "0.05546576"
    assert attributes["UNIT"] == "radian"


def test_what_was_written_is_read(tmp_path: Path) -> None:
    phase, coherence, components = layers()
    stack = open_stack(write(tmp_path / "ifgramStack.h5"))
    assert stack.days == DAYS
    assert stack.pairs.tolist() == [[0, 1], [1, 2], [0, 2]]
    assert stack.shape == SHAPE
    assert stack.wavelength == 0.05546576
    np.testing.assert_allclose(date_baselines(stack), [0.0, -30.0, 25.0], atol=1e-5)
    found = stack.rows(Band(2, 66), np.array([1, 2]))
    # an exact 0 is known: it must not become "no data"
    np.testing.assert_allclose(found.phase, phase[1:, 2:68], atol=2e-9)
    assert found.coherence is not None
    known = np.isfinite(found.phase)
    np.testing.assert_array_equal(found.coherence[known], coherence[1:, 2:68][known])
    assert found.components is not None
    np.testing.assert_array_equal(found.components, components[1:, 2:68])


def test_pairs_that_never_came_are_dropped_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ifgramStack.h5"
    arrays = [layer[1] for layer in layers()]
    made = {"days": DAYS, "pairs": PAIRS, "baselines": BASELINES, "shape": SHAPE}
    with (
        pytest.raises(ProcessingError, match="lacks 2 of its pairs"),
        create_stack(path, **made, attributes=ATTRIBUTES) as writer,  # type: ignore[arg-type]
    ):
        writer.write(1, *arrays)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    with create_stack(path, **made, attributes=ATTRIBUTES) as writer:  # type: ignore[arg-type]
        writer.write(1, *arrays)  # type: ignore[arg-type]
        writer.drop_missing()
    assert open_stack(path).used.tolist() == [False, True, False]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with no_file_larger_than(4096), pytest.raises(ProcessingError, match=r"ifgramStack\.h5 could"):
        write(tmp_path / "ifgramStack.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda file: file.__delitem__("unwrapPhase"), "a stack of MintPy with a data set unwrap"),
        (lambda file: file.__delitem__("date"), "a stack of MintPy with a data set date"),
        (lambda file: file.attrs.__delitem__("WAVELENGTH"), "must have an attribute WAVELENGTH"),
        (lambda file: file.attrs.update(WAVELENGTH="5.5e7"), "WAVELENGTH must be in metres"),
        (lambda file: file["date"].write_direct(np.full((3, 2), b"2016abcd")), "days as 20160605"),
        (
            lambda file: file["date"].write_direct(file["date"][:][:, ::-1].copy()),
            "must name the earlier day of each pair first",
        ),
    ],
)
def test_files_that_are_no_such_stack_are_refused(tmp_path: Path, spoil, line: str) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path / "ifgramStack.h5")
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(InputError, match=line):
        open_stack(path)


def test_files_that_are_no_hdf5_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "stack.h5"
    text.write_text("not HDF5")
    with pytest.raises(InputError, match=r"stack\.h5 must be an HDF5 file"):
        open_stack(text)
    with pytest.raises(InputError, match="there is none of that name"):
        open_stack(tmp_path / "nothing.h5")
    path = write(tmp_path / "ifgramStack.h5")
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(InputError, match=r"ifgramStack\.h5 cannot be read"):
        open_stack(path)


def test_the_geometry_is_that_of_the_cells(tmp_path: Path) -> None:
    """A plane of 700 m: where each cell is follows from its time and range alone."""
    orbit, grid = circular_orbit(), radar_grid(Shape(300, 1200)).looked(Looks(4, 16))
    rows, columns = np.meshgrid(*(np.arange(float(n)) for n in grid.shape), indexing="ij")
    ranges = grid.slant_range(columns)
    points = radar_to_ground(
        orbit, grid.zero_doppler_time(rows, ranges), ranges, np.full(rows.shape, 700.0)
    )
    longitudes, latitudes, _ = (np.degrees(angle) for angle in ecef_to_geodetic(points))
    dem = Dem(
        heights=np.full((400, 400), 700.0, np.float32),
        west=longitudes.min() - 0.05,
        north=latitudes.max() + 0.05,
        longitude_step=(np.ptp(longitudes) + 0.1) / 399,
        latitude_step=-(np.ptp(latitudes) + 0.1) / 399,
    )
    attributes = scene_attributes(
        grid, orbit, platform="S1A", looks=Looks(4, 16), effective_looks=40.0
    )
    path = tmp_path / "geometryRadar.h5"
    write_radar_geometry(
        path,
        grid=grid,
        orbit=orbit,
        dem=dem,
        attributes=attributes,
        threads=2,
        progress=Progress(),
    )
    found = open_geometry(path)
    assert found.shape == grid.shape
    every = Band(0, grid.shape.lines)
    # 1e-7 degrees are a centimetre
    np.testing.assert_allclose(found.rows("longitude", every), longitudes, atol=1e-7)
    np.testing.assert_allclose(found.rows("latitude", every), latitudes, atol=1e-7)
    np.testing.assert_allclose(found.rows("height", every), 700.0, atol=0.02)
    np.testing.assert_allclose(found.rows("slantRangeDistance", every), ranges, rtol=1e-7)
    # a point above in the direction that angles and range tell is where the satellite is
    one = np.array([[longitudes[5, 7], latitudes[5, 7]]])
    ground = geodetic_to_ecef(*np.radians(one[0]), np.array(700.0))
    time, distance = ground_to_radar(orbit, ground[None])
    incidence, azimuth = (
        np.radians(found.rows(name, every)[5, 7]) for name in ("incidenceAngle", "azimuthAngle")
    )
    satellite = orbit.position(time[0])
    longitude, latitude = np.radians(one[0])
    east = np.array([-np.sin(longitude), np.cos(longitude), 0.0])
    up = np.array(
        [
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        ]
    )
    north = np.cross(up, east)
    level = -np.sin(azimuth) * east + np.cos(azimuth) * north
    sight = np.sin(incidence) * level + np.cos(incidence) * up
    np.testing.assert_allclose(ground + distance * sight, satellite, atol=2.0)
    assert float(attributes["STARTING_RANGE"]) == grid.first_slant_range
    assert float(attributes["HEIGHT"]) == pytest.approx(700e3, abs=15e3)
    assert float(attributes["EARTH_RADIUS"]) == pytest.approx(6.37e6, abs=15e3)
    assert attributes["ORBIT_DIRECTION"] == "ASCENDING"
    assert float(attributes["HEADING"]) == pytest.approx(-12.0, abs=3.0)
    assert float(attributes["LAT_REF1"]) == pytest.approx(latitudes[0, 0], abs=0.02)
    assert float(attributes["LON_REF4"]) == pytest.approx(longitudes[-1, -1], abs=0.02)
