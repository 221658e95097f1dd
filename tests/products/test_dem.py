"""Elevation put together from files, against planes whose height is known at every post."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from kernels.errors import DemError
from kernels.model import Dem, GeographicBox
from kernels.products.dem import load_dem
from kernels.products.geoid import geoid_undulation
from tests.products import samples

BOX = GeographicBox(6.25, 45.25, 6.75, 45.75)


def longitudes(dem: Dem) -> np.ndarray:
    return dem.west + np.arange(dem.heights.shape[1]) * dem.longitude_step


def latitudes(dem: Dem) -> np.ndarray:
    return dem.north + np.arange(dem.heights.shape[0]) * dem.latitude_step


def plane_of(dem: Dem) -> np.ndarray:
    """Heights of the plane at the posts that the model says it has."""
    return samples.plane(np.round(longitudes(dem), 9), latitudes(dem))


def load(*sources: Path, box: GeographicBox = BOX, missing: str = "fail") -> Dem:
    return load_dem(sources, box, heights="ellipsoid", missing=missing)  # type: ignore[arg-type]


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Four SRTM tiles of the plane around 46 N 7 E."""
    return samples.write_hgts(tmp_path)


def test_posts_of_srtm_are_on_the_edges_of_the_degree(tiles: Path) -> None:
    dem = load(tiles)
    assert dem.longitude_step == pytest.approx(0.1, rel=1e-12)
    assert dem.latitude_step == pytest.approx(-0.1, rel=1e-12)
    # posts around 6.25 to 6.75 and two more: 6.0 to 7.0; the same in latitude
    assert (dem.west, dem.north) == (pytest.approx(6.0, abs=1e-9), pytest.approx(46.0, abs=1e-9))
    assert dem.heights.shape == (11, 11)
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)
    assert dem.filled is None
    assert dem.sources == ("N45E006.hgt",)


def test_half_a_pixel_is_not_lost(tmp_path: Path) -> None:
    """A GeoTIFF states edges: its posts are half a pixel inside."""
    ticks = np.arange(40) * 0.05
    heights = samples.plane(5.525 + ticks, 46.475 - ticks)
    path = samples.write_dem_tiff(
        tmp_path / "plane.tif", heights, west_edge=5.5, north_edge=46.5, step=0.05
    )
    dem = load(path)
    assert (dem.west - 5.525) / 0.05 == pytest.approx(round((dem.west - 5.525) / 0.05), abs=1e-6)
    # half a pixel would be 2.5 m
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)


def test_pixel_is_point_changes_nothing(tmp_path: Path) -> None:
    ticks = np.arange(40) * 0.05
    samples.write_dem_tiff(
        tmp_path / "Copernicus_DSM_COG_10_N45_00_E006_00_DEM.tif",
        samples.plane(5.525 + ticks, 46.475 - ticks),
        west_edge=5.5,
        north_edge=46.5,
        step=0.05,
        options=["GEOTIFF_KEYS_FLAVOR=STANDARD"],
    )
    dem = load(tmp_path)
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)


def test_tiles_are_joined_without_a_seam(tiles: Path) -> None:
    dem = load(tiles, box=GeographicBox(6.55, 45.55, 7.45, 46.45))
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)
    assert dem.sources == ("N45E006.hgt", "N45E007.hgt", "N46E006.hgt", "N46E007.hgt")


