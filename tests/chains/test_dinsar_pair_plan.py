"""Plans: what is told before a run is what the run then does."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal, osr

from kernels.chains.dinsar_pair import CHAIN, run
from kernels.chains.dinsar_pair.inputs import image_orbit, open_pair, rough_orbits
from kernels.chains.dry_run import dry_run, plan_report
from kernels.engine.progress import Progress
from kernels.errors import InputError, PairError
from kernels.model import GeographicBox
from kernels.products.dem_coverage import dem_coverage
from kernels.products.pixels import GdalPixelReader
from kernels.products.sentinel1 import open_sentinel1
from tests.series import BASELINE, CENTRE, Series

OPTIONS = {"azimuth_looks": 2, "range_looks": 8, "spacing": 5e-4}


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def tile(path: Path, west: float, north: float) -> Path:
    """A GeoTIFF of one degree whose pixels are its 1200 x 1200 posts, as GLO-90's."""
    made = gdal.GetDriverByName("GTiff").Create(str(path), 1200, 1200, 1, gdal.GDT_Float32)
    step = 1.0 / 1200.0
    made.SetGeoTransform((west - 0.5 * step, step, 0.0, north + 0.5 * step, 0.0, -step))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    made.SetProjection(reference.ExportToWkt())
    made.GetRasterBand(1).Fill(100.0)
    return path


@pytest.fixture
def no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a pixel was read")

    monkeypatch.setattr(GdalPixelReader, "read", refuse)


@pytest.mark.usefixtures("no_pixels")
def test_a_plan_reads_no_pixel_and_names_what_it_found(two_swaths: Series, tmp_path: Path) -> None:
    request = two_swaths.request(**OPTIONS)
    result = dry_run(CHAIN, request, tmp_path, Progress())
    (report,) = result.artefacts
    assert (report.name, list(tmp_path.iterdir())) == ("report", [report.path])
    told = json.loads(report.path.read_text(encoding="utf-8"))
    assert told == result.report
    assert (told["process"], told["dry_run"]) == ("dinsar-pair", True)
    for swath, name in zip(told["swaths"], ("IW1", "IW2"), strict=True):
        assert swath["swath"] == name
        pairs = [(burst["reference"], burst["secondary"]) for burst in swath["bursts"]]
        assert pairs == [(1, 1), (2, 2), (3, 3)]
        assert swath["perpendicular_baseline_m"] == pytest.approx(BASELINE, abs=0.1)
        assert abs(swath["parallel_baseline_m"]) < 1.0  # the simulated one is perpendicular
        incidence = math.radians(swath["incidence_angle_deg"])
        ambiguity = swath["height_of_ambiguity_m"]
        slant_range = 2.0 * BASELINE * ambiguity / (0.05546576 * math.sin(incidence))
        assert 800e3 < slant_range < 950e3  # the definition, turned round
    assert told["temporal_baseline_days"] == 12.0
    assert told["reference"]["orbit"] == "annotation"
    assert told["elevation"]["outcome"] == "complete"
    assert told["megapixels"] == pytest.approx(2 * 428 * 800 / 1e6, abs=0.1)
    assert str(two_swaths.dem.parent) not in json.dumps(told)


@pytest.mark.parametrize(
    "option",
    [
        {"esd": "auto"},
        {"correlation": "constant"},
        {"fine_metadata": "on"},
        {"unwrapping": "mcf"},
        {"kernel": 12},
    ],
)
def test_what_is_asked_for_beside_takes_time(two_swaths: Series, option: dict[str, object]) -> None:
    plain = OPTIONS | {"esd": "off", "kernel": 8}
    plans = [CHAIN.plan(two_swaths.request(**(plain | more))) for more in ({}, option)]
    assert plans[1].cpu_seconds > plans[0].cpu_seconds


@pytest.mark.shared_data
def test_velocities_of_a_precise_orbit_that_scatter_are_told(
    two_swaths: Series, shared_data: Path
) -> None:
    """S1A of 2022-10-11: up to 4.3 mm/s from a smooth orbit, and 0.047 line from the annotation."""
    folder = shared_data / "orbits_with_products"
    (product,) = folder.glob("*6E2D.zip")
    annotated, precise = (
        image_orbit(open_sentinel1(product, orbits=orbits).slc("IW1", "VV", need_pixels=False))
        for orbits in (None, folder)
    )
    assert annotated.velocity_scatter < 2e-5
    assert precise.velocity_scatter == pytest.approx(4.25e-3, abs=5e-5)
    pair, _ = open_pair(two_swaths.request(**OPTIONS))
    assert not list(rough_orbits(pair))
    scatter = replace(pair.secondary_orbit, velocity_scatter=precise.velocity_scatter)
    (told,) = rough_orbits(replace(pair, secondary_orbit=scatter))
    assert told.startswith(f"{pair.secondary.name}: velocities of its orbit scatter by 4.3 mm/s")
    assert float(told.split()[-1]) == pytest.approx(0.03, abs=0.02)  # [lines]


