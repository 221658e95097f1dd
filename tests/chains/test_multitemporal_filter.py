"""A series of files: filtered in one go, date by date, after a kill, and refused when spoilt."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from osgeo import gdal

from kernels.chains.artefacts import ChainResult
from kernels.chains.multitemporal_filter import CHAIN, MultitemporalFilterRequest, run
from kernels.chains.multitemporal_filter.names import describe, filtered_name
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError, InputError, ProcessingError, RequestError
from kernels.model import MapGrid, Shape
from kernels.products.raster import create_raster, read_raster
from kernels.radiometry.multitemporal import add_ratios, no_sums, quegan_yu
from tests.products_out.limits import no_file_larger_than

Image = NDArray[np.float32]
SHAPE = Shape(300, 270)
LOOKS = 4.4
STATE = "31TGL_vv_DES_139_state.tif"


def grid(**changed: Any) -> MapGrid:
    values = {"crs": "EPSG:32631", "west": 6e5, "north": 4_900_020.0, "shape": SHAPE}
    return MapGrid(x_spacing=10.0, y_spacing=10.0, **(values | changed))


def name(date: int, *, polarisation: str = "vv", orbit: int = 139) -> str:
    return (
        f"s1{'ab'[date % 2]}_31TGL_{polarisation}_DES_{orbit:03d}_201807{date + 1:02d}t060000.tif"
    )


def result(date: int) -> str:
    return name(date).replace(".tif", "_filtered.tif")


def image(date: int) -> Image:
    """Speckle whose footprint differs from date to date."""
    values = np.random.default_rng(date).gamma(LOOKS, 1 / LOOKS, SHAPE).astype(np.float32)
    values[:, : 9 * (date % 5)] = 0.0
    return values


def write(path: Path, values: Image, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"grid": grid(), "nodata": 0.0, "compression": "ZSTD"} | how
    with create_raster(path, Shape(*values.shape), ("intensity",), **options) as writer:
        writer.write(0, values[None])
    return path


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "series" / name(date), image(date)) for date in range(6)]


def go(output: Path, *paths: Path, **options: Any) -> ChainResult:
    values = {"series": paths, "threads": 2, "archive": "report"} | options
    return run(MultitemporalFilterRequest(**values), output, Progress())


def written(done: ChainResult) -> list[bool]:
    return [entry["written"] for entry in done.report["acquisitions"]]


def pixels(path: Path) -> Image:
    return read_raster(path).array


def counts(state: Path) -> NDArray[np.unsignedinteger[Any]]:
    return np.asarray(gdal.Open(f"GTIFF_DIR:2:{state}").ReadAsArray())


def reference(images: list[Image]) -> list[Image]:
    """The filter on whole arrays."""
    core, sums = Band(0, SHAPE.lines), no_sums(SHAPE)
    means = [add_ratios(one, sums, window=7, core=core) for one in images]
    return [quegan_yu(i, m, sums, core=core) for i, m in zip(images, means, strict=True)]


def test_the_files_hold_the_filter_on_whole_arrays(series: list[Path], tmp_path: Path) -> None:
    done = go(tmp_path / "out", tmp_path / "series", archive="all")
    for date, expected in enumerate(reference([image(date) for date in range(6)])):
        raster = read_raster(tmp_path / "out" / result(date))
        np.testing.assert_array_equal(raster.array[0], expected)
        assert raster.grid == grid()
    assert [a.name for a in done.artefacts] == [o.name for o in CHAIN.outputs]
    assert all(a.path.is_file() for a in done.artefacts)
    assert done.artefact("filtered").path.name == result(5)
    with zipfile.ZipFile(done.artefact("filtered_series").path) as archive:
        assert archive.namelist() == ["report.json", *sorted(result(d) for d in range(6))]
    valid = np.stack([image(date) > 0.0 for date in range(6)]).sum(axis=0)
    np.testing.assert_array_equal(counts(done.artefact("state").path), valid)


@pytest.mark.parametrize("method", ["quegan", "ratio", "lee"])
def test_memory_and_threads_change_no_bit(
    method: str, series: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(tmp_path / "one", *series, method=method, threads=1, looks=LOOKS)
    # rows of a band and acquisitions of a group as if a budget of 200 MB were 1.3 MB
    monkeypatch.setattr(
        "kernels.chains.multitemporal_filter.passes.MEGABYTE",
        1e6 * (1.3 if method == "quegan" else 6) / 200,
    )
    done = go(tmp_path / "two", *series, method=method, threads=2, looks=LOOKS, memory_mb=200)
    assert written(done) == [True] * 6
    for file in (*map(result, range(6)), STATE):
        np.testing.assert_array_equal(
            pixels(tmp_path / "one" / file), pixels(tmp_path / "two" / file)
        )
    np.testing.assert_array_equal(
        counts(tmp_path / "one" / STATE), counts(tmp_path / "two" / STATE)
    )


def test_one_date_more_gives_the_state_of_all_and_leaves_the_earlier_results(
    series: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    go(out, *series[:5])
    before = {file: (out / file).read_bytes() for file in map(result, range(5))}
    for path in series[:5]:
        path.unlink()
    go(tmp_path / "added", series[5], state=out / STATE)
    expected = reference([image(date) for date in range(6)])
    np.testing.assert_array_equal(pixels(tmp_path / "added" / result(5))[0], expected[5])
    for date, path in enumerate(series[:5]):
        write(path, image(date))
    go(tmp_path / "batch", *series)
    np.testing.assert_array_equal(
        pixels(tmp_path / "added" / STATE), pixels(tmp_path / "batch" / STATE)
    )
    np.testing.assert_array_equal(
        counts(tmp_path / "added" / STATE), counts(tmp_path / "batch" / STATE)
    )
    assert all((out / file).read_bytes() == content for file, content in before.items())


def test_a_second_run_does_only_what_is_missing(series: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    go(out, *series[:5])
    assert written(go(out, *series[:5])) == [False] * 5
    (out / result(2)).unlink()
    assert written(go(out, *series[:5])) == [False, False, True, False, False]
    more = go(out, *series)
    assert written(more) == [False] * 5 + [True]
    assert [entry["images"] for entry in more.report["acquisitions"]] == [5] * 5 + [6]
    assert written(go(out, *series, refilter=True)) == [True] * 5 + [False]
    expected = reference([image(date) for date in range(6)])
    for date in range(6):
        np.testing.assert_array_equal(pixels(out / result(date))[0], expected[date])


def test_another_window_or_a_changed_file_is_filtered_anew(
    series: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    go(out, *series)
    assert written(go(out, *series, window=5)) == [True] * 6
    write(series[0], image(40))
    later = time.time() + 5
    os.utime(series[0], (later, later))
    assert written(go(out, *series, window=5)) == [True] * 6
    assert written(go(out, *series[1:], window=5)) == [True] * 5  # the state held one too many


def test_a_killed_run_leaves_nothing_that_looks_complete(
    series: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    program = f"""