@given(
    west=st.floats(6.0, 7.4),
    south=st.floats(45.0, 46.4),
    width=st.floats(0.01, 0.6),
    height=st.floats(0.01, 0.6),
)
def test_any_box_is_covered(
    tmp_path_factory: pytest.TempPathFactory,
    west: float,
    south: float,
    width: float,
    height: float,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "four-tiles"
    if not folder.exists():
        folder.mkdir()
        for tile_south in (45, 46):
            for tile_west in (6, 7):
                samples.write_hgt(folder, tile_south, tile_west)
    box = GeographicBox(west, south, west + width, south + height)
    dem = load(folder, box=box)
    inside = slice(None) if dem.filled is None else ~dem.filled
    np.testing.assert_allclose(dem.heights[inside], plane_of(dem)[inside], atol=1e-3)
    assert longitudes(dem)[0] <= box.west
    assert box.east <= longitudes(dem)[-1] + 1e-9
    assert latitudes(dem)[-1] <= box.south + 1e-9
    assert box.north <= latitudes(dem)[0] + 1e-9


def test_a_zipped_tile_reads_as_the_plain_one(tiles: Path) -> None:
    plain = load(tiles)
    path = tiles / "N45E006.hgt"
    with zipfile.ZipFile(tiles / "N45E006.SRTMGL3.hgt.zip", "w") as archive:
        archive.write(path, "N45E006.hgt")
    path.unlink()
    packed = load(tiles)
    np.testing.assert_array_equal(packed.heights, plain.heights)
    assert packed.sources == ("N45E006.SRTMGL3.hgt.zip",)


def test_a_box_that_is_the_tile_needs_no_neighbour(tmp_path: Path) -> None:
    """The margin of two posts is welcome, not needed."""
    samples.write_hgt(tmp_path, 45, 6)
    dem = load(tmp_path, box=GeographicBox(6.0, 45.0, 7.0, 46.0))
    assert dem.heights.shape == (15, 15)
    assert dem.filled is not None
    assert not dem.filled[2:-2, 2:-2].any()
    np.testing.assert_allclose(dem.heights[2:-2, 2:-2], plane_of(dem)[2:-2, 2:-2], atol=1e-3)


def test_heights_above_the_geoid_are_raised_by_it(tiles: Path) -> None:
    above_ellipsoid = load(tiles)
    above_geoid = load_dem([tiles], BOX, heights="egm96", missing="fail")
    undulation = geoid_undulation(
        longitudes(above_geoid)[np.newaxis, :], latitudes(above_geoid)[:, np.newaxis]
    )
    assert 45.0 < undulation.min() < undulation.max() < 56.0
    np.testing.assert_allclose(above_geoid.heights - above_ellipsoid.heights, undulation, atol=1e-3)


# ---- missing values


def test_missing_tiles_fail_with_their_names(tiles: Path) -> None:
    (tiles / "N45E007.hgt").unlink()
    (tiles / "N46E007.hgt").unlink()
    with pytest.raises(DemError) as caught:
        load(tiles, box=GeographicBox(6.25, 45.25, 7.75, 46.75))
    message = str(caught.value)
    assert "in N45E007, N46E007; SRTM" in message
    # 8 of 17 columns of posts from 6.2 to 7.8
    assert "lacks 47 percent of the box 6.250 to 7.750 E, 45.250 to 46.750 N" in message
    assert "missing = sea" in message


def test_the_sea_policy_takes_the_geoid(tiles: Path) -> None:
    (tiles / "N45E007.hgt").unlink()
    (tiles / "N46E007.hgt").unlink()
    box = GeographicBox(6.25, 45.25, 7.75, 46.75)
    for heights in ("egm96", "ellipsoid"):
        dem = load_dem([tiles], box, heights=heights, missing="sea")  # type: ignore[arg-type]
        undulation = geoid_undulation(longitudes(dem)[np.newaxis, :], latitudes(dem)[:, np.newaxis])
        assert dem.filled is not None
        np.testing.assert_array_equal(
            dem.filled, np.broadcast_to(longitudes(dem) > 7.0 + 1e-9, dem.filled.shape)
        )
        np.testing.assert_allclose(dem.heights[dem.filled], undulation[dem.filled], atol=1e-3)
        land = plane_of(dem) + (undulation if heights == "egm96" else 0.0)
        np.testing.assert_allclose(dem.heights[~dem.filled], land[~dem.filled], atol=1e-3)


def test_the_fill_policy_interpolates_a_hole(tmp_path: Path) -> None:
    heights = np.full((60, 60), 700.0)
    heights[20:25, 30:33] = -32768.0
    samples.write_dem_tiff(
        tmp_path / "hole.tif", heights, west_edge=6.0, north_edge=46.0, step=0.02
    )
    with pytest.raises(DemError, match="lacks"):
        load(tmp_path)
    dem = load(tmp_path, missing="fill")
    assert dem.filled is not None
    assert dem.filled.sum() == 15
    np.testing.assert_allclose(dem.heights, 700.0, atol=1e-3)


def test_the_fill_policy_reaches_any_distance(tiles: Path) -> None:
    dem = load(tiles, box=GeographicBox(6.25, 45.25, 30.0, 45.75), missing="fill")
    assert np.isfinite(dem.heights).all()
    # far from the data: values of the data's edge at 8 E
    east = dem.heights[:, -1]
    assert east.min() == pytest.approx(1000.0 + 800.0 + 450.0, abs=5.0)
    assert east.max() == pytest.approx(1000.0 + 800.0 + 460.0, abs=5.0)


@pytest.mark.parametrize("missing", ["fail", "fill"])
def test_a_box_outside_every_file_fails(tiles: Path, missing: str) -> None:
    with pytest.raises(DemError, match=r"has no file in the box 100\.000 to 101\.000 E"):
        load(tiles, box=GeographicBox(100.0, 0.0, 101.0, 1.0), missing=missing)


def test_a_file_of_voids_alone_cannot_be_filled(tmp_path: Path) -> None:
    samples.write_dem_tiff(
        tmp_path / "void.tif", np.full((60, 60), np.nan), west_edge=6.0, north_edge=46.0, step=0.02
    )
    with pytest.raises(DemError, match="has no value at all in the box"):
        load(tmp_path, missing="fill")


def test_open_sea_needs_no_file(tmp_path: Path) -> None:
    dem = load(tmp_path, box=GeographicBox(-30.0, 10.0, -29.9, 10.1), missing="sea")
    undulation = geoid_undulation(longitudes(dem)[np.newaxis, :], latitudes(dem)[:, np.newaxis])
    np.testing.assert_allclose(dem.heights, undulation, atol=1e-3)
    assert dem.filled is not None
    assert dem.filled.all()


@pytest.mark.parametrize("void", [-32768.0, -32767.0, -9999.0, np.nan, np.inf])
def test_the_first_source_with_a_value_wins(tmp_path: Path, void: float) -> None:
    best, rest = tmp_path / "best", tmp_path / "rest"
    best.mkdir()
    rest.mkdir()
    heights = np.full((60, 60), 5.0)
    heights[:, ::2] = void
    samples.write_dem_tiff(best / "a.tif", heights, west_edge=6.0, north_edge=46.0, step=0.02)
    samples.write_dem_tiff(
        rest / "b.tif", np.full((60, 60), 8.0), west_edge=6.0, north_edge=46.0, step=0.02
    )
    dem = load(best, rest)
    column = np.rint((longitudes(dem) - 6.01) / 0.02).astype(int)
    assert (dem.heights[:, column % 2 == 1] == 5.0).all()
    assert (dem.heights[:, column % 2 == 0] == 8.0).all()
    assert dem.filled is None
    assert dem.sources == ("a.tif", "b.tif")
    assert load(rest, best).sources == ("b.tif",)


def test_a_stated_nodata_value_is_missing(tmp_path: Path) -> None:
    heights = np.full((60, 60), 5.0)
    heights[30, 30] = -1.0
    samples.write_dem_tiff(
        tmp_path / "a.tif", heights, west_edge=6.0, north_edge=46.0, step=0.02, nodata=-1.0
    )
    dem = load(tmp_path, missing="fill")
    assert dem.filled is not None
    assert dem.filled.sum() == 1


# ---- lattices


def test_tiles_of_another_spacing_are_resampled_onto_the_finest(tmp_path: Path) -> None:
    """GLO-30 halves its columns towards the poles; its tiles do not overlap."""
    for west in (6, 7, 8):
        for south, step in ((45, 0.05), (46, 0.1)):
            columns, rows = round(1 / step), 20
            name = f"Copernicus_DSM_COG_10_N{south}_00_E{west:03d}_00_DEM.tif"
            samples.write_dem_tiff(
                tmp_path / name,
                samples.plane(west + np.arange(columns) * step, south + 1 - np.arange(rows) * 0.05),
                west_edge=west - step / 2,
                north_edge=south + 1 + 0.025,
                step=step,
                latitude_step=0.05,
            )
    dem = load(tmp_path, box=GeographicBox(6.5, 45.5, 8.5, 46.8))
    assert dem.longitude_step == pytest.approx(0.05, rel=1e-9)
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)


