"""Displacement in metres against a volcano whose truth is known, with a lake and bare patches."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from kernels.chains.artefacts import ChainResult
from kernels.chains.dinsar_pair import CHAIN, run
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError, RequestError
from kernels.insar.unwrapping import UNWRAPPERS
from kernels.model import MapGrid
from kernels.products.raster import read_raster
from kernels.simulation import (
    TopsMode,
    save_dem,
)
from tests.series import CENTRE, hills
from tests.volcano import BARE, CYCLE, FAR, Volcano, assert_true, at_points, make_volcano


@pytest.fixture(scope="module")
def volcano(tmp_path_factory: pytest.TempPathFactory) -> Volcano:
    """In one swath."""
    mode = TopsMode(bursts=2, samples=2400, burst_lines=500)
    return make_volcano(tmp_path_factory.mktemp("volcano"), mode)


@pytest.fixture(scope="module")
def unwrapped(volcano: Volcano, tmp_path_factory: pytest.TempPathFactory) -> ChainResult:
    """The default unwrapper at the default looks, without filter."""
    folder = tmp_path_factory.mktemp("unwrapped")
    return run(
        volcano.series.request(
            azimuth_looks=2, range_looks=8, unwrapping="mcf", reference_point=f"{FAR[0]},{FAR[1]}"
        ),
        folder,
        Progress(),
    )


def test_the_default_unwrapper_finds_the_displacement(
    unwrapped: ChainResult, volcano: Volcano
) -> None:
    assert np.ptp(volcano.towards) > 5 * CYCLE  # wrapped phase alone would not do
    assert_true(unwrapped, volcano)
    raster = read_raster(unwrapped.artefact("displacement").path)
    interferogram = read_raster(unwrapped.artefact("interferogram").path)
    assert raster.grid == interferogram.grid
    displacement, phase, component = raster.array[:3]
    known = np.isfinite(phase)
    np.testing.assert_array_equal(component > 0, known)
    cycles = (phase - interferogram.array[1])[known] / (2.0 * math.pi)
    np.testing.assert_allclose(cycles, np.rint(cycles), atol=1e-5)
    # noise over water has no displacement
    assert np.isfinite(displacement).sum() < (interferogram.array[3] == 1.0).sum()


def test_how_the_radar_sees_each_pixel(unwrapped: ChainResult) -> None:
    raster = read_raster(unwrapped.artefact("displacement").path)
    assert raster.band_names[3:] == (
        "incidence",
        "line_of_sight_east",
        "line_of_sight_north",
        "line_of_sight_up",
    )
    incidence, sight = raster.array[3], raster.array[4:]
    known = np.isfinite(incidence)
    np.testing.assert_allclose(np.linalg.norm(sight[:, known], axis=0), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.cos(incidence[known]), sight[2][known], atol=1e-6)
    # the middle of the swath, for the report, and that of the map are some hundred metres apart
    middle = math.radians(unwrapped.report["swaths"][0]["incidence_angle_deg"])
    rows, columns = incidence.shape
    assert incidence[rows // 2, columns // 2] == pytest.approx(middle, abs=3e-3)
    ascending = unwrapped.report["reference"]["direction"] == "ascending"
    assert ((sight[0][known] < 0.0) == ascending).all()  # it looks to the right


@pytest.mark.skipif(find_spec("snaphu") is None, reason="snaphu is an extra")
def test_snaphu_finds_the_displacement(volcano: Volcano, tmp_path: Path) -> None:
    request = volcano.series.request(azimuth_looks=2, range_looks=8, unwrapping="snaphu")
    assert_true(run(request, tmp_path, Progress()), volcano)


@pytest.mark.skipif(find_spec("snaphu") is not None, reason="snaphu is here")
def test_an_unwrapper_that_is_not_here_is_refused_at_once(volcano: Volcano, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="snaphu is not installed"):
        run(volcano.series.request(unwrapping="snaphu"), tmp_path / "never", Progress())
    assert not (tmp_path / "never").exists()


def test_the_request_knows_every_unwrapper() -> None:
    (info,) = (i for i in CHAIN.request.describe() if i.name == "unwrapping")
    assert info.choices == ("none", *UNWRAPPERS)


@pytest.mark.parametrize("phase_filter", ["goldstein", "adaptive"])
def test_the_filter_takes_noise_away_and_leaves_displacement(
    phase_filter: str, volcano: Volcano, tmp_path: Path
) -> None:
    result = run(
        volcano.series.request(
            azimuth_looks=2,
            range_looks=8,
            phase_filter=phase_filter,
            unwrapping="mcf",
            reference_area=f"{FAR[0] - 0.004},{FAR[1] - 0.004},{FAR[0] + 0.004},{FAR[1] + 0.004}",
        ),
        tmp_path,
        Progress(),
    )
    assert_true(result, volcano)
    noises = []
    for name in ("interferogram", "filtered"):
        raster = read_raster(result.artefact(name).path)
        phase = at_points(raster, volcano, 1) + 2.0 * math.pi / CYCLE * volcano.towards
        phase = phase[np.isfinite(phase)]
        residual = np.angle(np.exp(1j * phase) / np.mean(np.exp(1j * phase)))
        noises.append(np.sqrt(np.mean(residual**2)))
    assert noises[1] < 0.6 * noises[0]
    plain, filtered = (
        read_raster(result.artefact(name).path).array for name in ("interferogram", "filtered")
    )
    np.testing.assert_array_equal(plain[3], filtered[3])
    np.testing.assert_allclose(plain[0], filtered[0], rtol=1e-5)
    displacement = read_raster(result.artefact("displacement").path)
    grid = displacement.grid
    assert isinstance(grid, MapGrid)
    column, row = int((FAR[0] - grid.west) / 1e-4), int((grid.north - FAR[1]) / 1e-4)
    area = displacement.array[0, row - 38 : row + 38, column - 38 : column + 38]
    assert abs(np.nanmean(area)) < 2e-4  # [m]


def test_displacement_is_relative_to_the_point(unwrapped: ChainResult) -> None:
    raster = read_raster(unwrapped.artefact("displacement").path)
    grid = raster.grid
    assert isinstance(grid, MapGrid)
    column, row = int((FAR[0] - grid.west) / 1e-4), int((grid.north - FAR[1]) / 1e-4)
    around = raster.array[0, row - 10 : row + 11, column - 10 : column + 11]
    assert abs(np.nanmean(around)) < 5e-4  # [m]; noise of a few cells
    assert unwrapped.report["unwrapping"]["reference"]["component"] == 1
    assert unwrapped.report["unwrapping"]["looks"] == {"azimuth": 4, "range": 16}
    assert 30.0 < unwrapped.report["unwrapping"]["effective_looks"] < 64.0


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"reference_point": "10,10"}, "on the ground of the interferogram"),
        ({"reference_area": "10,10,11,11"}, "on the ground of the interferogram"),
        ({"reference_point": f"{BARE[0]},{BARE[1]}"}, "where the phase could be unwrapped"),
    ],
)
def test_a_reference_that_is_none_is_refused_in_one_line(
    options: dict[str, str], rule: str, volcano: Volcano, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=rule):
        run(volcano.series.request(unwrapping="mcf", **options), tmp_path / "none", Progress())
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"reference_point": "1,2"}, "reference_point must be left out without unwrapping"),
        (
            {"unwrapping": "mcf", "reference_point": "1,2", "reference_area": "1,2,3,4"},
            "reference_area must be left out where there is a reference_point",
        ),
        ({"unwrapping": "mcf", "reference_point": "1"}, "longitude,latitude in degrees"),
        ({"unwrapping": "mcf", "reference_point": "1,91"}, "longitude,latitude in degrees"),
        ({"unwrapping": "mcf", "reference_area": "4,3,2,1"}, "south below north"),
        ({"like": Path("grid.tif"), "spacing": 1e-4}, "spacing must be left out"),
        ({"unwrapping": "mcf", "filter_strength": 1.5}, "filter_strength must be at most 1"),
    ],
)
def test_options_that_contradict_each_other(
    options: dict[str, object], line: str, volcano: Volcano
) -> None:
    with pytest.raises(RequestError, match=line):
        volcano.series.request(**options)


def test_land_without_any_coherence_is_said(volcano: Volcano, tmp_path: Path) -> None:
    request = volcano.series.request(unwrapping="mcf", unwrapping_coherence=0.95)
    with pytest.raises(ProcessingError, match="no reliable pixel"):
        run(request, tmp_path / "none", Progress())


def test_a_given_grid_is_taken_as_it_is(
    unwrapped: ChainResult, volcano: Volcano, tmp_path: Path
) -> None:
    dem = read_raster(volcano.series.dem)
    wanted = volcano.series.request(like=volcano.series.dem, unwrapping="mcf")
    result = run(wanted, tmp_path, Progress())
    for name in ("interferogram", "displacement"):
        assert read_raster(result.artefact(name).path).grid == dem.grid
    assert_true(result, volcano)
    far = tmp_path / "far.tif"
    save_dem(hills(0.0, 45.0), far)
    with pytest.raises(RequestError, match="on the ground of the chosen bursts"):
        run(volcano.series.request(like=far), tmp_path / "none", Progress())


def test_unbiased_coherence_is_that_of_the_scene(
    unwrapped: ChainResult, volcano: Volcano, tmp_path: Path
) -> None:
    request = volcano.series.request(azimuth_looks=2, range_looks=8, coherence="unbiased")
    result = run(request, tmp_path, Progress())
    assert {a.name for a in result.artefacts}.isdisjoint({"displacement", "filtered"})
    plain, free = (
        read_raster(r.artefact("interferogram").path).array[2] for r in (unwrapped, result)
    )
    known = np.isfinite(plain)
    np.testing.assert_array_equal(known, np.isfinite(free))
    assert (free[known] <= plain[known] + 1e-6).all()
    # water: noise loses most of its coherence, which interpolation between cells has lowered
    assert np.median(free[known & (plain < 0.3)]) < 0.5 * np.median(plain[known & (plain < 0.3)])
    with pytest.raises(RequestError, match="independent looks"):
        run(
            volcano.series.request(azimuth_looks=1, range_looks=2, coherence="unbiased"),
            tmp_path / "none",
            Progress(),
        )


def test_the_item_names_the_files_and_where_they_are(unwrapped: ChainResult) -> None:
    item = json.loads(unwrapped.artefact("stac_item").path.read_text(encoding="utf-8"))
    names = {a.name: a.path.name for a in unwrapped.artefacts}
    del names["stac_item"]
    assert {k: v["href"] for k, v in item["assets"].items()} == {
        k: f"./{v}" for k, v in names.items()
    }
    assert item["assets"]["displacement"]["bands"][0] == {"name": "displacement", "unit": "m"}
    west, south, east, north = item["bbox"]
    assert west < CENTRE[0] < east
    assert south < CENTRE[1] < north
    assert item["properties"]["start_datetime"].startswith("2026-01-01T")
    assert item["properties"]["end_datetime"].startswith("2026-01-13T")
    assert item["properties"]["proj:code"] == "EPSG:4326"
    assert item["properties"]["sar:center_frequency"] == pytest.approx(5.405, abs=1e-3)
    style = etree.parse(unwrapped.artefact("displacement_style").path)
    assert style.find(".//rasterrenderer").get("band") == "1"
