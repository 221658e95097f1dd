"""Shift and constants of simulated pairs, whose own geometry put them there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernels.chains.dinsar_pair import run
from kernels.chains.dinsar_pair.footprint import load_pair_dem
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.refinement import refine
from kernels.chains.dinsar_pair.seams import find_seams, look_at_seams
from kernels.engine.progress import Progress
from kernels.errors import ProductError
from kernels.model import Dem, PixelReader, Shape, SlcProduct
from kernels.products.raster import read_raster
from kernels.simulation import Acquisition, Scene, TopsMode, simulate
from tests.series import BASELINE, CENTRE, START, Series, hills, write_dem

SHIFT = 0.03
"""Lines by which the secondary's files are wrong."""


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Two bursts of two swaths; the second date's lines are wrong."""
    folder = tmp_path_factory.mktemp("shifted")
    dem = hills(*CENTRE)
    series = simulate(
        Scene(dem=dem),
        [
            Acquisition(centre=START),
            Acquisition(
                centre=START + timedelta(days=12),
                perpendicular_baseline=BASELINE,
                misregistration=SHIFT,
            ),
        ],
        folder,
        mode=TopsMode(swaths=("IW1", "IW2"), bursts=2, samples=3200, burst_lines=300),
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=None,
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )


@dataclass(frozen=True)
class Altered:
    """Pixels with a constant phase per burst and noise of their own."""

    pixels: PixelReader
    burst_lines: int
    constants: Sequence[float] = (0.0, 0.0)
    signal: float = 1.0
    noise: float = 0.0
    seed: int = 0

    @property
    def shape(self) -> Shape:
        return self.pixels.shape

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> np.ndarray:
        """Noise depends on the line alone, so that any window shows the same."""
        stop = None if samples is None else first_sample + samples
        rows = []
        for line in range(first_line, first_line + lines):
            row = self.pixels.read(line, 1, first_sample, samples)[0] * self.signal
            row = row * np.exp(-1j * self.constants[line // self.burst_lines])
            if self.noise:
                generator = np.random.default_rng((self.seed, line))
                own = generator.normal(size=(2, self.shape.samples))[:, first_sample:stop]
                row = row + self.noise * (own[0] + 1j * own[1]) * (row != 0.0)
            rows.append(row)
        return np.array(rows, np.complex64)


def altered(product: SlcProduct, **changes: Any) -> SlcProduct:
    assert product.pixels is not None
    lines = product.bursts[0].grid.shape.lines
    return replace(product, pixels=Altered(product.pixels, lines, **changes))


def opened(series: Series, **options: object) -> tuple[Any, tuple[SwathPair, ...], Dem]:
    request = series.request(**options)
    pairs = open_pair(request)
    return request, pairs, load_pair_dem(request, pairs)


def findings(
    series: Series, pairs: tuple[SwathPair, ...] | None = None, **options: object
) -> dict[str, Any]:
    request, own, dem = opened(series, **options)
    return refine(request, pairs or own, dem, threads=2, progress=Progress())[1]


def test_the_shift_is_found_and_no_seam_remains(shifted: Series) -> None:
    request, pairs, dem = opened(shifted)
    refined, found = refine(request, pairs, dem, threads=2, progress=Progress())
    # the file's line l truly is l + 0.03: what geometry expects there lies earlier
    assert found["shift_lines"] == pytest.approx(-SHIFT, abs=5e-5)
    for pair in refined:
        assert [a.lines.constant for a in pair.adjustments.values()] == [
            pytest.approx(-SHIFT, abs=5e-5)
        ] * 2
    assert found["shift_by_swath_lines"] == {
        "IW1": pytest.approx(-SHIFT, abs=5e-5),
        "IW2": pytest.approx(-SHIFT, abs=5e-5),
    }
    assert found["burst_seams"]["seams"] == 2
    assert found["burst_seams"]["mean_jump_before_rad"] > 0.15  # 640 Hz of short bursts
    assert found["burst_seams"]["largest_jump_rad"] <= 0.002
    assert found["swath_seams"]["mean_jump_before_rad"] > 0.05
    assert found["swath_seams"]["largest_jump_rad"] <= 0.002
    assert found["warnings"] == []
    # and again: nothing is left to find
    again = refine(request, refined, dem, threads=2, progress=Progress())[1]
    assert abs(again["shift_lines"]) <= 5e-5
    assert again["burst_seams"]["mean_jump_before_rad"] <= 0.002


def test_one_iteration_can_be_asked_for(shifted: Series) -> None:
    found = findings(shifted, esd="1")
    assert len(found["steps_lines"]) == 1
    assert found["shift_lines"] == pytest.approx(-SHIFT, abs=5e-5)


def test_threads_and_memory_do_not_show(shifted: Series) -> None:
    _, pairs, dem = opened(shifted)
    seams = find_seams(pairs)
    one, four = (
        look_at_seams(
            seams,
            pairs,
            dem,
            taps=12,
            threshold=0.3,
            threads=threads,
            memory_mb=memory_mb,
            progress=Progress(),
        )
        for threads, memory_mb in ((1, 200), (4, 10))  # 10 MB: bands of 8 lines
    )
    for first, second in zip(one, four, strict=True):
        np.testing.assert_array_equal(first.cells.phases, second.cells.phases)
        np.testing.assert_array_equal(first.cells.variances, second.cells.variances)


def test_switched_off_everything_stays(shifted: Series) -> None:
    request, pairs, dem = opened(shifted, esd="off")
    refined, found = refine(request, pairs, dem, threads=2, progress=Progress())
    assert refined == pairs
    assert found == {"esd": "off", "phase_offsets": "none", "warnings": []}


def test_noise_of_half_coherence_leaves_the_shift(shifted: Series) -> None:
    _, pairs, _ = opened(shifted)
    noisy = tuple(
        replace(
            pair,
            # as much noise as signal, of rms 1000 / sqrt(2) in either part
            reference=altered(pair.reference, noise=707.0, seed=1 + k),
            secondary=altered(pair.secondary, noise=707.0, seed=11 + k),
        )
        for k, pair in enumerate(pairs)
    )
    found = findings(shifted, noisy)
    assert all(0.4 < seam["coherence"] < 0.65 for seam in found["seams"])
    assert found["standard_deviation_lines"] < 1e-3  # 640 Hz; 1e-4 takes a full-size overlap
    assert abs(found["shift_lines"] + SHIFT) < 4.0 * found["standard_deviation_lines"]


def test_without_coherence_the_orbits_are_trusted_and_it_is_said(shifted: Series) -> None:
    request, pairs, dem = opened(shifted)
    noisy = tuple(
        replace(pair, secondary=altered(pair.secondary, signal=0.05, noise=707.0, seed=k))
        for k, pair in enumerate(pairs)
    )
    told: list[str] = []
    refined, found = refine(
        request, noisy, dem, threads=2, progress=Progress.to(lambda _, step: told.append(step))
    )
    assert found["shift_lines"] == 0.0
    assert all(a == 0.0 for pair in refined for a in _shifts(pair))
    (warning,) = found["warnings"]
    assert "too little coherence" in warning
    assert warning in told[-1]
    json.dumps(found, allow_nan=False)


def _shifts(pair: SwathPair) -> list[float]:
    return [adjustment.lines.constant for adjustment in pair.adjustments.values()]


def test_one_burst_has_no_overlap(shifted: Series, stripmap_series: Series) -> None:
    found = findings(shifted, first_burst=1, last_burst=1, swaths=("IW1",))
    assert found["shift_lines"] == 0.0
    assert "no two bursts overlap" in found["warnings"][0]
    found = findings(stripmap_series)
    assert "no two bursts overlap" in found["warnings"][0]


def test_constants_of_bursts_are_recovered(shifted: Series) -> None:
    _, pairs, _ = opened(shifted)
    turned = (
        replace(pairs[0], secondary=altered(pairs[0].secondary, constants=(0.0, 1.5))),
        replace(pairs[1], secondary=altered(pairs[1].secondary, constants=(-1.5, 2.6))),
    )
    found = findings(shifted, turned, phase_offsets="burst", esd="2")
    assert found["shift_lines"] == pytest.approx(-SHIFT, abs=1e-3)
    expected = {"IW1 1": 0.0, "IW1 2": 1.5, "IW2 1": -1.5, "IW2 2": 2.6}
    assert found["phase_offsets_rad"] == pytest.approx(expected, abs=0.02)
    assert found["burst_seams"]["mean_jump_before_rad"] > 1.0
    assert found["burst_seams"]["largest_jump_rad"] <= 0.01
    assert found["swath_seams"]["largest_jump_rad"] <= 0.01


def test_constants_of_swaths_leave_the_shift_alone(shifted: Series) -> None:
    _, pairs, _ = opened(shifted)
    turned = (
        pairs[0],
        replace(pairs[1], secondary=altered(pairs[1].secondary, constants=(1.5, 1.5))),
    )
    found = findings(shifted, turned, phase_offsets="swath")
    assert found["shift_lines"] == pytest.approx(-SHIFT, abs=5e-5)
    expected = {"IW1 1": 0.0, "IW1 2": 0.0, "IW2 1": 1.5, "IW2 2": 1.5}
    assert found["phase_offsets_rad"] == pytest.approx(expected, abs=0.003)
    assert found["swath_seams"]["largest_jump_rad"] <= 0.005


@dataclass(frozen=True)
class Broken:
    """A file that ends too early."""

    shape: Shape

    def read(self, *_: int | None) -> np.ndarray:
        raise ProductError("measurement of IW1 ends at line 100")


def test_a_damaged_file_takes_only_its_own_overlaps_away(shifted: Series) -> None:
    _, pairs, _ = opened(shifted)
    assert pairs[0].secondary.pixels is not None
    broken = replace(pairs[0].secondary, pixels=Broken(pairs[0].secondary.pixels.shape))
    found = findings(shifted, (replace(pairs[0], secondary=broken), pairs[1]))
    assert found["shift_lines"] == pytest.approx(-SHIFT, abs=5e-5)
    problems = [seam.get("problem", "") for seam in found["seams"]]
    assert problems[:2] == ["measurement of IW1 ends at line 100", ""]
    assert list(found["shift_by_swath_lines"]) == ["IW2"]


def seam_jump(folder: Path, pairs: tuple[SwathPair, ...]) -> float:
    """Mean step of the written phase over the seam of the first swath's bursts [rad]."""
    name = "interferogram_iw1_radar.tif"
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        archive.extract(name, folder)
    phase, is_data = read_raster(folder / name).array[[1, 3]]
    seam = pairs[0].layout.placements[1].start // pairs[0].looks.azimuth
    whole = (is_data[seam - 1 : seam + 1] == 1.0).all(axis=0)
    assert whole.mean() > 0.7
    return float((phase[seam, whole] - phase[seam - 1, whole]).mean())


def test_the_interferogram_shows_no_seam(shifted: Series, tmp_path: Path) -> None:
    _, pairs, _ = opened(shifted)
    run(shifted.request(esd="off", spacing=0.001), tmp_path / "off", Progress())
    result = run(shifted.request(spacing=0.001), tmp_path / "on", Progress())
    assert abs(seam_jump(tmp_path / "off", pairs)) > 0.15  # [rad]
    assert abs(seam_jump(tmp_path / "on", pairs)) < 0.003
    report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    assert report["refinement"]["shift_lines"] == pytest.approx(-SHIFT, abs=5e-5)
    assert report["seconds"]["refinement"] >= 0.0
