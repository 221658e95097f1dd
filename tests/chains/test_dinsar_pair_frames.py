"""Frames of three swaths, of one product or several slices: whole maps without seams."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest, run
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from kernels.model import Dem, GeographicBox, MapGrid, RadarGrid
from kernels.products.raster import Raster, read_raster
from kernels.simulation import (
    Acquisition,
    BurstTruth,
    RangeRamp,
    Scene,
    TopsMode,
    load_truth,
    plane,
    save_dem,
    simulate,
)
from tests.series import BASELINE, CENTRE
from tests.slc_parts import cut

MIDNIGHT = datetime(2026, 1, 1)
SWATHS = ("IW1", "IW2", "IW3")
MODE = TopsMode(swaths=SWATHS, bursts=4, samples=640, burst_lines=700, overlap=200)
EDGE = 32
"""Samples at either side of a burst that are not valid."""
LOOKS = {"azimuth_looks": 4, "range_looks": 16}


def slopes() -> Dem:
    """A plane that rises to the north-east: topographic fringes in every swath."""
    box = GeographicBox(CENTRE[0] - 0.3, CENTRE[1] - 0.25, CENTRE[0] + 0.3, CENTRE[1] + 0.25)
    return plane(box, height=600.0, east_slope=0.03, north_slope=0.02)


WAVELENGTH = 0.05546576


class Frame:
    """Two dates of three swaths whose four bursts lie around midnight, and what follows."""

    def __init__(self, folder: Path) -> None:
        ramp = RangeRamp(longitude=CENTRE[0], latitude=CENTRE[1], east=4e-7, north=3e-7)
        made = simulate(
            Scene(dem=slopes(), ramps=(ramp,)),
            [
                Acquisition(centre=MIDNIGHT),
                Acquisition(
                    centre=MIDNIGHT + timedelta(days=12),
                    perpendicular_baseline=BASELINE,
                    motion=1.0,
                    timing_offset=2e-3,
                ),
            ],
            folder,
            mode=MODE,
        )
        self.reference, self.secondary = made.products
        self.truth = made.truth
        self.dem = folder / "dem.tif"
        save_dem(slopes(), self.dem)

    def request(
        self,
        reference: Sequence[Path] = (),
        secondary: Sequence[Path] = (),
        **options: object,
    ) -> DinsarPairRequest:
        values = {
            "reference": tuple(reference) or (self.reference,),
            "secondary": tuple(secondary) or (self.secondary,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "spacing": 2e-4,
            "kernel": 8,
        }
        return DinsarPairRequest(**(LOOKS | values | options))  # type: ignore[arg-type]

    def truths(self, swath: str) -> list[BurstTruth]:
        return [load_truth(self.truth, swath=swath, burst=k) for k in range(MODE.bursts)]


class Result:
    """What a run left."""

    def __init__(self, request: DinsarPairRequest, folder: Path) -> None:
        self.report = run(request, folder, Progress()).report
        self.map = read_raster(folder / "interferogram.tif")
        self.radar: dict[str, Raster] = {}
        with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
            for name in archive.namelist():
                if name.endswith(".tif"):
                    self.radar[name] = read_raster(Path(archive.extract(name, folder)))

    def at(self, longitudes: np.ndarray, latitudes: np.ndarray) -> np.ndarray:
        """Bands of the nearest pixels of the map, shape (5, n); isData is 0 beside it."""
        grid = self.map.grid
        assert isinstance(grid, MapGrid)
        rows = np.floor((grid.north - latitudes) / grid.y_spacing).astype(int)
        columns = np.floor((longitudes - grid.west) / grid.x_spacing).astype(int)
        lines, samples = grid.shape
        inside = (rows >= 0) & (columns >= 0) & (rows < lines) & (columns < samples)
        found = np.zeros((5, *rows.shape))
        found[:, inside] = self.map.array[:, rows[inside], columns[inside]]
        return found


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    return Frame(tmp_path_factory.mktemp("frame"))


@pytest.fixture(scope="module")
def whole(frame: Frame, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """All of the frame."""
    return Result(frame.request(), tmp_path_factory.mktemp("whole"))


def assert_same_phase(one: np.ndarray, other: np.ndarray) -> None:
    """Equal bands but for the tabulation of the geometry, which begins elsewhere."""
    turned = np.angle(np.exp(1j * (one[1] - other[1])))
    assert np.abs(turned).max() < 1e-3  # [rad]
    np.testing.assert_allclose(one[2], other[2], atol=1e-4)


def assert_same_map(one: Result, other: Result) -> None:
    assert one.map.grid == other.map.grid
    np.testing.assert_array_equal(one.map.array[3], other.map.array[3])
    known = one.map.array[3] == 1.0
    assert_same_phase(one.map.array[:, known], other.map.array[:, known])


def inner(truth: BurstTruth, *, lines: int = 45, samples: int = 0) -> np.ndarray:
    """Nodes of a burst inside its valid samples, by more than a map pixel and a look cell."""
    margin = EDGE + 2 * LOOKS["range_looks"] + samples
    assert MODE.samples is not None
    assert MODE.burst_lines is not None
    return np.ix_(
        (truth.lines > lines) & (truth.lines < MODE.burst_lines - 1 - lines),
        (truth.samples > margin) & (truth.samples < MODE.samples - 1 - margin),
    )


def residuals(result: Result, truth: BurstTruth) -> tuple[np.ndarray, np.ndarray]:
    """Phase of the map less that of the truth at its nodes [rad], and amplitude; NaN without."""
    bands = result.at(truth.longitude, truth.latitude)
    known = bands[3] == 1.0
    phase = bands[1] - 4.0 * np.pi / WAVELENGTH * truth.range_change
    return (
        np.where(known, np.angle(np.exp(1j * phase)), np.nan),
        np.where(known, bands[0], np.nan),
    )


def test_the_map_of_three_swaths_has_no_stripes(frame: Frame, whole: Result) -> None:
    assert [swath["swath"] for swath in whole.report["swaths"]] == list(SWATHS)
    for swath in SWATHS:
        for truth in frame.truths(swath):
            phases, _ = residuals(whole, truth)
            assert not np.isnan(phases[inner(truth)]).any()
            assert np.sqrt(np.nanmean(phases**2)) < 0.01  # [rad]


def test_phase_and_amplitude_are_continuous_where_swaths_meet(frame: Frame, whole: Result) -> None:
    """Means of three cells on either side of the middle of what two swaths both hold."""
    assert MODE.samples is not None
    assert MODE.overlap is not None
    seam = MODE.samples - 0.5 * MODE.overlap - 0.5
    width = 3 * LOOKS["range_looks"]
    for swath in SWATHS[:-1]:
        sides: dict[bool, list[np.ndarray]] = {False: [], True: []}
        for truth in frame.truths(swath):
            bands = np.stack(residuals(whole, truth))
            for beyond in (False, True):
                distance = (truth.samples - seam) * (1 if beyond else -1)
                near = (distance > 8) & (distance < 8 + width)
                sides[beyond].append(bands[:, 50:-50, near].reshape(2, -1))
        before, after = (np.concatenate(sides[beyond], axis=1) for beyond in (False, True))
        assert np.isnan(before).mean() < 0.3  # ends of the other swath, where bursts begin later
        steps = np.nanmean(after, axis=1) - np.nanmean(before, axis=1)
        assert abs(steps[0]) < 1e-3  # [rad]
        # speckle of 64 looks in 1500 independent cells: 0.3 percent
        assert abs(steps[1]) / np.nanmean(before[1]) < 0.01


def test_swaths_lie_side_by_side_in_one_raster(frame: Frame, whole: Result) -> None:
    """Cells of each swath are found at the place that times and ranges tell."""
    assert len(whole.radar) == 4
    merged = whole.radar["interferogram_radar.tif"]
    assert isinstance(merged.grid, RadarGrid)
    assert merged.array[3].mean() > 0.8
    jumps = np.diff(np.unwrap(merged.array[1, 200:450, 5:90], axis=1), axis=1)
    assert np.abs(jumps).max() < 0.1  # [rad]: noise of 0.003, slopes of 0.04 per cell
    taken = np.zeros(merged.grid.shape, np.bool_)
    for swath in SWATHS:
        alone = whole.radar[f"interferogram_{swath.lower()}_radar.tif"]
        assert isinstance(alone.grid, RadarGrid)
        row = (alone.grid.first_line_time - merged.grid.first_line_time) / (
            merged.grid.line_interval
        )
        cell = float(merged.grid.sample(alone.grid.first_slant_range))
        # half a line and half a sample
        assert abs(row - round(row)) * LOOKS["azimuth_looks"] <= 0.5 + 1e-3
        assert abs(cell - round(cell)) * LOOKS["range_looks"] <= 0.5 + 1e-3
        lines, samples = alone.grid.shape
        place = np.s_[round(row) : round(row) + lines, round(cell) : round(cell) + samples]
        same = (merged.array[(slice(None), *place)] == alone.array).all(axis=0)
        assert same.mean() > 0.5
        taken[place] |= same
    np.testing.assert_array_equal(taken, merged.array[3] == 1.0)


def test_slices_in_any_order_make_the_map_of_the_whole(
    frame: Frame, whole: Result, tmp_path: Path
) -> None:
    """Those of the two images end elsewhere; midnight is in them."""
    reference = [cut(frame.reference, tmp_path, bursts) for bursts in ((2, 3), (0, 1))]
    secondary = [cut(frame.secondary, tmp_path, bursts) for bursts in ((0, 1, 2), (3,))]
    assert reference[1].name[17:25] == "20251231"
    joined = Result(frame.request(reference, secondary), tmp_path / "out")
    assert_same_map(joined, whole)
    assert joined.report["reference"]["slices"] == [reference[1].stem, reference[0].stem]
    bursts = [burst["reference"] for burst in joined.report["swaths"][0]["bursts"]]
    assert bursts == [1, 2, 3, 4]
    assert joined.report["warnings"] == []


@pytest.mark.parametrize("lacking", ["reference", "secondary"])
def test_a_burst_missing_in_one_image_leaves_a_hole_and_a_warning(
    lacking: str, frame: Frame, tmp_path: Path
) -> None:
    holed = cut(getattr(frame, lacking), tmp_path, (0, 2, 3))
    result = Result(frame.request(**{lacking: (holed,)}), tmp_path / "out")
    warnings = result.report["warnings"]
    assert len(warnings) == 3
    assert all("its ground has no data" in line for line in warnings)
    for swath in SWATHS:
        for number, truth in enumerate(frame.truths(swath)):
            phases = residuals(result, truth)[0][inner(truth, lines=200)]
            if number == 1:
                # what neighbouring swaths hold too may come from their other bursts
                assert np.isnan(phases).mean() > 0.5
            else:
                assert not np.isnan(phases).any()
                assert np.sqrt(np.mean(phases**2)) < 0.01  # [rad]


def test_a_swath_that_one_image_lacks_is_left_out_with_a_warning(
    frame: Frame, tmp_path: Path
) -> None:
    safe = Path(shutil.copytree(frame.secondary, tmp_path / frame.secondary.name))
    for swath in ("iw1", "iw3"):
        for file in safe.rglob(f"*-{swath}-*"):
            file.unlink()
    result = Result(frame.request(secondary=(safe,)), tmp_path / "out")
    assert [swath["swath"] for swath in result.report["swaths"]] == ["IW2"]
    assert result.report["warnings"] == [
        f"{swath} was left out: {safe.stem} does not have it" for swath in ("IW1", "IW3")
    ]
    assert list(result.radar) == ["interferogram_iw2_radar.tif"]
    with pytest.raises(RequestError, match=f"swaths must be of {safe.stem}, which has IW2, got"):
        run(frame.request(secondary=(safe,), swaths=("IW1",)), tmp_path / "none", Progress())


def middle_of(truth: BurstTruth) -> tuple[float, float]:
    i, j = truth.lines.size // 2, truth.samples.size // 2
    return float(truth.longitude[i, j]), float(truth.latitude[i, j])


def box_around(longitude: float, latitude: float, reach: float) -> str:
    return ",".join(
        f"{number:.6f}"
        for number in (longitude - reach, latitude - reach, longitude + reach, latitude + reach)
    )


def test_a_region_is_a_part_of_the_whole(frame: Frame, whole: Result, tmp_path: Path) -> None:
    longitude, latitude = middle_of(frame.truths("IW3")[2])
    request = frame.request(region=box_around(longitude, latitude, 0.002), swaths=("IW3",))
    result = Result(request, tmp_path)
    (swath,) = result.report["swaths"]
    assert [burst["reference"] for burst in swath["bursts"]] == [3]
    part, all_ = result.map.grid, whole.map.grid
    assert isinstance(part, MapGrid)
    assert isinstance(all_, MapGrid)
    assert part.shape == (21, 21)
    assert (result.map.array[3] == 1.0).all()
    row = round((all_.north - part.north) / part.y_spacing)
    column = round((part.west - all_.west) / part.x_spacing)
    assert_same_phase(result.map.array, whole.map.array[:, row : row + 21, column : column + 21])


def test_a_region_on_two_swaths_of_slices(frame: Frame, tmp_path: Path) -> None:
    """On the seam between IW1 and IW2."""
    truth = frame.truths("IW1")[1]
    column = int(np.searchsorted(truth.samples, 540))
    place = float(truth.longitude[80, column]), float(truth.latitude[80, column])
    slices = [cut(frame.reference, tmp_path, bursts) for bursts in ((0, 1), (2, 3))]
    request = frame.request(slices, region=box_around(*place, 0.003))
    result = Result(request, tmp_path / "out")
    assert {"IW1", "IW2"} <= {swath["swath"] for swath in result.report["swaths"]}
    assert all(len(swath["bursts"]) <= 2 for swath in result.report["swaths"])
    known = result.map.array[3] == 1.0
    assert known.all()
