"""The demonstration: an inflating volcano, seen by two simulated Sentinel-1 acquisitions.

Simulates the pair, starts a server on a free port, runs `dinsar-pair` on it as any WPS client
would, downloads the results to ``demo/`` and compares the displacement with the truth. Exit code
0 if the root mean square error is at most 5 mm.
"""

from __future__ import annotations

import json
import math
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import requests
from osgeo import gdal
from tqdm import tqdm

from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.simulation import Demo, MogiSource, demo_scene, load_truth, simulate_demo
from processes.background import background_server, free_address
from processes.settings import CHECKOUT

sys.path.insert(0, str(CHECKOUT))  # a script finds its own folder, not the one around it

from examples.comparison import Comparison, FloatArray, compare, draw, unwrap
from examples.owslib_dinsar import JobError, run

FOLDER = CHECKOUT / "demo"
LARGEST_ERROR = 5.0
"""Root mean square [mm] above which the demonstration has failed."""
COHERENT = 0.6
"""Least coherence of the pixels that are unwrapped and compared."""
EARTH_RADIUS = 6_371_000.0


def simulate_pair(folder: Path) -> Demo:
    """Simulate both acquisitions and the terrain, with a bar."""
    with tqdm(total=100, bar_format="{percentage:3.0f}% |{bar:30}| {desc} [{elapsed}]") as bar:

        def show(share: float, step: str) -> None:
            bar.update(100 * share - bar.n)
            bar.set_description_str(f"simulating {step}", refresh=False)

        demo = simulate_demo(folder, progress=Progress.to(show))
        bar.update(100 - bar.n)
    return demo


def process(pair: Demo, folder: Path) -> dict[str, Path]:
    """Run `dinsar-pair` on a server of its own and download the results."""
    state = folder / "server"
    shutil.rmtree(state, ignore_errors=True)  # kept, with its log, after a failure
    configuration = folder / "pywps.cfg"
    configuration.write_text(
        "[fournaise]\n"
        f"listen_address = {free_address()}\n"
        f"state_folder = {state}\ndata_roots = {pair.reference.parent}\n",
        encoding="utf-8",
    )
    inputs = [
        ("reference", pair.reference.name),
        ("secondary", pair.secondary.name),
        ("dem", pair.dem.name),
        ("dem_heights", "ellipsoid"),
        ("unwrapping", "mcf"),
    ]
    with background_server(configuration) as url:
        print(f"server: {url}")
        files = run(url, "dinsar-pair", inputs, folder)
    shutil.rmtree(state)
    return files


def compare_with_truth(files: dict[str, Path], pair: Demo) -> Comparison:
    """Unwrap the displacement on the map and look it up where the truth is known."""
    raster: Any = gdal.Open(str(files["interferogram"]))
    bands = {
        raster.GetRasterBand(k).GetDescription(): raster.GetRasterBand(k).ReadAsArray()
        for k in range(1, raster.RasterCount + 1)
    }
    coherent = (bands["isData"] == 1) & (bands["coherency"] >= COHERENT)
    phase = unwrap(np.where(coherent, bands["phase"], 0.0).astype(float), coherent)
    report = json.loads(files["report"].read_text(encoding="utf-8"))
    longitude, latitude, range_change = truth_points(report["swaths"], pair.truth)
    (source,) = demo_scene().sources
    return compare(
        -report["wavelength_m"] / (4.0 * math.pi) * phase,
        raster.GetGeoTransform(),
        longitude=longitude,
        latitude=latitude,
        truth=-range_change,
        distance=distance(longitude, latitude, source),
    )


def truth_points(swaths: Sequence[dict[str, Any]], folder: Path) -> tuple[FloatArray, ...]:
    """Longitude, latitude [degrees], lengthening of the range [m] outside layover and shadow."""
    points = []
    for swath in swaths:
        for burst in swath["bursts"]:
            truth = load_truth(folder, swath=swath["swath"], burst=burst["reference"] - 1)
            clear = truth.mask[np.ix_(truth.lines, truth.samples)] == 0
            values = (truth.longitude, truth.latitude, truth.range_change)
            points.append([value[clear] for value in values])
    return tuple(np.concatenate(parts) for parts in zip(*points, strict=True))


def distance(longitude: FloatArray, latitude: FloatArray, source: MogiSource) -> FloatArray:
    """Distance from the source along the ground [m], for some tens of kilometres."""
    north = EARTH_RADIUS * np.radians(latitude - source.latitude)
    east = EARTH_RADIUS * np.radians(longitude - source.longitude)
    return np.asarray(np.hypot(north, east * math.cos(math.radians(source.latitude))))


def run_demo(folder: Path) -> bool:
    """Simulate, process, compare, draw; tells whether the result is good enough."""
    folder.mkdir(exist_ok=True)
    pair = simulate_pair(folder / "scene")
    files = process(pair, folder)
    comparison = compare_with_truth(files, pair)
    picture = folder / "comparison.png"
    recovered, true = comparison.peaks
    error = comparison.rms_error
    draw(
        comparison,
        picture,
        title=f"Inflating volcano, simulated: peak {true:.1f} mm, RMS error {error:.2f} mm",
    )
    print(f"peak displacement towards the satellite: {recovered:.1f} mm, truth {true:.1f} mm")
    print(
        f"RMS error: {error:.2f} mm (at most {LARGEST_ERROR} mm), at {comparison.truth.size} "
        "coherent points outside layover and shadow"
    )
    names = ("phase_picture", "coherence_picture", "displacement_picture")
    for path in (*(files[name] for name in names), picture):
        print(f"picture: {path}")
    print(f"results: {folder}")
    return error <= LARGEST_ERROR


def stop(number: int, _frame: FrameType | None) -> None:
    """End as after Ctrl-C: through every `finally` on the way."""
    sys.exit(128 + number)


def main() -> int:
    """Run the demonstration; a failure is one line."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        good = run_demo(FOLDER)
    except (FournaiseError, JobError, requests.RequestException, OSError, ValueError) as error:
        print(f"the demonstration failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("the demonstration was interrupted", file=sys.stderr)
        return 130
    if not good:
        print("the demonstration failed: the error is too large", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
