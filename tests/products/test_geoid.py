"""The geoid EGM96 against published values and against the bytes of its own file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import DemError
from kernels.products.geoid import (
    GEOID_SETTING,
    check_geoid,
    find_geoid,
    geoid_on_posts,
    geoid_undulation,
)
from tests.products import samples

LONGITUDES = st.floats(-720.0, 720.0)
LATITUDES = st.floats(-90.0, 90.0)


def point(longitude: float, latitude: float) -> float:
    return float(geoid_undulation(np.array(longitude), np.array(latitude)))


def test_self_test_passes_where_the_grid_is_installed() -> None:
    check_geoid()
    assert point(1.5, 43.5) == pytest.approx(49.095, abs=0.01)


@pytest.mark.parametrize(
    ("latitude", "longitude", "undulation"),
    [
        (38.6281550, 269.7791550, -31.628),
        (-14.6212170, 305.0211140, -2.969),
        (46.8743190, 102.4487290, -43.575),
        (-23.6174460, 133.8747120, 15.871),
        (38.6254730, 359.9995000, 50.066),
        (-0.4667440, 0.0023000, 17.329),
    ],
)
def test_points_published_with_egm96(latitude: float, longitude: float, undulation: float) -> None:
    """NIMA's OUTPT.DAT, by splines on the same 15 minutes; bilinear differs by centimetres."""
    assert point(longitude, latitude) == pytest.approx(undulation, abs=0.15)


def read_by_hand(path: Path) -> tuple[np.ndarray, float, float, float]:
    """Undulations from the south, first latitude and longitude, step (NOAA's GTX format)."""
    content = path.read_bytes()
    south, west, step, _ = struct.unpack(">4d", content[:32])
    rows, columns = struct.unpack(">2i", content[32:40])
    values = np.frombuffer(content[40:], dtype=">f4").reshape(rows, columns)
    return values.astype(float), south, west, step


def test_nodes_of_the_file_are_at_pixel_centres() -> None:
    values, south, west, step = read_by_hand(find_geoid())
    for row, column in ((0, 0), (100, 7), (533, 1439), (720, 720)):
        node = point(west + column * step, south + row * step)
        assert node == pytest.approx(values[row, column], abs=1e-9)
    # halfway between four nodes: their mean
    expected = values[533:535, 726:728].mean()
    middle = point(west + 726.5 * step, south + 533.5 * step)
    assert middle == pytest.approx(expected, abs=1e-9)


def test_between_the_last_and_the_first_column() -> None:
    values, south, west, step = read_by_hand(find_geoid())
    expected = 0.5 * (values[400, -1] + values[400, 0])
    assert point(west - 0.5 * step, south + 400 * step) == pytest.approx(expected, abs=1e-9)


@given(longitude=st.floats(-180.0, 180.0), latitude=LATITUDES, turns=st.integers(-2, 2))
def test_whole_turns_change_nothing(longitude: float, latitude: float, turns: int) -> None:
    # 1e-9 degrees of rounding on slopes below 1 m per 0.01 degree
    assert point(longitude + 360.0 * turns, latitude) == pytest.approx(
        point(longitude, latitude), abs=1e-6
    )


@given(longitude=LONGITUDES, latitude=LATITUDES)
def test_the_geoid_stays_within_its_known_extremes(longitude: float, latitude: float) -> None:
    assert -107.1 < point(longitude, latitude) < 85.5


def test_posts_are_points() -> None:
    longitudes, latitudes = np.linspace(178.3, 184.7, 57), np.linspace(47.9, 45.1, 41)
    np.testing.assert_allclose(
        geoid_on_posts(longitudes, latitudes),
        geoid_undulation(longitudes[np.newaxis, :], latitudes[:, np.newaxis]),
        rtol=0,
        atol=1e-9,
    )


def test_a_missing_grid_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GEOID_SETTING, str(tmp_path / "none.gtx"))
    with pytest.raises(DemError, match="install the package proj-data"):
        check_geoid()


def test_another_grid_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = samples.write_dem_tiff(
        tmp_path / "flat.tif", np.zeros((19, 36)), west_edge=-185.0, north_edge=95.0, step=10.0
    )
    monkeypatch.setenv(GEOID_SETTING, str(flat))
    with pytest.raises(
        DemError, match=r"flat\.tif must have N = 49\.095 m at 43\.5 N 1\.5 E, got 0"
    ):
        check_geoid()


def test_a_damaged_grid_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "egm96_15.gtx"
    damaged.write_bytes(b"")
    monkeypatch.setenv(GEOID_SETTING, str(damaged))
    with pytest.raises(DemError, match=r"egm96_15\.gtx cannot be read"):
        check_geoid()
