"""Figures of the stack benchmark on a small series whose errors are put there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.stack_errors import Layers, closure_figures, motion_figures, shift_figures
from benchmarks.stack_input import StackInput, height_error, velocity
from benchmarks.stack_scene import StackDate, dem_error, erroneous
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.model import Looks, Shape
from kernels.products.raster import create_raster
from kernels.simulation import RangeRamp, load_truth
from tests.series import CENTRE, hills
from tests.slc_series import BASELINES, OFFSETS, SHIFTS, SlcSeries
from tests.slc_series import dem_error as slc_series_error

LOOKS = Looks(azimuth=4, range=16)


@pytest.fixture(scope="module")
def stack(slc_series: SlcSeries) -> StackInput:
    still = RangeRamp(longitude=CENTRE[0], latitude=CENTRE[1])
    return StackInput(
        folder=slc_series.dem.parent,
        dates=tuple(
            StackDate(days=days, baseline=baseline, shift=shift, air=still)
            for days, baseline, shift in zip(OFFSETS, BASELINES, SHIFTS, strict=True)
        ),
        products=slc_series.products,
        reference=0,
        bursts=(0, 1),
    )


@pytest.fixture(scope="module")
def pair(slc_series: SlcSeries) -> SwathPair:
    request = DinsarPairRequest(
        reference=(slc_series.products[0],),
        secondary=(slc_series.products[1],),
        dem=(slc_series.dem,),
        azimuth_looks=LOOKS.azimuth,
        range_looks=LOOKS.range,
    )
    (found,) = open_pair(request, need_pixels=False)
    return found


def perfect(stack: StackInput, pair: SwathPair) -> Layers:
    """What a processor without error gives: the nearest node of the truth for every cell."""
    cells = pair.layout.grid.looked(LOOKS).shape
    speed, height = np.full(cells, np.nan), np.full(cells, np.nan)
    for placement in pair.layout.placements:
        index = placement.burst.index
        known = load_truth(stack.folder / "truth", swath="IW1", burst=index)
        true_speed = velocity(stack, stack.folder / "truth", index)
        true_height = height_error(stack, stack.folder / "truth", index)
        for row in range(placement.start // LOOKS.azimuth, placement.stop // LOOKS.azimuth):
            line = np.abs(known.lines - (row * LOOKS.azimuth - placement.origin)).argmin()
            samples = np.arange(cells.samples) * LOOKS.range // 8
            speed[row], height[row] = true_speed[line, samples], true_height[line, samples]
    return Layers(speed, height, np.ones(cells), LOOKS)


def test_a_perfect_series_has_no_error_whatever_its_reference(
    stack: StackInput, pair: SwathPair
) -> None:
    found = perfect(stack, pair)
    moved = found._replace(velocity=found.velocity + 3e-3, dem_error=found.dem_error - 2.0)
    figures = motion_figures(stack, pair, moved)
    # a cell holds two nodes 30 m apart; the velocity changes by 40 mm per year and km
    assert figures["velocity_rms_mm_per_year"] < 0.5
    assert figures["dem_error_rms_m"] < 0.3
    assert figures["velocity_peak_mm_per_year"] == pytest.approx(44.0, rel=0.1)
    assert figures["coherent_share"] == 1.0


def test_pixels_lack_about_the_error_of_the_elevation_model(stack: StackInput) -> None:
    known = load_truth(stack.folder / "truth", swath="IW1", burst=0)
    lacking = height_error(stack, stack.folder / "truth", 0)
    wrong = slc_series_error(known.longitude, known.latitude)
    # slopes towards the radar make it more, those away from it less
    assert np.corrcoef(lacking.ravel(), wrong.ravel())[0, 1] > 0.8
    assert np.abs(lacking[np.abs(wrong) < 0.01]).max() < 0.1  # [m], of 4


def test_errors_are_counted_where_the_series_is_coherent(
    stack: StackInput, pair: SwathPair
) -> None:
    found = perfect(stack, pair)
    chessboard = np.where(np.indices(found.velocity.shape).sum(axis=0) % 2, 1.0, -1.0)
    coherence = found.temporal_coherence.copy()
    coherence[: coherence.shape[0] // 2] = 0.5
    wild = np.where(coherence > 0.7, 2e-3, 9.0) * chessboard
    noisy = found._replace(velocity=found.velocity + wild, temporal_coherence=coherence)
    figures = motion_figures(stack, pair, noisy)
    assert figures["velocity_rms_mm_per_year"] == pytest.approx(2.0, rel=0.05)
    assert figures["coherent_share"] == pytest.approx(0.5, abs=0.02)


def test_shifts_are_compared_relative_to_the_reference(stack: StackInput) -> None:
    found = {day: -shift for day, shift in zip(stack.days, SHIFTS, strict=True)}
    assert shift_figures(stack, found)["esd_residual_lines"] == 0.0
    found[stack.days[2]] += 1e-3
    assert shift_figures(stack, found)["esd_residual_lines"] == pytest.approx(1e-3)


def test_closure_of_what_does_not_close(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    paths = []
    for number in range(3):
        values = random.standard_normal((2, 80, 40)).astype(np.float32)
        image = (values[0] + 1j * values[1]).astype(np.complex64)
        image[:, :5] = 0.0
        paths.append(tmp_path / f"{number}.tif")
        with create_raster(
            paths[-1], Shape(80, 40), ("slc",), dtype="complex64", compression="NONE"
        ) as writer:
            writer.write(0, image[None])
    figures = closure_figures(paths)
    assert figures["closure_one_look_max_rad"] < 2e-6
    assert figures["closure_pixels"] == 64 * 35, "the lines in the middle"


def test_the_error_of_the_elevation_model_is_what_is_missing() -> None:
    dem = hills(*CENTRE)
    wrong = erroneous(dem)
    column, row = 100, 200
    position = dem.west + column * dem.longitude_step, dem.north + row * dem.latitude_step
    missing = float(dem.heights[row, column] - wrong.heights[row, column])
    assert missing == pytest.approx(float(dem_error(*map(np.array, position))), abs=1e-3)
    assert abs(missing) > 0.1