def test_a_finer_source_behind_the_first_does_not_change_the_lattice(
    tmp_path: Path, tiles: Path
) -> None:
    fine = tmp_path / "fine"
    fine.mkdir()
    ticks = np.arange(150) * 0.02
    samples.write_dem_tiff(
        fine / "fine.tif",
        samples.plane(5.51 + ticks, 47.49 - ticks),
        west_edge=5.5,
        north_edge=47.5,
        step=0.02,
    )
    (tiles / "N46E006.hgt").unlink()
    dem = load(tiles, fine, box=GeographicBox(6.25, 45.25, 6.75, 46.75))
    assert dem.longitude_step == pytest.approx(0.1, rel=1e-9)
    np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)
    assert dem.sources == ("N45E006.hgt", "N46E007.hgt", "fine.tif")


def test_a_projected_model_is_warped_to_its_place(tmp_path: Path) -> None:
    """Heights linear in easting and northing: 1 m per pixel of 100 m east, 2 m north."""
    east_edge, north_edge, size = 290_000.0, 5_070_000.0, 100.0
    eastings = east_edge + (np.arange(600) + 0.5) * size
    northings = north_edge - (np.arange(600) + 0.5) * size

    def height(easting: np.ndarray, northing: np.ndarray) -> np.ndarray:
        return (easting - 290_000.0) / 100.0 + (northing - 5_000_000.0) / 50.0

    samples.write_dem_tiff(
        tmp_path / "utm.tif",
        height(eastings[np.newaxis, :], northings[:, np.newaxis]),
        west_edge=east_edge,
        north_edge=north_edge,
        step=size,
        epsg=32632,
    )
    dem = load(tmp_path, box=GeographicBox(6.5, 45.35, 6.8, 45.65))
    to_map = Transformer.from_crs(4326, 32632, always_xy=True)
    easting, northing = to_map.transform(*np.meshgrid(longitudes(dem), latitudes(dem)))
    assert dem.filled is None
    # transformed within a hundredth of a pixel, 2.2 m of height per pixel; half a pixel is 1.1 m
    np.testing.assert_allclose(dem.heights, height(easting, northing), atol=0.05)
    assert dem.latitude_step * -111_195 == pytest.approx(100.0, rel=0.01)
    assert dem.longitude_step * 111_195 * np.cos(np.radians(45.5)) == pytest.approx(100.0, rel=0.01)