from pathlib import Path
import os, signal
from kernels.chains.multitemporal_filter import MultitemporalFilterRequest, run
from kernels.engine.progress import Progress
def report(share, step):
    if step == "filter" and share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
request = MultitemporalFilterRequest(series=(Path({str(tmp_path / "series")!r}),))
run(request, Path({str(out)!r}), Progress.to(report))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path.cwd(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path for path in out.iterdir() if not path.name.startswith(".")] == []
    assert written(go(out, *series)) == [True] * 6


def test_looks_are_predicted_and_measured(tmp_path: Path) -> None:
    paths = []
    for date in range(16):
        values = np.random.default_rng(date).gamma(LOOKS, 1 / LOOKS, (600, 600))
        where = grid(shape=Shape(600, 600))
        paths.append(write(tmp_path / name(date), values.astype(np.float32), grid=where))
    looks = go(tmp_path / "out", *paths).report["looks"]
    expected = LOOKS * 16 * 49 / (16 + 49 - 1)
    assert looks["of_one_acquisition"] == pytest.approx(LOOKS, rel=0.03)
    assert looks["predicted_white"] == pytest.approx(expected, rel=0.03)
    assert looks["predicted"] == pytest.approx(expected, rel=0.05)
    assert looks["measured"] == pytest.approx(expected, rel=0.07)


def test_few_dates_are_warned_of(series: list[Path], tmp_path: Path) -> None:
    report = go(tmp_path / "out", *series).report
    assert len(report["warnings"]) == 1
    assert "only 6 acquisitions: 15 or more are advised" in report["warnings"][0]
    assert json.loads((tmp_path / "out/report.json").read_text())["warnings"] == report["warnings"]


