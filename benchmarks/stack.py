"""A coregistered series, its network and the motion out of it, against the truth, and its cost.

Twelve dates of two IW1 bursts over the Alps (or of a simulated track where the real annotation is
missing, and with --quick), see `stack_input`. Three parts: `accuracy` runs `multislc-series` with a
small baseline network and unwrapping, and `insar-timeseries` on its files; `cost` coregisters 5, 10
and 20 dates of one burst; `saving` makes ten pairs from a stack, and each as a
`dinsar-pair` of its own. Mpx are pixels of the reference's bursts; cost per valid Mpx is told
beside.
"""

from __future__ import annotations

import argparse
import shutil
import zipfile
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import say
from benchmarks.measuring import Measurement, compiled_kernels, measure
from benchmarks.stack_errors import Layers, closure_figures, motion_figures, shift_figures
from benchmarks.stack_input import StackInput, alps_stack, further_dates, has_alps, track_stack
from kernels.chains.dinsar_pair import DinsarPairRequest
from kernels.chains.dinsar_pair import run as run_pair
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.chains.insar_timeseries import InsarTimeseriesRequest
from kernels.chains.insar_timeseries.run import run as run_timeseries
from kernels.chains.multislc_series import MultislcSeriesRequest
from kernels.chains.multislc_series.run import run as run_series
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from kernels.insar.networks import Pair, small_baseline
from kernels.model import Looks
from kernels.products.sentinel1 import open_sentinel1

PARTS = ("accuracy", "cost", "saving")
LOOKS = Looks(azimuth=4, range=16)
SPACING = 0.0005
"""Of maps [degrees]: about a cell of so many looks."""
LARGEST_DAYS, LARGEST_BASELINE = 120, 225.0
COUNTS = (5, 10, 20)
PAIRS = 10


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own options."""
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="only this one (may be given repeatedly)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the results of accuracy")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts."""
    quick = arguments.quick
    is_real = not quick and has_alps(arguments.shared)
    stack = alps_stack(arguments.shared) if is_real else track_stack(quick=quick)
    parts = arguments.part or PARTS
    mpx, valid_mpx = megapixels(stack, stack.bursts)
    figures: dict[str, Any] = {
        "input": "alps" if is_real else "track",
        "dates": len(stack.dates),
        "mpx": mpx,
        "valid_mpx": valid_mpx,
        "azimuth_looks": LOOKS.azimuth,
        "range_looks": LOOKS.range,
    }
    with compiled_kernels(), scratch_folder(stack.folder.parent) as scratch:
        say("compiling")
        small = track_stack(quick=True)
        warm = measure(_both, series_request(small, unwrapping="mcf"), scratch / "warm_up")
        figures["compile_s"] = warm.wall_s
        if "accuracy" in parts:
            figures |= _accuracy(stack, arguments.keep or scratch / "accuracy")
        if "cost" in parts:
            figures |= _cost(stack, scratch / "cost")
        if "saving" in parts:
            figures |= _saving(stack, scratch / "saving")
    peaks = [value for name, value in figures.items() if name.endswith("peak_memory_mb")]
    return figures | ({"peak_memory_mb": max(peaks)} if peaks else {})


def series_request(
    stack: StackInput, products: tuple[Path, ...] = (), **options: Any
) -> MultislcSeriesRequest:
    """Ask for a series of some products of a stack, on the date that its truth is for."""
    products = products or stack.products
    days = sorted(product.name.split("_")[5][:8] for product in products)
    values: dict[str, Any] = {
        "products": products,
        "first_day": days[0],
        "last_day": days[-1],
        "reference": stack.days[stack.reference],
        "dem": (stack.dem,),
        "dem_heights": "ellipsoid",
        "swaths": ("IW1",),
        "first_burst": stack.bursts[0] + 1,
        "last_burst": stack.bursts[-1] + 1,
        "azimuth_looks": LOOKS.azimuth,
        "range_looks": LOOKS.range,
        "network": "small_baseline",
        "largest_days": LARGEST_DAYS,
        "largest_baseline": LARGEST_BASELINE,
        "spacing": SPACING,
    }
    return MultislcSeriesRequest(**(values | options))


def megapixels(stack: StackInput, bursts: tuple[int, ...]) -> tuple[float, float]:
    """Count the pixels of some bursts of the reference, and those that are valid [1e6]."""
    product = open_sentinel1(stack.products[stack.reference])
    image = product.slc("IW1", "VV", need_pixels=False)
    total, valid = 0, 0
    for number in bursts:
        burst = image.bursts[number]
        known = burst.first_valid_sample >= 0
        total += burst.grid.shape.lines * burst.grid.shape.samples
        valid += int((burst.last_valid_sample - burst.first_valid_sample + 1)[known].sum())
    return total / 1e6, valid / 1e6


def _accuracy(stack: StackInput, folder: Path) -> dict[str, Any]:
    """Run both chains and compare with the truth."""
    say("accuracy: the series")
    shutil.rmtree(folder, ignore_errors=True)
    request = series_request(stack, unwrapping="mcf", store=folder / "store")
    series = measure(_series, request, folder / "series")
    say("accuracy: the time series")
    motion = measure(_timeseries, folder / "series", folder / "motion")
    with zipfile.ZipFile(folder / "motion" / "mintpy.zip") as archive:
        archive.extractall(folder / "mintpy")
    products = (stack.products[stack.reference],)
    other = stack.products[0 if stack.reference else 1]
    (pair,) = open_pair(request.pair(products, (other,)), need_pixels=False)
    rasters = _rasters(folder / "store", stack)
    report = series.value
    return {
        **motion_figures(stack, pair, Layers.of(folder / "mintpy")),
        **shift_figures(stack, report["spectral_diversity"]["shifts_lines"]),
        **closure_figures(rasters[:3]),
        "pairs": len(report["network"]["pairs"]),
        **_taken("series", series),
        **_taken("timeseries", motion),
        "series_seconds_by_step": report["seconds"],
    }


