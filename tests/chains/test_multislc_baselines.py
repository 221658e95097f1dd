"""Tables of a series: figures that the simulation states, and arithmetic between rows."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernels.chains import sar_height_of_ambiguity
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.chains.multislc_series.baselines import write_baselines
from kernels.chains.multislc_series.stack import Stack
from kernels.engine.progress import Progress
from kernels.insar.networks import consecutive
from tests.products_out.test_pictures import pixels
from tests.series import BASELINE, Series
from tests.stacks import make_stack, shapes


@pytest.fixture(scope="module")
def stack(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Three dates, the second the reference, with the baselines that were simulated."""
    (shape,) = shapes(tops_series)
    pixels = [np.ones((3, *shape), np.complex64)]
    folder = tmp_path_factory.mktemp("stack")
    baselines = (-60.0, 0.0, BASELINE)
    return make_stack(tops_series, folder, pixels, baselines=baselines, reference=1)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_dates_are_told_beside_the_reference(stack: Stack, tmp_path: Path) -> None:
    rows = rows_of(write_baselines(stack, consecutive(3), tmp_path).dates)
    assert [row["day"] for row in rows] == ["2026-01-01", "2026-01-13", "2026-01-25"]
    assert [row["reference"] for row in rows] == ["no", "yes", "no"]
    assert [int(row["days_from_reference"]) for row in rows] == [-12, 0, 12]
    assert [float(row["perpendicular_baseline_m"]) for row in rows] == [-60.0, 0.0, BASELINE]
    assert [float(row["azimuth_shift_lines"]) for row in rows] == [0.0, 0.001, 0.002]
    assert rows[1]["height_of_ambiguity_m"] == ""
    ambiguity = [float(rows[k]["height_of_ambiguity_m"]) for k in (0, 2)]
    assert ambiguity[0] * -60.0 == pytest.approx(ambiguity[1] * BASELINE, rel=1e-3)
    assert ambiguity[1] > 0.0
    # all dates are one product
    assert [float(row["doppler_difference_hz"]) for row in rows] == [0.0, 0.0, 0.0]


def test_the_height_of_ambiguity_is_that_of_its_own_process(
    tops_series: Series, tmp_path: Path
) -> None:
    request = sar_height_of_ambiguity.HeightOfAmbiguityRequest(
        reference=(tops_series.reference,), secondary=(tops_series.still,), grid_points=3
    )
    table = sar_height_of_ambiguity.run(request, tmp_path / "points", Progress()).artefact("table")
    middle = rows_of(table.path)[4]
    (shape,) = shapes(tops_series)
    perpendicular = float(middle["perpendicular_baseline_m"])
    stack = make_stack(
        tops_series,
        tmp_path / "stack",
        [np.ones((2, *shape), np.complex64)],
        baselines=(0.0, perpendicular),
    )
    rows = rows_of(write_baselines(stack, [(0, 1)], tmp_path).dates)
    expected = float(middle["height_of_ambiguity_m"])
    assert float(rows[1]["height_of_ambiguity_m"]) == pytest.approx(expected, rel=1e-3)


def test_doppler_is_that_of_the_annotation(tops_series: Series, tmp_path: Path) -> None:
    (shape,) = shapes(tops_series)
    stack = make_stack(tops_series, tmp_path, [np.ones((2, *shape), np.complex64)])
    other = replace(stack.images[1].date, paths=(tops_series.still,))
    images = (stack.images[0], replace(stack.images[1], date=other))
    rows = rows_of(write_baselines(replace(stack, images=images), [], tmp_path).dates)
    (pair,) = open_pair(tops_series.request(), need_pixels=False)
    for row, product in zip(rows, (pair.reference, pair.secondary), strict=True):
        annotated = {burst.doppler.coefficients[0] for burst in product.bursts}
        assert min(annotated) - 1.0 <= float(row["doppler_centroid_hz"]) <= max(annotated) + 1.0


def test_pairs_are_differences_of_dates(stack: Stack, tmp_path: Path) -> None:
    coherence = np.array([[1.0, 0.5, math.nan], [0.5, 1.0, 0.25], [math.nan, 0.25, 1.0]])
    files = write_baselines(stack, [(0, 2), (2, 1), (0, 1)], tmp_path, coherence=coherence)
    rows = rows_of(files.pairs)
    assert [(row["first"], row["second"]) for row in rows] == [
        ("2026-01-01", "2026-01-25"),
        ("2026-01-25", "2026-01-13"),
        ("2026-01-01", "2026-01-13"),
    ]
    assert [int(row["days"]) for row in rows] == [24, -12, 12]
    assert [float(row["perpendicular_baseline_m"]) for row in rows] == [140.0, -80.0, 60.0]
    assert [row["mean_coherence"] for row in rows] == ["", "0.25", "0.5"]
    for path in (files.network, files.coherence):
        assert path is not None
        assert pixels(path).std() > 10.0


def test_without_coherence_there_is_no_matrix(stack: Stack, tmp_path: Path) -> None:
    files = write_baselines(stack, consecutive(3), tmp_path)
    assert files.coherence is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "baselines.csv",
        "baselines.png",
        "pairs.csv",
    ]