def test_a_folder_with_both_polarisations_asks_which(series: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "series" / name(0, polarisation="vh"), image(50))
    write(tmp_path / "series" / name(1, polarisation="vh"), image(51))
    with pytest.raises(RequestError, match="polarisation must be chosen among VH, VV"):
        go(tmp_path / "out", tmp_path / "series")
    done = go(tmp_path / "out", tmp_path / "series", polarisation="VH")
    assert len(done.report["acquisitions"]) == 2


def test_bands_of_a_pair_are_told_apart_by_the_name(tmp_path: Path) -> None:
    both = np.stack([image(0), image(1)])
    path = tmp_path / "s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif"
    tags = {"POLARIZATION": "VV VH"}
    with create_raster(path, SHAPE, ("vv", "vh"), grid=grid(), nodata=0.0, tags=tags) as writer:
        writer.write(0, both)
    go(tmp_path / "out", path, polarisation="VH")
    filtered = tmp_path / "out/s1b_sig_31TGL_vh_DES_139_20180720txxxxxx_filtered.tif"
    np.testing.assert_allclose(pixels(filtered)[0], both[1], rtol=1e-5)  # one date: as it is
    assert gdal.Open(str(filtered)).GetMetadataItem("POLARIZATION") == "VH"


def test_tags_win_over_names() -> None:
    tags = {
        "RELATIVE_ORBIT_NUMBER": "037",
        "POLARIZATION": "vh",
        "ACQUISITION_DATETIME": "2020:01:08T04:41:50Z",
    }
    for file in (name(0), "anything.tif"):
        found = describe(Path(file), tags)
        assert (found.relative_orbit, found.polarisations) == (37, ("VH",))
        assert found.time == "20200108044150"
    joined = describe(Path("s1b_sig_31TGL_vvvh_ASC_139_20180720txxxxxx.tif"), {})
    assert joined == (("VV", "VH"), 139, "20180720", "31TGL", "ASC", "")
    assert filtered_name(Path("s1b_31TGL_vvvh_ASC.tif"), "VV") == "s1b_31TGL_vv_ASC_filtered.tif"


def another_orbit(paths: list[Path], folder: Path) -> dict[str, Any]:
    return {"series": (*paths, write(folder / name(7, orbit=37), image(7)))}


def another_grid(paths: list[Path], folder: Path) -> dict[str, Any]:
    moved = grid(west=6e5 + 10.0)
    return {"series": (*paths, write(folder / name(7), image(7), grid=moved))}


def another_shape(paths: list[Path], folder: Path) -> dict[str, Any]:
    where = grid(shape=Shape(300, 200))
    return {"series": (*paths, write(folder / name(7), image(7)[:, :200], grid=where))}


def another_calibration(paths: list[Path], folder: Path) -> dict[str, Any]:
    tags = {"CALIBRATION": "sigma"}
    return {"series": (*paths, write(folder / name(7), image(7), tags=tags))}


def no_dates(_: list[Path], folder: Path) -> dict[str, Any]:
    (folder / "empty").mkdir()
    return {"series": (folder / "empty",)}


def no_tiff(paths: list[Path], folder: Path) -> dict[str, Any]:
    (folder / name(7)).write_text("no picture")
    return {"series": (*paths, folder / name(7))}


