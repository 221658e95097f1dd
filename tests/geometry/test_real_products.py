"""The annotations' own geolocation grids, in products whose grids can be trusted."""

from pathlib import Path

import pytest

from benchmarks import geolocation
from benchmarks.harness import main


@pytest.mark.shared_data
def test_grids_of_recent_products_are_met(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json  # noqa: PLC0415

    assert main(["geolocation", "--quick", "--shared", str(shared_data)]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["files"] >= len(geolocation.RECENT)
    assert figures["azimuth_error_max_us"] <= 2.5
    assert figures["line_error_max_us"] <= 3.0
    assert figures["range_error_max_mm"] <= 0.1
