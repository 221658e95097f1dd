"""Offsets that were put into the annotation or the pixels of simulated pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import run
from kernels.chains.dinsar_pair.grids import with_grids
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.dinsar_pair.matching import match_amplitudes, place_patches
from kernels.chains.dinsar_pair.refinement import refine
from kernels.engine.progress import Progress
from kernels.model import RadarGrid
from kernels.simulation import Acquisition, Scene, StripMapMode, simulate
from tests.chains.test_dinsar_pair_esd import SHIFT, Broken, altered, opened
from tests.series import BASELINE, CENTRE, START, Series, hills, write_dem

LINE, SAMPLE = 0.4, -0.3
"""Offsets [pixels] at the first pixel of the secondary."""
STRETCH = 2e-4
"""Change of both per pixel."""


def mistimed(pair: SwathPair, *, stretch: float = 0.0) -> SwathPair:
    """Let the secondary's annotation lie, so that its pixels are later than it says."""

    def lie(grid: RadarGrid) -> RadarGrid:
        return replace(
            grid,
            first_line_time=grid.first_line_time + LINE * grid.line_interval,
            line_interval=grid.line_interval * (1.0 + stretch),
            first_slant_range=grid.first_slant_range + SAMPLE * grid.slant_range_spacing,
            slant_range_spacing=grid.slant_range_spacing * (1.0 + stretch),
        )

    return with_grids(pair, secondary=lie)


@pytest.fixture(scope="module")
def incoherent(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """A small StripMap pair of coherence 0.7 whose second date lies 0.03 lines off."""
    folder = tmp_path_factory.mktemp("incoherent")
    dem = hills(*CENTRE)
    series = simulate(
        Scene(dem=dem, land_coherence=0.7),
        [
            Acquisition(centre=START),
            Acquisition(
                centre=START + timedelta(days=12),
                perpendicular_baseline=BASELINE,
                misregistration=SHIFT,
            ),
        ],
        folder,
        mode=StripMapMode(lines=800, samples=1200),
    )
    return Series(
        reference=series.products[0],
        still=series.products[1],
        moved=None,
        dem=write_dem(folder / "dem.tif", dem),
        truth=series.truth,
    )


def test_offsets_of_a_stripmap_pair_in_both_directions(stripmap_series: Series) -> None:
    request, pairs, dem = opened(stripmap_series, correlation="constant")
    pairs = tuple(mistimed(pair) for pair in pairs)
    refined, found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())
    # unit coherence: what remains is the interpolation of the correlation's peak
    assert found["azimuth"]["offset_pixels"] == pytest.approx(LINE, abs=1e-3)
    assert found["range"]["offset_pixels"] == pytest.approx(SAMPLE, abs=1e-3)
    assert found["azimuth"]["standard_error_pixels"] < 1e-3
    assert found["patches_used"] > 90
    (adjustment,) = refined[0].adjustments.values()
    assert adjustment.lines == pytest.approx((LINE, 0.0, 0.0), abs=1e-3)
    assert adjustment.samples == pytest.approx((SAMPLE, 0.0, 0.0), abs=1e-3)
    again = match_amplitudes(request, refined, dem, threads=2, progress=Progress())[1]
    assert abs(again["azimuth"]["offset_pixels"]) < 5e-4


def test_sloping_offsets_of_a_stripmap_pair(stripmap_series: Series) -> None:
    request, pairs, dem = opened(stripmap_series, correlation="plane")
    pairs = tuple(mistimed(pair, stretch=STRETCH) for pair in pairs)
    refined, found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())
    (adjustment,) = refined[0].adjustments.values()
    # secondary coordinates are a few hundred pixels from those of the reference
    assert adjustment.lines.per_line == pytest.approx(STRETCH, abs=5e-6)
    assert adjustment.samples.per_sample == pytest.approx(STRETCH, abs=5e-6)
    assert abs(adjustment.lines.per_sample) < 5e-6
    assert abs(adjustment.samples.per_line) < 5e-6
    assert found["azimuth"]["per_1000_lines"] == pytest.approx(1e3 * STRETCH, abs=5e-3)
    again = match_amplitudes(request, refined, dem, threads=2, progress=Progress())[1]
    for direction in ("azimuth", "range"):
        assert abs(again[direction]["offset_pixels"]) < 1e-3
        assert abs(again[direction]["per_1000_lines"]) < 3e-3
        assert abs(again[direction]["per_1000_samples"]) < 3e-3


def test_errors_are_as_large_as_they_are_said_to_be(incoherent: Series) -> None:
    request, pairs, dem = opened(incoherent, correlation="constant", correlation_patches=150)
    found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())[1]
    for direction, truth in (("azimuth", -SHIFT), ("range", 0.0)):
        error = found[direction]["standard_error_pixels"]
        assert 5e-4 < error < 0.01
        assert abs(found[direction]["offset_pixels"] - truth) < 4.0 * error


