"""Cases at the edge: a clear line each, and a result where one is possible."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest, run
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.model import Dem, GeographicBox
from kernels.products.raster import read_raster
from kernels.simulation import Acquisition, Scene, TopsMode, Track, plane, save_dem, simulate
from tests.series import BASELINE, CENTRE, START
from tests.slc_parts import cut

MODE = TopsMode(bursts=4, samples=400, burst_lines=700)
DATES = (
    Acquisition(centre=START),
    Acquisition(centre=START + timedelta(days=12), perpendicular_baseline=BASELINE),
)


def level(longitude: float, latitude: float, *, height: float, reach: float = 0.25) -> Dem:
    box = GeographicBox(longitude - reach, latitude - reach, longitude + reach, latitude + reach)
    return plane(box, height=height, step=1.0 / 600.0)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two products of one swath and their terrain."""

    reference: Path
    secondary: Path
    dem: Path

    def request(self, **options: object) -> DinsarPairRequest:
        values = {
            "reference": (self.reference,),
            "secondary": (self.secondary,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "azimuth_looks": 4,
            "range_looks": 16,
            "spacing": 2e-4,
            "kernel": 8,
        }
        return DinsarPairRequest(**(values | options))  # type: ignore[arg-type]


def simulated(folder: Path, scene: Scene, track: Track | None = None) -> Pair:
    reference, secondary = simulate(scene, DATES, folder, mode=MODE, track=track).products
    save_dem(scene.dem, folder / "dem.tif")
    return Pair(reference=reference, secondary=secondary, dem=folder / "dem.tif")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Four bursts of level ground."""
    dem = level(*CENTRE, height=200.0)
    return simulated(tmp_path_factory.mktemp("pair"), Scene(dem=dem))


@pytest.mark.parametrize(
    ("reference", "secondary", "line"),
    [
        # cycles of 1.1 s, overlaps of 0.3 s
        (((0,), (3,)), ((0, 1, 2, 3),), r"S1A_.* and S1A_.* have a gap of 1\.99 s between them"),
        (((0, 1),), ((2, 3),), "do not overlap: no burst of the one lies on a burst of the other"),
    ],
    ids=["gap", "no common burst"],
)
def test_slices_that_do_not_fit_are_one_line(
    reference: tuple[tuple[int, ...], ...],
    secondary: tuple[tuple[int, ...], ...],
    line: str,
    pair: Pair,
    tmp_path: Path,
) -> None:
    request = pair.request(
        reference=tuple(cut(pair.reference, tmp_path, bursts) for bursts in reference),
        secondary=tuple(cut(pair.secondary, tmp_path, bursts) for bursts in secondary),
    )
    assert_refused(request, line, tmp_path / "out")


def assert_refused(request: DinsarPairRequest, line: str, folder: Path) -> None:
    with pytest.raises(FournaiseError, match=line) as caught:
        run(request, folder, Progress())
    assert "\n" not in str(caught.value)
    assert not folder.exists()


def test_slices_of_two_passes_are_one_line(pair: Pair, tmp_path: Path) -> None:
    request = pair.request(reference=(pair.secondary, pair.reference))
    rule = (
        f"reference must be contiguous slices of one pass, got {pair.reference.stem} and "
        rf"{pair.secondary.stem}, 10367\d\d s apart"
    )
    assert_refused(request, rule, tmp_path / "out")


def test_two_slices_of_one_pass_are_no_pair(pair: Pair, tmp_path: Path) -> None:
    first, second = (cut(pair.reference, tmp_path, bursts) for bursts in ((0, 1), (2, 3)))
    request = pair.request(reference=(first,), secondary=(second,))
    rule = f"secondary must be of another pass than the reference, got {second.stem}"
    assert_refused(request, rule, tmp_path / "out")


def test_a_slice_given_twice_counts_once_and_is_told(pair: Pair, tmp_path: Path) -> None:
    report = run(pair.request(reference=(pair.reference,) * 2), tmp_path, Progress()).report
    assert report["warnings"] == [f"{pair.reference.stem} was given more than once"]
    assert len(report["swaths"][0]["bursts"]) == 4


def test_polarisations(pair: Pair, tmp_path: Path) -> None:
    crossed = tuple(
        cut(safe, tmp_path, (0, 1, 2, 3), crossed=True) for safe in (pair.reference, pair.secondary)
    )
    both = pair.request(reference=crossed[:1], secondary=crossed[1:], polarisation="VH")
    report = run(both, tmp_path / "both", Progress()).report
    assert report["polarisation"] == "VH"
    assert report["coherence"]["mean"] > 0.998
    one = pair.request(reference=crossed[:1], polarisation="VH")
    rule = f"polarisation must be of {pair.secondary.stem}, which has VV, got VH"
    assert_refused(one, rule, tmp_path / "one")
    neither = pair.request(reference=crossed[:1], secondary=crossed[1:], polarisation="HH")
    rule = f"polarisation must be of {crossed[0].stem}, which has VV, VH, got HH"
    assert_refused(neither, rule, tmp_path / "neither")


def test_a_region_elsewhere_is_one_line(pair: Pair, tmp_path: Path) -> None:
    request = pair.request(region="10,40,11,41")
    rule = f"region must be on the ground of {pair.reference.stem}, got 10,40,11,41"
    assert_refused(request, rule, tmp_path / "out")


def numbered(safe: Path, *, start: int, stop: int) -> Path:
    """A product whose manifest tells other track numbers, and its name another orbit number."""
    manifest = safe / "manifest.safe"
    text = manifest.read_text(encoding="utf-8")
    for kind, number in (("start", start), ("stop", stop)):
        pattern = rf'(relativeOrbitNumber type="{kind}">)\d+<'
        text, count = re.subn(pattern, rf"\g<1>{number}<", text)
        assert count == 1
    manifest.write_text(text, encoding="utf-8")
    parts = safe.name.split("_")
    parts[7] = f"{int(parts[7]) + start - 151:06d}"
    return safe.rename(safe.with_name("_".join(parts)))


def test_the_ascending_node_inside_a_pass(tmp_path: Path) -> None:
    """The track number changes there; the secondary's only slice begins beyond it."""
    place = 20.0, 0.0
    node = simulated(
        tmp_path,
        Scene(dem=level(*place, height=100.0)),
        Track(longitude=place[0], latitude=place[1], ascending=True),
    )
    reference = (
        numbered(cut(node.reference, tmp_path, (0, 1)), start=151, stop=152),
        numbered(cut(node.reference, tmp_path, (2, 3)), start=152, stop=152),
    )
    secondary = numbered(cut(node.secondary, tmp_path, (2, 3)), start=152, stop=152)
    request = node.request(reference=reference, secondary=(secondary,))
    report = run(request, tmp_path / "out", Progress()).report
    (swath,) = report["swaths"]
    found = [(burst["reference"], burst["secondary"]) for burst in swath["bursts"]]
    assert found == [(3, 1), (4, 2)]
    assert report["reference"]["direction"] == "ascending"
    assert report["coherence"]["mean"] > 0.998
    latitudes = read_raster(tmp_path / "out" / "interferogram.tif").grid
    assert latitudes.north > 0.0  # type: ignore[union-attr]
    other = numbered(cut(node.secondary, tmp_path, (0, 1)), start=153, stop=153)
    rule = "same track as the reference, got relative orbit 153 and 151 to 152"
    assert_refused(node.request(reference=reference, secondary=(other,)), rule, tmp_path / "no")


def test_open_water_has_a_result_and_a_warning(tmp_path: Path) -> None:
    """Nothing is coherent, and the elevation model ends before the scene begins."""
    sea = simulated(tmp_path, Scene(dem=level(*CENTRE, height=0.0), sea_coherence=0.0))
    save_dem(level(CENTRE[0] + 2.0, CENTRE[1], height=50.0), tmp_path / "island.tif")
    request = sea.request(dem=(tmp_path / "island.tif",), dem_missing="sea")
    result = run(request, tmp_path / "out", Progress())
    bands = read_raster(result.artefact("interferogram").path).array
    known = bands[3] == 1.0
    assert known.sum() > 50_000
    # sqrt(pi / (4 L)) of the 64 pixels of a cell, of which at least 37 are independent
    assert np.sqrt(np.pi / (4 * 64)) < bands[2, known].mean() < np.sqrt(np.pi / (4 * 37))
    (warning,) = [line for line in result.report["warnings"] if "decorrelated" in line]
    assert "the mean coherence is 0.1" in warning
    # sea level, which is the geoid
    assert result.report["elevation"]["share_filled"] == 1.0
    assert result.report["elevation"]["highest_m"] < 10.0
    # phases of noise are everywhere
    assert abs(np.mean(np.exp(1j * bands[1, known]))) < 0.05
