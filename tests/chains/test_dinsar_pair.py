"""The whole chain on simulated products whose truth the project's geometry did not make."""

from __future__ import annotations

import json
import math
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from kernels.chains.dinsar_pair import CHAIN, DinsarPairRequest, run
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import Cancelled
from kernels.geometry.map_grids import pixel_positions
from kernels.insar.coregistration import Coregistration
from kernels.model import MapGrid
from kernels.products.raster import read_raster
from kernels.simulation import load_truth
from tests.series import BASELINE, Series

WAVELENGTH = 0.05546576


def radar_bands(folder: Path, swath: str) -> np.ndarray:
    """The four bands of the radar raster in the result's zip."""
    name = f"interferogram_{swath}_radar.tif"
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        assert archive.namelist() == [name.replace(".tif", ".qml"), name]
        archive.extract(name, folder)
    return read_raster(folder / name).array


def root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


@pytest.mark.parametrize("fixture", ["tops_series", "stripmap_series"])
def test_ground_that_did_not_move_has_no_phase(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    series: Series = request.getfixturevalue(fixture)
    run(series.request(), tmp_path, Progress())
    bands = radar_bands(tmp_path, "iw1" if fixture == "tops_series" else "s3")
    is_data = bands[3] == 1.0
    assert is_data.mean() > 0.8
    assert np.isnan(bands[:3, ~is_data]).all()
    # the musts of the accuracy page: 0.01 rad and 0.998 in windows of 4 x 16
    assert root_mean_square(bands[1][is_data]) <= 0.01
    assert bands[2][is_data].mean() >= 0.998


@pytest.mark.parametrize("fixture", ["tops_series", "stripmap_series"])
def test_coregistration_meets_the_truth(fixture: str, request: pytest.FixtureRequest) -> None:
    series: Series = request.getfixturevalue(fixture)
    wanted = series.request()
    (pair,) = open_pair(wanted)
    dem = load_pair_dem(wanted, (pair,))
    for placement in pair.layout.placements:
        assert placement.partner is not None
        truth = load_truth(series.truth, swath=pair.reference.swath, burst=placement.burst.index)
        assert truth.secondary_burst == placement.partner.index
        found = Coregistration.of(
            reference=placement.burst.grid,
            reference_orbit=pair.reference_orbit,
            secondary=placement.partner.grid,
            secondary_orbit=pair.secondary_orbit,
            dem=dem,
        ).offsets(Band(0, placement.burst.grid.shape.lines))
        nodes = np.ix_(truth.lines, truth.samples)
        clear = truth.mask[nodes] == 0
        lines = found.lines[nodes] + truth.lines[:, None] - truth.secondary_line
        samples = found.samples[nodes] + truth.samples - truth.secondary_sample
        ranges = found.range_differences[nodes] - truth.range_difference
        assert clear.mean() > 0.95
        assert root_mean_square(lines[clear]) <= 1e-4  # [lines]
        assert root_mean_square(samples[clear]) <= 1e-4  # [samples]
        assert root_mean_square(ranges[clear]) <= 1e-5  # [m], 0.002 rad
        assert root_mean_square((found.heights[nodes] - truth.height)[clear]) <= 0.02  # [m]


def test_displacement_on_the_map_has_the_right_size_sign_and_place(
    tops_series: Series, tmp_path: Path
) -> None:
    result = run(
        tops_series.request(tops_series.moved, azimuth_looks=2, range_looks=8),
        tmp_path,
        Progress(),
    )
    raster = read_raster(result.artefact("interferogram").path)
    assert raster.band_names == ("amplitude", "phase", "coherency", "isData", "displacement")
    assert isinstance(raster.grid, MapGrid)
    phase, displacement = raster.array[1], raster.array[4]
    is_data = raster.array[3] == 1.0
    np.testing.assert_allclose(
        displacement[is_data], -WAVELENGTH / (4.0 * math.pi) * phase[is_data], atol=1e-6
    )
    errors, peaks = [], []
    for burst in (0, 1):
        truth = load_truth(tops_series.truth, swath="IW1", burst=burst, date=2)
        clear = truth.mask[np.ix_(truth.lines, truth.samples)] == 0
        column = (truth.longitude - raster.grid.west) / raster.grid.x_spacing
        row = (raster.grid.north - truth.latitude) / raster.grid.y_spacing
        inside = (
            clear & (row > 0) & (column > 0) & (row < phase.shape[0]) & (column < phase.shape[1])
        )
        i, j = row[inside].astype(int), column[inside].astype(int)
        towards = -truth.range_change[inside]
        known = is_data[i, j]
        # wrapped: compare modulo half a wavelength
        difference = displacement[i, j][known] - towards[known]
        difference -= np.round(difference / (WAVELENGTH / 2.0)) * WAVELENGTH / 2.0
        errors.append(difference)
        peaks.append(towards.max())
    assert max(peaks) > 0.004  # the ground rose: towards the satellite
    assert np.concatenate(errors).size > 1000
    assert root_mean_square(np.concatenate(errors)) < 3e-4  # [m]


def test_seams_between_bursts_do_not_show(tops_series: Series, tmp_path: Path) -> None:
    wanted = tops_series.request()
    (pair,) = open_pair(wanted)
    run(wanted, tmp_path, Progress())
    bands = radar_bands(tmp_path, "iw1")
    seam = pair.layout.placements[1].start // pair.looks.azimuth
    whole = (bands[3, seam - 2 : seam + 2] == 1.0).all(axis=0)
    assert whole.mean() > 0.8
    jump = bands[1, seam, whole] - bands[1, seam - 1, whole]
    assert abs(jump.mean()) < 0.002  # [rad]


def test_bits_depend_neither_on_threads_nor_on_memory(tops_series: Series, tmp_path: Path) -> None:
    run(tops_series.request(threads=1, memory_mb=200), tmp_path / "one", Progress())
    run(tops_series.request(threads=4, memory_mb=2000), tmp_path / "four", Progress())
    one = read_raster(tmp_path / "one" / "interferogram.tif").array
    four = read_raster(tmp_path / "four" / "interferogram.tif").array
    np.testing.assert_array_equal(one, four)
    np.testing.assert_array_equal(
        radar_bands(tmp_path / "one", "iw1"), radar_bands(tmp_path / "four", "iw1")
    )


def test_zips_serve_as_well_as_folders(tops_series: Series, tmp_path: Path) -> None:
    zips = []
    for safe in (tops_series.reference, tops_series.still):
        path = tmp_path / f"{safe.stem}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(safe.rglob("*")):
                archive.write(file, Path(safe.name) / file.relative_to(safe))
        zips.append(path)
    run(tops_series.request(), tmp_path / "folders", Progress())
    run(
        tops_series.request(zips[1], reference=zips[0]),
        tmp_path / "zips",
        Progress(),
    )
    np.testing.assert_array_equal(
        read_raster(tmp_path / "folders" / "interferogram.tif").array,
        read_raster(tmp_path / "zips" / "interferogram.tif").array,
    )


def test_utm_and_geographic_results_agree(tops_series: Series, tmp_path: Path) -> None:
    run(tops_series.request(tops_series.moved), tmp_path / "geographic", Progress())
    run(tops_series.request(tops_series.moved, ortho="utm"), tmp_path / "utm", Progress())
    geographic = read_raster(tmp_path / "geographic" / "interferogram.tif")
    utm = read_raster(tmp_path / "utm" / "interferogram.tif")
    assert isinstance(geographic.grid, MapGrid)
    assert isinstance(utm.grid, MapGrid)
    assert utm.grid.crs == "EPSG:32740"
    assert utm.grid.x_spacing == 10.0
    rows, columns = np.nonzero(utm.array[3] == 1.0)
    longitudes, latitudes = pixel_positions(
        utm.grid, rows.astype(np.float64), columns.astype(np.float64)
    )
    i = ((geographic.grid.north - np.degrees(latitudes)) / 1e-4).astype(int)
    j = ((np.degrees(longitudes) - geographic.grid.west) / 1e-4).astype(int)
    i, j = (
        np.clip(i, 0, geographic.array.shape[1] - 1),
        np.clip(j, 0, geographic.array.shape[2] - 1),
    )
    both = geographic.array[3, i, j] == 1.0
    assert both.mean() > 0.99
    difference = utm.array[1, rows, columns][both] - geographic.array[1, i, j][both]
    # pixels half a metre to 8 m apart in a smooth phase
    assert np.median(np.abs(np.angle(np.exp(1j * difference)))) < 0.01


def test_everything_promised_is_there(tops_series: Series, tmp_path: Path) -> None:
    steps: list[tuple[float, str]] = []
    progress = Progress.to(lambda share, step: steps.append((share, step)))
    result = run(tops_series.request(), tmp_path, progress)
    assert [a.name for a in result.artefacts] == [o.name for o in CHAIN.outputs if not o.optional]
    assert {a.path for a in result.artefacts} == set(tmp_path.iterdir())
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len({step for _, step in steps}) >= 4
    report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    assert report == result.report
    assert report["swaths"][0]["perpendicular_baseline_m"] == pytest.approx(BASELINE, abs=0.1)
    ambiguity = report["swaths"][0]["height_of_ambiguity_m"]
    incidence = math.radians(report["swaths"][0]["incidence_angle_deg"])
    slant_range = 2.0 * BASELINE * ambiguity / (WAVELENGTH * math.sin(incidence))
    assert 800e3 < slant_range < 900e3  # the definition, turned round
    assert report["reference"]["orbit"] == "annotation"
    assert report["request"]["dem"] == ["dem.tif"]
    assert str(tops_series.dem.parent) not in json.dumps(report)
    assert report["coherence"]["mean"] > 0.998
    assert "towards the satellite" in report["sign"]
    style = etree.parse(result.artefact("style").path)
    assert style.find(".//rasterrenderer").get("band") == "2"


def test_cancelling_leaves_nothing(tops_series: Series, tmp_path: Path) -> None:
    stop = threading.Event()

    def report(share: float, _step: str) -> None:
        if share > 0.06:  # before a burst is complete
            stop.set()

    folder = tmp_path / "never"
    with pytest.raises(Cancelled):
        run(tops_series.request(), folder, Progress(report, 0.0, 1.0, stop))
    assert not folder.exists()


def test_bursts_can_be_chosen(tops_series: Series, tmp_path: Path) -> None:
    result = run(tops_series.request(first_burst=2, last_burst=2), tmp_path, Progress())
    assert [b["reference"] for b in result.report["swaths"][0]["bursts"]] == [2]


def test_the_request_says_what_it_wants(tops_series: Series) -> None:
    values = tops_series.request().to_values()
    assert DinsarPairRequest.from_values(values) == tops_series.request()
