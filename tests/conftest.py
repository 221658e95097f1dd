"""Fixtures for every test."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.detected_series import level_product, slices
from tests.series import stripmap_series, tops_series, two_swaths
from tests.slc_series import slc_series
from tests.tile_lake import tile_lake

__all__ = [
    "level_product",
    "shared_data",
    "slc_series",
    "slices",
    "stripmap_series",
    "tile_lake",
    "tops_series",
    "two_swaths",
]

# a run in the background of a shell ignores interrupts, and so would every process that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)

if "CI" not in os.environ:  # where it is set, hypothesis takes its own reproducible profile
    # a busy machine and a first compilation say nothing about the code
    settings.register_profile("local", deadline=None)
    settings.load_profile("local")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real metadata beside the checkout; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real metadata of ../shared/data is not here")
    return folder