def _cost(stack: StackInput, folder: Path) -> dict[str, Any]:
    """Coregister more and more dates of the last burst."""
    burst = stack.bursts[-1]
    mpx, valid_mpx = megapixels(stack, (burst,))
    figures: dict[str, Any] = {"cost_mpx": mpx, "cost_valid_mpx": valid_mpx}
    seconds = []
    with scratch_folder(stack.folder) as scratch:
        products = [*stack.products, *further_dates(stack, scratch, COUNTS[-1])]
        nearest = sorted(
            range(len(products)), key=lambda k: (k >= len(stack.products), abs(k - stack.reference))
        )
        for count in COUNTS:
            say(f"cost: {count} dates")
            chosen = tuple(products[k] for k in nearest[:count])
            request = series_request(
                stack, chosen, interferograms=False, first_burst=burst + 1, last_burst=burst + 1
            )
            taken = measure(_series, request, folder / str(count))
            shutil.rmtree(folder)
            seconds.append(taken.cpu_s)
            figures |= {
                f"dates_{count}_cpu_s_per_mpx_date": taken.cpu_s / (count * mpx),
                f"dates_{count}_peak_memory_mb": taken.peak_memory_mb,
            }
    slope, constant = np.polyfit(COUNTS, seconds, 1)
    return figures | {
        "cpu_s_per_mpx_date": float(slope) / mpx,
        "cpu_s_per_valid_mpx_date": float(slope) / valid_mpx,
        "cpu_s_per_mpx_once": float(constant) / mpx,
    }


def _saving(stack: StackInput, folder: Path) -> dict[str, Any]:
    """Make ten pairs from the stack, and one by one: all of five dates, and of a sparse network."""
    days = [date.fromisoformat(text) for text in stack.days]
    sparse = small_baseline(
        days,
        [one.baseline for one in stack.dates],
        largest_days=LARGEST_DAYS,
        largest_baseline=LARGEST_BASELINE,
    )[:PAIRS]
    count = len(stack.products)
    first = min(max(stack.reference - 2, 0), max(count - 5, 0))
    dense = tuple(combinations(range(first, min(first + 5, count)), 2))
    return _saved("saving", dense, stack, folder) | _saved("sparse_saving", sparse, stack, folder)


def _saved(name: str, network: Sequence[Pair], stack: StackInput, folder: Path) -> dict[str, Any]:
    """Make the pairs of a network together, and each alone."""
    dates = sorted({k for pair in network for k in pair} | {stack.reference})
    names = tuple(f"{stack.days[a]}_{stack.days[b]}" for a, b in network)
    say(f"{name}: {len(network)} pairs of {len(dates)} dates from a stack")
    request = series_request(
        stack, tuple(stack.products[k] for k in dates), network="list", pairs=names
    )
    together = measure(_series, request, folder / "stack")
    shutil.rmtree(folder / "stack")
    alone = 0.0
    for number, (a, b) in enumerate(network):
        say(f"{name}: pair {number + 1} of {len(network)} alone")
        pair = request.pair((stack.products[a],), (stack.products[b],))
        taken = measure(_pair, pair, folder / f"pair{number}")
        shutil.rmtree(folder / f"pair{number}")
        alone += taken.cpu_s
    return {
        f"{name}_pairs": len(network),
        f"{name}_dates": len(dates),
        f"{name}_ratio": alone / together.cpu_s,
        f"{name}_pairs_alone_cpu_s": alone,
        f"{name}_seconds_by_step": together.value["seconds"],
        **_taken(f"{name}_of_stack", together),
    }


def _rasters(folder: Path, stack: StackInput) -> list[Path]:
    """Coregistered images in order of time."""
    found = {day: next(iter(folder.glob(f"*/{day}/slc_iw1.tif"))) for day in stack.days}
    return [found[day] for day in stack.days]


def _taken(name: str, taken: Measurement[Any]) -> dict[str, float]:
    return {
        f"{name}_wall_s": taken.wall_s,
        f"{name}_cpu_s": taken.cpu_s,
        f"{name}_peak_memory_mb": taken.peak_memory_mb,
    }


def _series(request: MultislcSeriesRequest, folder: Path) -> dict[str, Any]:
    return run_series(request, folder, Progress()).report


def _pair(request: DinsarPairRequest, folder: Path) -> dict[str, Any]:
    return run_pair(request, folder, Progress()).report


def _timeseries(series: Path, folder: Path) -> dict[str, Any]:
    request = InsarTimeseriesRequest(
        interferograms=series / "ifgramStack.h5",
        geometry=series / "geometryRadar.h5",
        atmosphere="plane_height",
    )
    return run_timeseries(request, folder, Progress()).report


def _both(request: MultislcSeriesRequest, folder: Path) -> None:
    _series(request, folder / "series")
    _timeseries(folder / "series", folder / "motion")