@pytest.mark.parametrize("fixture", ["two_swaths", "stripmap_series"])
def test_the_run_is_as_planned(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    series: Series = request.getfixturevalue(fixture)
    wanted = series.request(**OPTIONS)
    told = plan_report(CHAIN, wanted)
    largest = 0

    def look(_share: float, _step: str) -> None:
        nonlocal largest
        largest = max(largest, folder_bytes(tmp_path))

    report = run(wanted, tmp_path, Progress.to(look)).report
    assert told["swaths"] == report["swaths"]
    assert told["reference"] == report["reference"]
    for side in ("rows", "columns"):
        # relief of 230 m moves an edge by 300 m, half of a pixel of 55 m counts
        assert told["map"][side] == pytest.approx(report["map"][side], abs=6)
    disk = told["disk_mb"]
    assert largest <= 1e6 * (disk["at_once"] + 1)
    assert folder_bytes(tmp_path) <= 1e6 * (disk["results"] + 1)


def test_elevation_that_is_missing_is_told_with_what_follows(
    two_swaths: Series, tmp_path: Path
) -> None:
    west, north = math.floor(CENTRE[0]), math.ceil(CENTRE[1])
    dem = tile(tmp_path / "elsewhere.tif", west - 3.0, north)
    outcomes = {
        "fail": "the run would be refused",
        "sea": "sea level would be taken there",
        # there is nothing to interpolate from
        "fill": "the run would be refused",
    }
    for policy, outcome in outcomes.items():
        wanted = two_swaths.request(dem=(dem,), dem_missing=policy, **OPTIONS)
        told = plan_report(CHAIN, wanted)
        assert told["elevation"]["outcome"] == outcome
        assert told["elevation"]["share_covered"] == 0.0
        assert told["warnings"][0] == f"elevation model has no file in S22E055, S21E055: {outcome}"


def test_coverage_is_the_share_of_the_box(tmp_path: Path) -> None:
    west = tile(tmp_path / "west.tif", 6.0, 46.0)
    east = tile(tmp_path / "east.tif", 7.0, 46.0)
    box = GeographicBox(west=6.5, south=45.5, east=7.5, north=46.5)
    one = dem_coverage((west,), box)
    assert one.share == pytest.approx(0.25, abs=0.004)  # 500 points a side
    assert one.missing == ("N45E007", "N46E006", "N46E007")
    both = dem_coverage((west, east), box)
    assert both.share == pytest.approx(0.5, abs=0.004)
    assert both.missing == ("N46E006", "N46E007")
    assert both.files == ("west.tif", "east.tif")
    # two posts more on each side
    assert tuple(both.posts) == (1205, 1205)
    inside = dem_coverage((west, east), GeographicBox(6.5, 45.2, 7.5, 45.8))
    assert (inside.share, inside.missing) == (1.0, ())


def test_a_choice_is_planned(two_swaths: Series) -> None:
    told = plan_report(CHAIN, two_swaths.request(first_burst=2, last_burst=2, **OPTIONS))
    assert [burst["reference"] for burst in told["swaths"][0]["bursts"]] == [2]
    whole = plan_report(CHAIN, two_swaths.request(**OPTIONS))
    assert told["megapixels"] < whole["megapixels"]
    assert told["disk_mb"]["at_once"] <= whole["disk_mb"]["at_once"]


def test_a_pair_that_would_be_refused_is_refused(two_swaths: Series, tmp_path: Path) -> None:
    with pytest.raises(PairError, match="must be another product"):
        plan_report(CHAIN, two_swaths.request(secondary=two_swaths.reference))
    with pytest.raises(InputError, match="does not exist"):
        plan_report(CHAIN, two_swaths.request(secondary=tmp_path / "S1A_NOWHERE.SAFE"))


@pytest.mark.shared_data
def test_a_real_pair_without_its_pixels(shared_data: Path) -> None:
    """Figures of the Alps pair, from its annotation alone, as they were published with it."""
    pair = shared_data / "alps_iw_pair"
    reference, secondary = sorted(pair.glob("*.SAFE"))
    request = CHAIN.request.from_values(
        {"reference": reference, "secondary": secondary, "dem": shared_data / "srtm3_alps"}
    )
    told = plan_report(CHAIN, request)
    perpendicular = [swath["perpendicular_baseline_m"] for swath in told["swaths"]]
    parallel = [swath["parallel_baseline_m"] for swath in told["swaths"]]
    # [m]; it changes by metres along the pass, and nobody says where theirs is from
    np.testing.assert_allclose(np.abs(perpendicular), [79.0, 76.0, 73.0], atol=2.5)
    np.testing.assert_allclose(np.abs(parallel), [30.0, 36.0, 42.0], atol=4.0)
    assert [len(swath["bursts"]) for swath in told["swaths"]] == [9, 9, 9]
    assert told["temporal_baseline_days"] == pytest.approx(12.0, abs=0.01)
    # the southern edge of the pair has no elevation there
    assert set(told["elevation"]["missing"]) >= {"N45E008", "N45E009", "N45E010"}
    assert told["elevation"]["outcome"] == "the run would be refused"
    assert "has no measurement file" in told["warnings"][0]
    assert told["map"]["columns"] == pytest.approx((11.02 - 7.30) / 1e-4, rel=0.04)
    assert told["map"]["rows"] == pytest.approx((47.69 - 45.86) / 1e-4, rel=0.04)
