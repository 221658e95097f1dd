"""The demonstration, trimmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kernels.model import GeographicBox
from kernels.products.dem import load_dem
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import TopsMode, demo_scene, load_truth, simulate_demo

WAVELENGTH = 0.05546576


def test_demo_is_an_island_whose_volcano_swells(tmp_path: Path) -> None:
    mode = TopsMode(bursts=1, samples=700, burst_lines=240)
    demo = simulate_demo(tmp_path, mode=mode)
    reference, secondary = (
        open_sentinel1(path).slc("IW1", "VV") for path in (demo.reference, demo.secondary)
    )
    assert (secondary.start - reference.start).days == 12
    truth = load_truth(demo.truth, swath="IW1", burst=0)
    # between two and three fringes of half a wavelength, towards the satellite
    fringes = -truth.range_change.min() / (0.5 * WAVELENGTH)
    assert 2.0 < fringes < 3.0
    grid = reference.geolocation
    box = GeographicBox(
        grid.longitudes.min(), grid.latitudes.min(), grid.longitudes.max(), grid.latitudes.max()
    )
    dem = load_dem([demo.dem], box, heights="ellipsoid", missing="fail")
    assert dem.heights.max() > 1000.0


def test_whole_demo_holds_the_island() -> None:
    heights = demo_scene().dem.heights
    rows, columns = (np.flatnonzero((heights > 0.0).any(axis=axis)) for axis in (1, 0))
    # two bursts of 5600 samples: 39 km along track, 23 km across, turned by 13 degrees
    north, east = np.ptp(rows) * 30.7, np.ptp(columns) * 28.8
    across = north * np.sin(np.radians(13.0)) + east * np.cos(np.radians(13.0))
    assert 15_000.0 < across < 23_000.0
    assert north == pytest.approx(17_000.0, rel=0.15)
    assert (heights == 0.0).mean() > 0.8
