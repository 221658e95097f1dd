"""The index of a datalake, a first and a second look and questions to it; and a download.

A tree of archives, each with the manifest of a SAFE, in folders of days; then the time of questions
by area, type and time, each with another area. Then one large file over the loopback, with its
checksum, beside curl and md5sum.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.catalogue_download import download_figures
from benchmarks.harness import say
from catalog.index import ProductIndex
from catalog.model import Box, Query
from catalog.scanning import scan

PRODUCTS = 100_000
QUESTIONS = 200
_PER_DAY = 100
_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" xmlns:gml="http://www.opengis.net/gml"
 xmlns:safe="http://www.esa.int/safe/sentinel-1.0"><safe:startTime>{start}</safe:startTime>
<safe:orbitNumber type="start">{orbit}</safe:orbitNumber>
<gml:coordinates>{corners}</gml:coordinates>
</xfdu:XFDU>"""


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure; see the module's docstring."""
    count = 2_000 if arguments.quick else PRODUCTS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "datalake"
        say(f"input: {count} archives")
        _make_tree(root, count)
        index = ProductIndex(Path(name) / "index.sqlite")
        say("first look")
        begin = time.perf_counter()
        report = scan(index, root)
        first_s = time.perf_counter() - begin
        assert report.added == count
        say("second look")
        begin, cpu = time.perf_counter(), time.process_time()
        report = scan(index, root)
        second_s, second_cpu_s = time.perf_counter() - begin, time.process_time() - cpu
        assert report.unchanged == count
        say("questions")
        times, found = _ask(index, QUESTIONS)
        size = (Path(name) / "index.sqlite").stat().st_size
        downloads = Path(name) / "downloads"
        downloads.mkdir()
        download = download_figures(downloads, quick=arguments.quick)
    return {
        "products": count,
        "first_scan_s": first_s,
        "first_scan_per_10000_s": first_s * 10_000 / count,
        "rescan_s": second_s,
        "rescan_per_10000_s": second_s * 10_000 / count,
        "rescan_cpu_per_10000_s": second_cpu_s * 10_000 / count,
        "query_median_ms": statistics.median(times),
        "query_p99_ms": statistics.quantiles(times, n=100)[98],
        "query_largest_ms": max(times),
        "query_median_results": statistics.median(found),
        "index_mb": size / 1e6,
        **download,
    }


def _ask(index: ProductIndex, count: int) -> tuple[list[float], list[int]]:
    drawn = random.Random(2)
    times, found = [], []
    for _ in range(count):
        west, south = drawn.uniform(-170.0, 160.0), drawn.uniform(-70.0, 60.0)
        begin_of_year = datetime(2015 + drawn.randrange(2), 1, 1, tzinfo=UTC)
        query = Query(
            area=Box(west, south, west + 5.0, south + 5.0),
            product_type=drawn.choice(["GRD", "SLC"]),
            start=begin_of_year,
            stop=begin_of_year + timedelta(days=365),
        )
        begin = time.perf_counter()
        found.append(len(index.find(query)))
        times.append(1e3 * (time.perf_counter() - begin))
    return times, found


def _make_tree(root: Path, count: int) -> None:
    drawn = random.Random(1)
    for number in range(count):
        day = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=number // _PER_DAY)
        start = day + timedelta(seconds=number % _PER_DAY * 600)
        stop = start + timedelta(seconds=25)
        orbit = 4000 + number // 10
        kind = ("GRDH", "SLC_")[number % 2]
        name = f"S1A_IW_{kind}_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_{orbit:06d}_000000"
        name += f"_{number % 65536:04X}"
        west, south = drawn.uniform(-180.0, 177.0), drawn.uniform(-80.0, 78.0)
        places = ((0.3, 0.0), (2.7, 0.4), (2.4, 1.9), (0.0, 1.5))
        corners = " ".join(f"{south + y:.6f},{west + x:.6f}" for x, y in places)
        folder = root / f"{start:%Y/%m/%d}/S1A"
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            text = _MANIFEST.format(start=start.isoformat(), orbit=orbit, corners=corners)
            archive.writestr(f"{name}.SAFE/manifest.safe", text)
