"""A series against the truth of its simulation: shifts, closure, pairs, and the ground's motion."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.dinsar_pair import run as run_pair
from kernels.chains.dinsar_pair.inputs import SwathPair, open_pair
from kernels.chains.insar_timeseries import InsarTimeseriesRequest
from kernels.chains.insar_timeseries.run import run as run_timeseries
from kernels.chains.multislc_series import MultislcSeriesRequest
from kernels.chains.multislc_series.run import run
from kernels.engine.progress import Progress
from kernels.model import Looks
from kernels.products.raster import read_radar_grid, read_raster
from kernels.simulation import BurstTruth, MogiSource, load_truth
from tests.series import hills, write_dem
from tests.slc_series import REFERENCE, SHIFTS, SlcSeries, velocity
from tests.stripmap_s4 import CENTRE, DAYS, simulate_s4_pair

LOOKS = Looks(azimuth=4, range=16)
WAVELENGTH = 0.05546576


@dataclass(frozen=True)
class Ran:
    """A finished run."""

    request: MultislcSeriesRequest
    folder: Path
    report: dict[str, Any]

    def raster(self, day: str) -> Path:
        """Coregistered image of a day."""
        (found,) = self.folder.glob(f"coregistered/{day}/slc_iw1.tif")
        return found


@pytest.fixture(scope="module")
def ran(slc_series: SlcSeries, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Five dates with their network, unwrapped."""
    folder = tmp_path_factory.mktemp("ran")
    request = slc_series.request(unwrapping="mcf", light=False)
    return Ran(request, folder, run(request, folder, Progress()).report)


def images(ran: Ran, days: tuple[str, ...]) -> list[NDArray[np.complex64]]:
    from osgeo import gdal  # noqa: PLC0415

    return [gdal.Open(str(ran.raster(day))).ReadAsArray() for day in days]


def test_the_network_finds_the_shifts_of_all_dates(ran: Ran, slc_series: SlcSeries) -> None:
    found = ran.report["spectral_diversity"]["shifts_lines"]
    # the file's line l truly is l + shift: what geometry expects there lies earlier
    for day, shift in zip(slc_series.days, SHIFTS, strict=True):
        assert found[day] == pytest.approx(SHIFTS[REFERENCE] - shift, abs=2e-4)


def test_three_images_close_to_rounding_at_one_look(ran: Ran, slc_series: SlcSeries) -> None:
    one, two, three = images(ran, slc_series.days[1:4])
    known = (one != 0.0) & (two != 0.0) & (three != 0.0)
    assert known.mean() > 0.7
    loop = (one * np.conj(two)) * (two * np.conj(three)) * np.conj(one * np.conj(three))
    assert np.abs(np.angle(loop[known])).max() < 2e-6


def test_images_are_coherent_and_flat_but_for_the_motion(ran: Ran, slc_series: SlcSeries) -> None:
    """Without the reference: both dates were resampled."""
    first, second = images(ran, (slc_series.days[1], slc_series.days[2]))
    known = (first != 0.0) & (second != 0.0)
    rows, columns = (n // look * look for n, look in zip(first.shape, LOOKS, strict=True))

    def looked(values: NDArray[Any]) -> NDArray[Any]:
        cells = values[:rows, :columns].reshape(
            rows // LOOKS.azimuth, LOOKS.azimuth, columns // LOOKS.range, LOOKS.range
        )
        return np.asarray(cells.sum(axis=(1, 3)))

    whole = looked(known.astype(np.float64)) == LOOKS.azimuth * LOOKS.range
    cross = looked(first * np.conj(second))[whole]
    powers = looked(np.abs(first) ** 2)[whole], looked(np.abs(second) ** 2)[whole]
    coherence = np.abs(cross) / np.sqrt(powers[0] * powers[1])
    assert np.median(coherence) > 0.93


def test_a_pair_of_the_stack_is_that_of_dinsar_pair(
    ran: Ran, slc_series: SlcSeries, tmp_path: Path
) -> None:
    first, second = slc_series.products[REFERENCE], slc_series.products[1]
    request = ran.request.pair((first,), (second,), unwrapping="none")
    run_pair(request, tmp_path, Progress())
    with zipfile.ZipFile(tmp_path / "interferogram_radar.zip") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".tif"))
        archive.extract(name, tmp_path)
    alone = read_raster(tmp_path / name).array
    pair = f"{slc_series.days[REFERENCE]}_m_{slc_series.days[1]}_s"
    (path,) = ran.folder.rglob(f"{pair}/interferogram_radar.tif")
    of_stack = read_raster(path).array
    both = (alone[3] == 1.0) & (of_stack[3] == 1.0)
    assert both.mean() > 0.7
    # cells of low power have large errors of the phase for nothing
    bright = both & (alone[2] > 0.8)
    phases = np.angle(np.exp(1j * (alone[1] - of_stack[1])))[bright]
    assert np.abs(phases).max() < 1e-3