def test_amplitudes_bring_bursts_within_reach_of_the_overlaps(tops_series: Series) -> None:
    """0.4 lines are many ambiguities of the overlaps; together both find them."""
    request, pairs, dem = opened(tops_series, correlation="constant")
    pairs = tuple(mistimed(pair) for pair in pairs)
    refined, found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())
    assert found["azimuth"]["offset_pixels"] == pytest.approx(LINE, abs=2e-3)
    assert found["range"]["offset_pixels"] == pytest.approx(SAMPLE, abs=2e-3)
    settled, esd = refine(request, refined, dem, threads=2, progress=Progress())
    assert esd["warnings"] == []
    for adjustment in settled[0].adjustments.values():
        assert adjustment.lines.constant == pytest.approx(LINE, abs=1e-4)
        assert adjustment.samples.constant == pytest.approx(SAMPLE, abs=2e-3)


def test_swaths_share_one_offset_and_say_their_own(two_swaths: Series) -> None:
    request, pairs, dem = opened(two_swaths, correlation="constant")
    pairs = tuple(mistimed(pair) for pair in pairs)
    refined, found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())
    for own in found["by_swath"].values():
        assert own["azimuth_lines"] == pytest.approx(LINE, abs=5e-3)
        assert own["range_samples"] == pytest.approx(SAMPLE, abs=5e-3)
    assert len({a.lines for pair in refined for a in pair.adjustments.values()}) == 1


def test_a_large_offset_is_looked_at_again(stripmap_series: Series) -> None:
    request, pairs, dem = opened(stripmap_series, correlation="constant")

    def lie(grid: RadarGrid) -> RadarGrid:
        return replace(grid, first_slant_range=grid.first_slant_range + 5.2 * spacing)

    spacing = pairs[0].layout.grid.slant_range_spacing
    pairs = tuple(with_grids(pair, secondary=lie) for pair in pairs)
    found = match_amplitudes(request, pairs, dem, threads=2, progress=Progress())[1]
    assert found["looks"] == 2
    assert found["range"]["offset_pixels"] == pytest.approx(5.2, abs=1e-3)


def test_threads_and_memory_do_not_show(incoherent: Series) -> None:
    _, pairs, dem = opened(incoherent)
    found = [
        match_amplitudes(request, pairs, dem, threads=threads, progress=Progress())
        for threads, request in (
            (1, incoherent.request(correlation="plane", memory_mb=200)),
            (4, incoherent.request(correlation="plane", memory_mb=4000)),
        )
    ]
    assert found[0][0][0].adjustments == found[1][0][0].adjustments


def test_unlike_images_leave_the_geometry_and_it_is_said(incoherent: Series) -> None:
    request, pairs, dem = opened(incoherent, correlation="constant")
    noise = tuple(
        replace(pair, secondary=altered(pair.secondary, signal=0.0, noise=500.0)) for pair in pairs
    )
    same, found = match_amplitudes(request, noise, dem, threads=2, progress=Progress())
    assert same[0].adjustments == {}
    assert "coregistration is that of the orbits" in found["warnings"][0]
    assert found["patches_used"] == 0
    json.dumps(found, allow_nan=False)


def test_a_damaged_file_is_named(incoherent: Series) -> None:
    request, pairs, dem = opened(incoherent, correlation="constant")
    assert pairs[0].secondary.pixels is not None
    broken = replace(pairs[0].secondary, pixels=Broken(pairs[0].secondary.pixels.shape))
    found = match_amplitudes(
        request, (replace(pairs[0], secondary=broken),), dem, threads=2, progress=Progress()
    )[1]
    assert "measurement of IW1 ends at line 100" in found["warnings"][0]
    assert found["patches"] == 0


def test_patches_lie_inside_what_is_valid(two_swaths: Series) -> None:
    pairs = open_pair(two_swaths.request())
    placement = pairs[0].layout.placements[1]
    windows = [window for row in place_patches(placement, 100) for window in row]
    assert windows
    burst = placement.burst
    for window in windows:
        for line in (window.lines.first, sum(window.lines) - 1):
            assert burst.first_valid_sample[line] <= window.samples.first
            assert sum(window.samples) - 1 <= burst.last_valid_sample[line]


def test_the_interferogram_tells_of_it(stripmap_series: Series, tmp_path: Path) -> None:
    request = stripmap_series.request(correlation="plane", spacing=0.001)
    result = run(request, tmp_path, Progress())
    report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    amplitudes = report["refinement"]["amplitudes"]
    assert amplitudes["correlation"] == "plane"
    assert np.abs(amplitudes["azimuth"]["offset_pixels"]) < 1e-3
    assert np.abs(amplitudes["range"]["offset_pixels"]) < 1e-3