# ---- the antimeridian and the poles


def test_a_box_across_the_antimeridian(tmp_path: Path) -> None:
    samples.write_hgt(tmp_path, 10, 179)
    samples.write_hgt(tmp_path, 10, -180)
    for box in (
        GeographicBox(179.45, 10.3, 180.65, 10.7),
        GeographicBox(-180.55, 10.3, -179.35, 10.7),
    ):
        dem = load(tmp_path, box=box)
        assert dem.west < box.west
        np.testing.assert_allclose(dem.heights, plane_of(dem), atol=1e-3)
        assert dem.sources == ("N10E179.hgt", "N10W180.hgt")


def test_a_global_model_serves_both_sides_of_the_antimeridian(tmp_path: Path) -> None:
    heights = np.broadcast_to(np.arange(360.0), (180, 360))
    samples.write_dem_tiff(
        tmp_path / "world.tif", heights, west_edge=-180.0, north_edge=90.0, step=1.0
    )
    dem = load(tmp_path, box=GeographicBox(177.0, 10.0, 183.0, 12.0))
    expected = np.round(longitudes(dem) + 180.0 - 0.5) % 360.0
    np.testing.assert_array_equal(dem.heights[0], expected)


def test_no_post_lies_beyond_a_pole(tmp_path: Path) -> None:
    dem = load(tmp_path, box=GeographicBox(0.0, 89.99, 0.1, 90.0), missing="sea")
    assert latitudes(dem).max() <= 90.0 + 1e-9


# ---- real tiles


@pytest.mark.shared_data
def test_real_posts_are_the_bytes_of_the_tile(shared_data: Path) -> None:
    folder = shared_data / "srtm3_alps"
    dem = load(folder, box=GeographicBox(6.9, 46.4, 7.1, 46.6))
    with zipfile.ZipFile(folder / "N46E007.SRTMGL3.hgt.zip") as archive:
        tile = np.frombuffer(archive.read("N46E007.hgt"), dtype=">i2").reshape(1201, 1201)
    for row, column in ((500, 0), (600, 77), (700, 100)):
        line = round((dem.north - (47.0 - row / 1200)) * 1200)
        sample = round((7.0 + column / 1200 - dem.west) * 1200)
        assert latitudes(dem)[line] == pytest.approx(47.0 - row / 1200, abs=1e-9)
        assert longitudes(dem)[sample] == pytest.approx(7.0 + column / 1200, abs=1e-9)
        assert dem.heights[line, sample] == tile[row, column]


@pytest.mark.shared_data
def test_the_southern_edge_of_the_alps_pair_has_no_tiles(shared_data: Path) -> None:
    box = GeographicBox(7.9, 45.8, 8.2, 46.1)
    with pytest.raises(DemError, match="in N45E008; SRTM"):
        load(shared_data / "srtm3_alps", box=box)
    dem = load(shared_data / "srtm3_alps", box=box, missing="fill")
    assert dem.filled is not None
    missing = (latitudes(dem) < 46.0 - 1e-9)[:, np.newaxis] & (longitudes(dem) > 8.0 + 1e-9)
    np.testing.assert_array_equal(dem.filled, missing)
    assert 150.0 < dem.heights[missing].min() < dem.heights[missing].max() < 4700.0


@pytest.mark.shared_data
def test_a_compound_reference_system_moves_no_height(shared_data: Path) -> None:
    """The model of Rome says WGS 84 + EGM96: its heights come as they are, at whole seconds."""
    path = shared_data / "rome_s1" / "Rome-30m-DEM.tif"
    dem = load(path, box=GeographicBox(12.46, 41.96, 12.54, 42.04))
    seconds = np.array([dem.west, dem.north]) * 3600.0
    np.testing.assert_allclose(seconds, np.rint(seconds), atol=1e-5)
    assert dem.heights.min() == np.rint(dem.heights.min())