def looks_of(path: Path, pair: SwathPair) -> Looks:
    """Pixels in a cell of a raster in radar geometry."""
    cells, grid = read_radar_grid(path), pair.layout.grid
    return Looks(
        azimuth=round(cells.line_interval / grid.line_interval),
        range=round(cells.slant_range_spacing / grid.slant_range_spacing),
    )


def on_nodes(
    layer: NDArray[Any], pair: SwathPair, known: BurstTruth, looks: Looks
) -> NDArray[np.float64]:
    """Values of the cells that hold the nodes of the truth; NaN where another burst has them."""
    (placement,) = (p for p in pair.layout.placements if p.burst.index == known.burst)
    lines = known.lines + placement.origin
    rows, columns = lines // looks.azimuth, known.samples // looks.range
    own = (lines >= placement.start) & (lines < placement.stop) & (rows < layer.shape[0])
    there = own[:, None] & (columns < layer.shape[1])[None, :]
    rows, columns = (
        np.minimum(k, n - 1) for k, n in zip((rows, columns), layer.shape, strict=True)
    )
    return np.where(there, layer[rows[:, None], columns[None, :]], np.nan)


def test_the_time_series_is_the_motion_of_the_ground(
    ran: Ran, slc_series: SlcSeries, tmp_path: Path
) -> None:
    """Five centimetres a year, under errors of the elevation of four metres."""
    files = ran.folder / "ifgramStack.h5", ran.folder / "geometryRadar.h5"
    request = InsarTimeseriesRequest(interferograms=files[0], geometry=files[1], memory_mb=200)
    done = run_timeseries(request, tmp_path / "out", Progress())
    with zipfile.ZipFile(done.artefact("mintpy").path) as archive:
        archive.extractall(tmp_path)
    found, coherence = (
        h5py.File(tmp_path / f"{file}.h5")[name][:]
        for file, name in (
            ("velocity", "velocity"),
            ("temporalCoherence", "temporalCoherence"),
        )
    )
    (pair,) = open_pair(ran.request.pair(slc_series.products[:1], slc_series.products[1:2]))
    (path,) = ran.folder.glob("20260101_m_20260218_s/unwrapped_radar.tif")
    looks = looks_of(path, pair)
    last = len(slc_series.days) - 1
    errors, truths = [], []
    for burst in (0, 1):
        known = load_truth(slc_series.truth, swath="IW1", burst=burst, date=last)
        truth = velocity(known, last)
        clear = known.mask[known.lines - known.mask_first_line][:, known.samples] == 0
        good = clear & (on_nodes(coherence, pair, known, looks) > 0.7)
        errors.append((on_nodes(found, pair, known, looks) - truth)[good])
        truths.append(truth[good])
    error = np.concatenate(errors)
    error -= np.median(error)
    assert error.size > 5000
    assert np.ptp(np.concatenate(truths)) > 0.04
    assert float(np.sqrt(np.mean(error**2))) < 2e-3


@pytest.mark.shared_data
def test_two_stripmap_dates_of_la_reunion_show_the_displacement(
    shared_data: Path, tmp_path: Path
) -> None:
    """S4 of S1A 2016-08-18 and S1B 2016-09-29, a source that swells under the scene."""
    dem = hills(*CENTRE)
    depth = 900.0
    source = MogiSource(
        longitude=CENTRE[0],
        latitude=CENTRE[1],
        depth=depth,
        volume_change=0.06 * np.pi * depth**2 / 0.75,
    )
    series = simulate_s4_pair(shared_data, tmp_path / "lake", dem, source)
    request = MultislcSeriesRequest(
        products=(tmp_path / "lake",),
        first_day="2016-08-18",
        last_day="2016-09-29",
        reference="20160818",
        dem=(write_dem(tmp_path / "dem.tif", dem),),
        dem_heights="ellipsoid",
        unwrapping="mcf",
        spacing=3e-4,
        memory_mb=200,
    )
    run(request, tmp_path / "out", Progress())
    (path,) = (tmp_path / "out").rglob(f"{DAYS[0]}_m_{DAYS[1]}_s/unwrapped_radar.tif")
    phase = read_raster(path).array[0]
    found = -WAVELENGTH / (4.0 * np.pi) * phase
    (pair,) = open_pair(request.pair((series.products[0],), (series.products[1],)))
    known = load_truth(series.truth, swath="S4", burst=0)
    errors = on_nodes(found, pair, known, looks_of(path, pair)) + known.range_change
    clear = np.isfinite(errors) & (known.mask[known.lines][:, known.samples] == 0)
    errors -= np.median(errors[clear])
    assert np.ptp(known.range_change) > 0.04
    assert float(np.sqrt(np.mean(errors[clear] ** 2))) < 1e-3
