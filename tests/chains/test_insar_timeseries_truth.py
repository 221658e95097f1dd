"""Motion and elevation from ranges to displaced orbits: no formula of baselines in the truth."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import h5py
import numpy as np

from kernels.chains.insar_timeseries import InsarTimeseriesRequest, run
from kernels.engine.progress import Progress
from kernels.geometry.baseline import baseline
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.orbit import Orbit
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.model import Dem, Looks, Shape
from kernels.products.mintpy import create_stack
from kernels.products.mintpy_scene import scene_attributes, write_radar_geometry
from tests.geometry.scenes import circular_vectors, radar_grid

LOOKS = Looks(4, 16)
GAPS = (12, 12, 24, 6, 36, 12, 48)
"""Between the dates [days]."""


def displaced(upward: float, across: float) -> Orbit:
    """The circular orbit, moved as a whole [m]."""
    vectors = circular_vectors()
    up = vectors.positions / np.linalg.norm(vectors.positions, axis=1)[:, None]
    side = np.cross(vectors.velocities, up)
    side /= np.linalg.norm(side, axis=1)[:, None]
    moved = replace(vectors, positions=vectors.positions + upward * up + across * side)
    return Orbit.fit(moved, start=-15.0, stop=15.0)


def test_velocity_and_elevation_are_those_of_the_ground(tmp_path: Path) -> None:
    """Ground that is higher than its model, and sinks; dates are uneven; orbits 100 m apart."""
    grid = radar_grid(Shape(240, 1200), bistatic_range=None).looked(LOOKS)
    generator = np.random.default_rng(1)
    orbits = [displaced(0.0, 0.0)]
    orbits += [displaced(*generator.uniform(-80.0, 80.0, 2)) for _ in GAPS]
    days = [date(2019, 1, 1) + timedelta(int(n)) for n in np.cumsum((0, *GAPS))]
    rows, columns = np.indices(grid.shape).astype(np.float64)
    ranges = grid.slant_range(columns)
    times = grid.zero_doppler_time(rows, ranges)
    error = 12.0 * np.cos(rows / 12.0) * np.sin(columns / 15.0)
    velocity = -0.02 * np.exp(-(np.square(rows - 30.0) + np.square(columns - 40.0)) / 150.0)
    model, ground = (
        radar_to_ground(orbits[0], times, ranges, heights).reshape(-1, 3)
        for heights in (np.full(rows.shape, 700.0), 700.0 + error)
    )
    phases = []
    for day, orbit in zip(days, orbits, strict=True):
        further = (ground_to_radar(orbit, ground)[1] - ground_to_radar(orbit, model)[1]).reshape(
            rows.shape
        )
        further -= velocity * (day - days[0]).days / 365.25
        phases.append(4.0 * np.pi / grid.wavelength * further)
    middle = model[rows.size // 2 :][:1]
    baselines = [
        float(baseline(orbits[0], orbit, middle, wavelength=grid.wavelength).perpendicular[0])
        for orbit in orbits
    ]
    assert np.ptp(baselines) > 100.0
    longitudes, latitudes, _ = (np.degrees(angle) for angle in ecef_to_geodetic(model))
    dem = Dem(
        heights=np.full((50, 50), 700.0, np.float32),
        west=longitudes.min() - 0.05,
        north=latitudes.max() + 0.05,
        longitude_step=(np.ptp(longitudes) + 0.1) / 49,
        latitude_step=-(np.ptp(latitudes) + 0.1) / 49,
    )
    attributes = scene_attributes(
        grid, orbits[0], platform="S1A", looks=LOOKS, effective_looks=40.0
    )
    write_radar_geometry(
        tmp_path / "geometryRadar.h5",
        grid=grid,
        orbit=orbits[0],
        dem=dem,
        attributes=attributes,
        threads=2,
        progress=Progress(),
    )
    pairs = [(a, b) for a in range(len(days)) for b in range(a + 1, min(a + 4, len(days)))]
    with create_stack(
        tmp_path / "ifgramStack.h5",
        days=days,
        pairs=pairs,
        baselines=baselines,
        shape=grid.shape,
        attributes=attributes,
    ) as writer:
        for number, (a, b) in enumerate(pairs):
            ones = np.ones(grid.shape)
            writer.write(number, phases[b] - phases[a], 0.8 * ones, ones.astype(np.int64))
    request = InsarTimeseriesRequest(
        interferograms=tmp_path / "ifgramStack.h5",
        geometry=tmp_path / "geometryRadar.h5",
        threads=2,
    )
    done = run(request, tmp_path / "out", Progress())
    place = json.loads(done.artefact("report").path.read_text())["reference"]
    around = np.s_[place["row"] - 2 : place["row"] + 3, place["column"] - 2 : place["column"] + 3]
    with zipfile.ZipFile(done.artefact("mintpy").path) as archive:
        archive.extractall(tmp_path)
    # the baseline of the scene's middle stands for all of it: 1 in 100 of 12 m
    for file, name, truth, most in (
        ("velocity.h5", "velocity", velocity, 1e-4),
        ("demErr.h5", "dem", error, 0.25),
    ):
        with h5py.File(tmp_path / file) as results:
            found = results[name][:]
        assert np.abs(found - (truth - truth[around].mean())).max() < most
