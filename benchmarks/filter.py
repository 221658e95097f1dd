"""The multi-temporal filter on simulated speckle: looks, bias, targets, cost of a series.

Fifteen dates (and a sixteenth, added afterwards) of a scene with known reflectivity: parcels of
64 x 64 pixels of which a tenth changes at each date, stable point targets, footprints that leave
out the west of every fourth date, and white gamma speckle of 4.4 looks. Files are not compressed
on either side. The cost is that of the whole chain: reading, filtering, writing results and
state, measuring looks, report; loading the compiled kernels is told apart (loading_cpu_s).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import cached_input, say
from benchmarks.measuring import Measurement, measure
from kernels.chains.multitemporal_filter import MultitemporalFilterRequest
from kernels.chains.multitemporal_filter import run as run_chain
from kernels.engine.bands import Band, split_rows
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.model import MapGrid, Shape
from kernels.products.raster import RasterReader, create_raster
from kernels.radiometry.multitemporal import expected_looks

LOOKS, DATES, WINDOW, PARCEL = 4.4, 15, 7, 64
SIDE, FULL_SIDE, QUICK_SIDE = 4096, 10980, 768
CHANGED_SHARE = 0.1
TARGET_SPACING = 8
"""Parcels from one point target to the next."""
_TARGET_OVER_CLUTTER = 1000.0
_ROWS = 256
_CHECKED = (0, 7, 14)
"""Dates compared with the truth."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own options."""
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"a whole tile of {FULL_SIDE} x {FULL_SIDE} pixels instead of {SIDE} x {SIDE}: "
        "needs 25 GB of disk",
    )
    parser.add_argument("--memory-mb", type=int, default=1000, help="of the request")


