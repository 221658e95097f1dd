"""Series of several swaths, not all of which every date has."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from kernels.chains.multislc_series import CHAIN, MultislcSeriesRequest
from kernels.engine.progress import Progress
from tests.series import BASELINE, Series


@pytest.mark.parametrize("swath", ["iw1", "iw2"])
def test_a_date_that_lacks_a_swath_has_the_baseline_of_its_orbit(
    swath: str, two_swaths: Series, tmp_path: Path
) -> None:
    part = Path(shutil.copytree(two_swaths.still, tmp_path / two_swaths.still.name))
    for path in part.rglob(f"*-{swath}-*"):
        path.unlink()
    request = MultislcSeriesRequest(
        products=(two_swaths.reference, part),
        first_day="20260101",
        last_day="20260131",
        reference="20260101",
        dem=(two_swaths.dem,),
        dem_heights="ellipsoid",
        azimuth_looks=4,
        range_looks=16,
        ortho="none",
        archive="report",
        memory_mb=200,
    )
    CHAIN.run(request, tmp_path / "out", Progress())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["left_out"] == []
    lengths = [date["perpendicular_baseline_m"] for date in report["dates"]]
    assert lengths == pytest.approx([0.0, BASELINE], abs=0.1)
    assert any(f"no partner for {swath.upper()} burst 1" in line for line in report["warnings"])
    with (tmp_path / "out" / "20260101_master_directory" / "baselines.csv").open() as file:
        rows = list(csv.DictReader(file))
    # the centroid is told of the second swath
    assert [row["doppler_centroid_hz"] != "" for row in rows] == [True, swath == "iw1"]