def truncated(paths: list[Path], folder: Path) -> dict[str, Any]:
    path = Path(shutil.copy(paths[3], folder / name(7)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return {"series": (*paths, path)}


def damaged_tile(paths: list[Path], folder: Path) -> dict[str, Any]:
    path = Path(shutil.copy(paths[3], folder / name(7)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(content)
    return {"series": (*paths, path)}


def nameless(paths: list[Path], folder: Path) -> dict[str, Any]:
    return {"series": (*paths, write(folder / "picture.tif", image(7)))}


def decibels(paths: list[Path], folder: Path) -> dict[str, Any]:
    values = (10.0 * np.log10(image(5)) - 12.0).astype(np.float32)
    return {"series": (*paths[:5], write(folder / name(7), values))}


def empty_date(paths: list[Path], folder: Path) -> dict[str, Any]:
    return {"series": (write(folder / name(7), 0.0 * image(0)), *paths)}


def same_twice(paths: list[Path], _: Path) -> dict[str, Any]:
    return {"series": (*paths, paths[0])}


def state_of_another_window(paths: list[Path], folder: Path) -> dict[str, Any]:
    go(folder / "before", *paths[:2], window=5)
    return {"series": tuple(paths), "state": folder / "before" / STATE}


def no_state(paths: list[Path], _: Path) -> dict[str, Any]:
    return {"series": tuple(paths), "state": paths[0]}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (another_orbit, r"series must be of one relative orbit, got 139 of .* and 37 of s1b_31TGL"),
        (another_grid, "series must be of one geotransform"),
        (another_shape, "series must be of one shape"),
        (another_calibration, "series must be of one calibration"),
        (no_dates, "series must hold at least one acquisition, got none in empty"),
        (no_tiff, name(7)),
        (truncated, f"{name(7)} cannot be read"),
        (damaged_tile, f"{name(7)} cannot be read"),
        (nameless, "picture.tif must tell its polarisation"),
        (decibels, "not decibels"),
        (empty_date, f"{name(7)} holds no measurement"),
        (same_twice, "series must be files of different names"),
        (state_of_another_window, f"{STATE} must be of FILTER_STATE pixel over 7 x 7 mean"),
        (no_state, "must be a state written by multitemporal-filter"),
    ],
)
def test_one_clear_line_and_nothing_left(
    spoil: Callable[[list[Path], Path], dict[str, Any]],
    message: str,
    series: list[Path],
    tmp_path: Path,
) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    options = spoil(series, inputs)
    with pytest.raises(FournaiseError, match=message) as caught:
        go(tmp_path / "out", *options.pop("series"), **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(series: list[Path], tmp_path: Path) -> None:
    with no_file_larger_than(200_000), pytest.raises(ProcessingError, match="is the disk full"):
        go(tmp_path / "out", *series)
    assert not (tmp_path / "out").exists()


def test_the_profile_of_the_files_is_kept(tmp_path: Path) -> None:
    tags = {"CALIBRATION": "gamma", "INPUT_S1_IMAGES": "S1A_X"}
    values = image(3)
    values[values == 0.0] = -9999.0
    path = write(tmp_path / name(3), values, nodata=-9999.0, compression="DEFLATE", tags=tags)
    go(tmp_path / "out", path, write(tmp_path / name(2), image(2), tags=tags))
    dataset = gdal.Open(str(tmp_path / "out" / result(3)))
    assert dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") == "DEFLATE"
    assert dataset.GetRasterBand(1).GetDescription() == "vv"
    assert dataset.GetRasterBand(1).GetNoDataValue() == -9999.0
    assert dataset.GetRasterBand(1).ReadAsArray()[0, 0] == -9999.0
    found = dataset.GetMetadata()
    assert tags.items() <= found.items()
    assert (found["FILTER"], found["FILTER_WINDOW"], found["FILTER_IMAGES"]) == (
        "quegan",
        "7 x 7",
        "2",
    )


def test_a_window_must_be_odd(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="window must be odd, got 4"):
        MultitemporalFilterRequest(series=(tmp_path,), window=4)


def test_a_small_image_has_no_looks_of_its_own(tmp_path: Path) -> None:
    where = grid(shape=Shape(20, 20))
    path = write(tmp_path / name(0), image(0)[:20, :20], grid=where)
    done = go(tmp_path / "out", path)
    assert done.report["looks"]["measured"] is None
    with pytest.raises(RequestError, match="looks must be given"):
        go(tmp_path / "lee", path, method="lee")
    go(tmp_path / "lee", path, method="lee", looks=LOOKS)


def test_missing_products_are_inputs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.tif"):
        go(tmp_path / "out", tmp_path / "absent.tif")


def test_the_quicklook_shows_where_the_data_is(tmp_path: Path) -> None:
    """Data in a corner of a large file: no black pixel in either panel."""
    for date in range(2):
        values = np.zeros((1200, 1000), np.float32)
        values[:500, -450:] = np.random.default_rng(date).gamma(LOOKS, 1 / LOOKS, (500, 450))
        write(tmp_path / "series" / name(date), values, grid=grid(shape=Shape(*values.shape)))
    done = go(tmp_path / "out", tmp_path / "series")
    picture = gdal.Open(str(done.artefact("picture").path)).ReadAsArray()
    assert picture.shape == (400, 810)
    assert picture.min() > 0