@dataclass(frozen=True, slots=True)
class Truth:
    """Reflectivity of the scene, parcel by parcel.

    Attributes
    ----------
    side : int
        Pixels on either side.
    """

    side: int

    def parcels(self, date: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return reflectivities of all parcels at a date, and which of them changed."""
        count = -(-self.side // PARCEL)
        shape = (count, count)
        base = np.random.default_rng(1).normal(-11.0, 3.0, shape)
        own = np.random.default_rng(100 + date)
        changed = own.random(shape) < CHANGED_SHARE
        step = own.choice([-4.0, 4.0], shape)
        return (10.0 ** ((base + np.where(changed, step, 0.0)) / 10.0)).astype(np.float32), changed

    def missing_columns(self, date: int) -> int:
        """Columns in the west without data at a date."""
        return self.side // 5 if date % 4 == 3 else 0

    def rows(self, date: int, band: Band) -> NDArray[np.float32]:
        """Return the reflectivity of some rows; 0 outside the footprint."""
        parcels, _ = self.parcels(date)
        lines = (np.arange(band.first, band.first + band.rows)) // PARCEL
        values = np.repeat(parcels[lines], PARCEL, axis=1)[:, : self.side].copy()
        values[:, : self.missing_columns(date)] = 0.0
        return values

    def targets(self, band: Band) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return rows (of the band) and columns of the point targets, amid parcels."""
        along = np.arange(PARCEL // 2, self.side - WINDOW, TARGET_SPACING * PARCEL)
        lines = along[(along >= band.first) & (along < band.first + band.rows)] - band.first
        rows, columns = np.meshgrid(lines, along, indexing="ij")
        return rows.ravel(), columns.ravel()

    def interior(self, band: Band, changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell the pixels of chosen parcels whose windows hold nothing else."""
        inside = np.zeros(PARCEL, np.bool_)
        inside[WINDOW:-WINDOW] = True
        own = np.tile(inside, changed.shape[0])
        lines = np.arange(band.first, band.first + band.rows)
        chosen = np.repeat(changed[lines // PARCEL], PARCEL, axis=1)[:, : self.side]
        pixels: NDArray[np.bool_] = chosen & own[lines, None] & own[None, : self.side]
        for row, column in zip(*self.targets(band), strict=True):
            reach = WINDOW
            top, left = max(row - reach, 0), column - reach
            pixels[top : row + reach + 1, left : column + reach + 1] = False
        return pixels


def simulate(folder: Path, side: int) -> None:
    """Write the dates of a scene."""
    truth = Truth(side)
    shape = Shape(side, side)
    grid = MapGrid(
        crs="EPSG:32631", west=6e5, north=4_900_020.0, x_spacing=10.0, y_spacing=10.0, shape=shape
    )
    for date in range(DATES + 1):
        say(f"  date {date + 1} of {DATES + 1}")
        generator = np.random.default_rng(1000 + date)
        path = folder / file_name(date)
        with create_raster(
            path, shape, ("intensity",), grid=grid, nodata=0.0, compression="NONE"
        ) as writer:
            for band in split_rows(side, band_rows=_ROWS):
                values = truth.rows(date, band)
                rows, columns = truth.targets(band)
                seen = values[rows, columns] > 0.0
                clutter = values[rows, columns]
                speckle = generator.standard_gamma(LOOKS, values.shape, np.float32)
                values *= speckle / np.float32(LOOKS)
                values[rows[seen], columns[seen]] = _TARGET_OVER_CLUTTER * clutter[seen]
                writer.write(band.first, values[None])


def file_name(date: int) -> str:
    """Name a date as S1Tiling does; one every twelve days."""
    day = np.datetime64("2018-01-01") + 12 * date
    return f"s1a_31TGL_vv_DES_139_{str(day).replace('-', '')}t060000.tif"


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    side = QUICK_SIDE if arguments.quick else FULL_SIDE if arguments.full else SIDE
    folder = cached_input(f"filter-{side}", _parameters(side), lambda to: simulate(to, side))
    small = cached_input("filter-warm-up", _parameters(256), lambda to: simulate(to, 256))
    with scratch_folder(folder.parent) as scratch:
        kept = scratch / "measured"
        say(f"{DATES} dates")
        series = _measure(
            _request(folder, DATES, arguments.memory_mb),
            _request(small, DATES, arguments.memory_mb),
            kept,
        )
        say("one more date")
        added = _measure(
            _request(folder, DATES + 1, arguments.memory_mb),
            _request(small, DATES + 1, arguments.memory_mb),
            kept,
        )
        say("against the truth")
        figures = _against_truth(Truth(side), folder, kept)
        _check_added(added)
    cpu_s = series.value["cpu_s"]
    looks = series.value["looks"]
    return figures | {
        "cpu_s": cpu_s,
        "wall_s": series.value["wall_s"],
        "peak_memory_mb": series.peak_memory_mb,
        "compile_s": series.compile_s,
        "loading_cpu_s": series.cpu_s - cpu_s,
        "cpu_ns_per_pixel": cpu_s / (DATES * side**2) * 1e9,
        "added_date_cpu_s": added.value["cpu_s"],
        "added_date_ratio": added.value["cpu_s"] / (cpu_s / DATES),
        "added_date_peak_memory_mb": added.peak_memory_mb,
        "looks_reported": {
            name: looks[name]
            for name in (
                "of_one_acquisition",
                "window_pixels_effective",
                "predicted_white",
                "predicted",
                "measured",
            )
        },
        "seconds_by_step": series.value["seconds"],
        "side": side,
        "dates": DATES,
        "window": WINDOW,
        "memory_mb": arguments.memory_mb,
    }


def _parameters(side: int) -> dict[str, Any]:
    return {
        "side": side,
        "looks": LOOKS,
        "dates": DATES,
        "parcel": PARCEL,
        "targets": TARGET_SPACING,
        "changed": CHANGED_SHARE,
        "version": 1,
    }


def _measure(
    request: MultitemporalFilterRequest, small: MultitemporalFilterRequest, output: Path
) -> Measurement[dict[str, Any]]:
    with scratch_folder(output.parent) as scratch:
        return measure(_run, small, request, output, warm_up=(small, small, scratch))


def _request(folder: Path, dates: int, memory_mb: int) -> MultitemporalFilterRequest:
    return MultitemporalFilterRequest(
        series=tuple(folder / file_name(date) for date in range(dates)),
        window=WINDOW,
        archive="report",
        memory_mb=memory_mb,
    )


def _run(
    small: MultitemporalFilterRequest, request: MultitemporalFilterRequest, folder: Path
) -> dict[str, Any]:
    """Run the chain, after a small run that loads the compiled kernels."""
    with scratch_folder(folder.parent) as scratch:
        run_chain(small, scratch, Progress())
    wall, cpu = time.perf_counter(), time.process_time()
    report = run_chain(request, folder, Progress()).report
    return report | {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def _check_added(added: Measurement[dict[str, Any]]) -> None:
    written = sum(entry["written"] for entry in added.value["acquisitions"])
    if written != 1:
        raise AssertionError(f"the added date wrote {written} results")


def _against_truth(truth: Truth, folder: Path, results: Path) -> dict[str, Any]:
    """Find looks and bias inside parcels where all dates are valid, and targets."""
    looks, stable, changed, targets = [], [], [], [0.0]
    for date in _CHECKED:
        values: dict[bool, list[NDArray[np.float32]]] = {False: [], True: []}
        for band, ratio, selected, peaks in _compare(truth, folder, results, date):
            for is_changed in (False, True):
                inside = truth.interior(band, selected == is_changed)
                inside[:, : truth.side // 5 + WINDOW] = False
                values[is_changed].append(ratio[inside])
            targets += [float(p) for p in peaks]
        still = np.concatenate(values[False]).astype(np.float64)
        looks.append(still.mean() ** 2 / still.var())
        stable.append(_decibels(still.mean()))
        changed.append(_decibels(np.concatenate(values[True]).mean(dtype=np.float64)))
    expected = expected_looks(looks=LOOKS, images=DATES, window_pixels=WINDOW**2)
    return {
        "enl_relative_error": max(abs(value / expected - 1.0) for value in looks),
        "bias_db": max(map(abs, stable)),
        "changed_bias_db": max(map(abs, changed)),
        "target_peak_change_db": max(map(abs, targets)),
        "enl_expected": expected,
        "enl_found": looks,
    }


def _compare(
    truth: Truth, folder: Path, results: Path, date: int
) -> Iterator[tuple[Band, NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64]]]:
    """Give bands of the filtered date over its reflectivity, and its targets' changes [dB]."""
    name = file_name(date)
    before = RasterReader(folder / name)
    after = RasterReader(results / name.replace(".tif", "_filtered.tif"))
    _, changed = truth.parcels(date)
    for band in split_rows(truth.side, band_rows=_ROWS):
        reflectivity = truth.rows(date, band)
        filtered = after.read(*band)[0]
        rows, columns = truth.targets(band)
        peaks = np.empty(0)
        if rows.size:
            own = before.read(*band)[0][rows, columns]
            seen = own > 0.0
            peaks = 10.0 * np.log10(filtered[rows, columns][seen] / own[seen].astype(np.float64))
        ratio = np.divide(
            filtered, reflectivity, out=np.zeros_like(filtered), where=reflectivity > 0.0
        )
        yield band, ratio, changed, peaks


def _decibels(ratio: float) -> float:
    return float(10.0 * np.log10(ratio))
