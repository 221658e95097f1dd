"""Runs on the folder of an earlier run, and what a run leaves that did not end well."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.artefacts import ChainResult
from kernels.chains.ortho_tiling import OrthoTilingRequest, run
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, ProcessingError
from kernels.products.raster import read_raster
from tests.detected_series import DetectedSeries, simulated_pass
from tests.products_out.limits import no_file_larger_than

KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from kernels.chains.ortho_tiling import run
from kernels.engine.progress import Progress

def report(share, step):
    if share > 0.6:
        os.kill(os.getpid(), signal.SIGKILL)

run(pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]), Progress.to(report))
"""


@pytest.fixture(scope="module")
def dates(tmp_path_factory: pytest.TempPathFactory) -> DetectedSeries:
    """Two small passes, 12 days apart."""
    return simulated_pass(tmp_path_factory.mktemp("dates"), lines=300, dates=2)


@pytest.fixture(scope="module")
def finished(
    dates: DetectedSeries, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ChainResult, Path]:
    """What a run gives that nothing disturbs, and its folder."""
    folder = tmp_path_factory.mktemp("finished")
    return run(wanted(dates), folder, Progress()), folder


def wanted(dates: DetectedSeries, **options: object) -> OrthoTilingRequest:
    return dates.request(**({"minimum_coverage": 0.1} | options))


def tiles(folder: Path) -> list[Path]:
    """Tiles that the folder shows, in order of time."""
    return sorted(folder.glob("s1*.tif"))


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """When each tile was written last, and as which file."""
    return {p.name: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tiles(folder)}


def copied(finished: tuple[ChainResult, Path], folder: Path) -> dict[str, tuple[int, int]]:
    """Put the tiles of a finished run, with their times, into a folder; as `written`."""
    shutil.copytree(finished[1], folder)
    return written(folder)


def assert_like_finished(finished: tuple[ChainResult, Path], folder: Path) -> None:
    assert [p.name for p in tiles(folder)] == [p.name for p in tiles(finished[1])]
    for found, expected in zip(tiles(folder), tiles(finished[1]), strict=True):
        np.testing.assert_array_equal(read_raster(found).array, read_raster(expected).array)


def kept(result: ChainResult) -> list[bool]:
    return [entry["kept_from_earlier_run"] for entry in result.report["tiles"]]


def test_a_second_run_writes_no_tile_again(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    before = copied(finished, tmp_path / "out")
    result = run(wanted(dates), tmp_path / "out", Progress())
    assert written(tmp_path / "out") == before
    assert kept(finished[0]) == [False, False]
    assert kept(result) == [True, True]
    for new, old in zip(result.report["tiles"], finished[0].report["tiles"], strict=True):
        assert {**new, "kept_from_earlier_run": False} == old
    for name in ("quicklook", "quicklook_map"):
        assert (
            result.artefact(name).path.read_bytes() == finished[0].artefact(name).path.read_bytes()
        )


def test_threads_memory_and_looks_of_the_result_make_no_tile_again(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    before = copied(finished, tmp_path / "out")
    options = {"threads": 1, "memory_mb": 300, "archive": "report", "polarisations": ("VV",)}
    run(wanted(dates, **options), tmp_path / "out", Progress())
    assert written(tmp_path / "out") == before


@pytest.mark.parametrize(
    "options",
    [
        {"calibration": "sigma"},
        {"remove_noise": True},
        {"interpolation": "nearest"},
        {"resolution": 120.0},
        {"compression": "DEFLATE"},
        {"decibels": True},
        {"dem_heights": "egm96"},
    ],
)
def test_another_request_makes_all_tiles_again(
    options: dict[str, object],
    finished: tuple[ChainResult, Path],
    dates: DetectedSeries,
    tmp_path: Path,
) -> None:
    before = copied(finished, tmp_path / "out")
    result = run(wanted(dates, **options), tmp_path / "out", Progress())
    assert kept(result) == [False, False]
    after = written(tmp_path / "out")
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before)


def test_another_elevation_model_makes_all_tiles_again(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    copied(finished, tmp_path / "out")
    dem = Path(shutil.copy(dates.dem, tmp_path / "other.tif"))
    assert kept(run(wanted(dates, dem=(dem,)), tmp_path / "out", Progress())) == [False, False]


def test_a_missing_and_a_damaged_tile_are_made_again_and_the_others_not(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"II*\0 no raster")):
        shutil.rmtree(folder, ignore_errors=True)
        before = copied(finished, folder)
        first, second = tiles(folder)
        spoil(second)
        assert kept(run(wanted(dates), folder, Progress())) == [True, False]
        assert written(folder)[first.name] == before[first.name]
        assert_like_finished(finished, folder)


def test_all_files_of_a_tile_are_needed(level_product: DetectedSeries, tmp_path: Path) -> None:
    run(level_product.request(), tmp_path, Progress())
    both = tiles(tmp_path)
    assert len(both) == 2
    both[1].unlink()
    assert kept(run(level_product.request(), tmp_path, Progress())) == [False]
    assert tiles(tmp_path) == both
    assert kept(run(level_product.request(polarisations=("VH",)), tmp_path, Progress())) == [True]


def test_a_killed_run_shows_only_what_is_complete_and_the_next_one_goes_on(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    folder, request = tmp_path / "out", tmp_path / "request"
    request.write_bytes(pickle.dumps(wanted(dates)))
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(request), str(folder)],
        check=False,
        env=os.environ | {"PYTHONPATH": str(root)},
        timeout=100,
    )
    assert done.returncode == -signal.SIGKILL
    (first,) = (path for path in folder.iterdir() if not path.name.startswith("."))
    assert first.name == tiles(finished[1])[0].name
    before = written(folder)
    result = run(wanted(dates), folder, Progress())
    assert kept(result) == [True, False]
    assert written(folder)[first.name] == before[first.name]
    assert_like_finished(finished, folder)


def test_cancelling_keeps_the_tiles_that_are_complete(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    stop = threading.Event()

    def report(share: float, _step: str) -> None:
        if share > 0.6:
            stop.set()

    with pytest.raises(Cancelled):
        run(wanted(dates), tmp_path, Progress(report, 0.0, 1.0, stop))
    assert [path.name for path in tmp_path.iterdir()] == [tiles(finished[1])[0].name]


def test_a_disk_that_fills_up_keeps_the_tiles_that_are_complete(
    finished: tuple[ChainResult, Path], dates: DetectedSeries, tmp_path: Path
) -> None:
    with ExitStack() as full:

        def report(share: float, _step: str) -> None:
            if share > 0.6:
                full.enter_context(no_file_larger_than(50_000))

        with pytest.raises(ProcessingError, match="is the disk full"):
            run(wanted(dates), tmp_path, Progress.to(report))
    assert [path.name for path in tmp_path.iterdir()] == [tiles(finished[1])[0].name]
    assert kept(run(wanted(dates), tmp_path, Progress())) == [True, False]
    assert_like_finished(finished, tmp_path)


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    dates: DetectedSeries, tmp_path: Path
) -> None:
    with no_file_larger_than(50_000), pytest.raises(ProcessingError) as caught:
        run(wanted(dates), tmp_path / "out", Progress())
    message = str(caught.value)
    assert message.startswith("s1a_40KCB_vv_DES_151_20260101t015959.tif could not be written")
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert not (tmp_path / "out").exists()


def test_every_file_of_a_tile_has_the_same_key(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    run(level_product.request(), tmp_path, Progress())
    keys = {gdal.Open(str(path)).GetMetadataItem("TILE_KEY") for path in tiles(tmp_path)}
    assert len(keys) == 1
