"""A series of tiles: which passes, the same pixels as the single processes, one day more."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains import multitemporal_filter, ortho_tiling
from kernels.chains.artefacts import ChainResult
from kernels.chains.tiling_series import CHAIN, TilingSeriesRequest, run
from kernels.engine.progress import Progress
from kernels.errors import (
    Cancelled,
    FournaiseError,
    ProcessingError,
    ProductError,
    RequestError,
)
from kernels.geometry.mgrs import tile_grid
from kernels.products.raster import read_raster
from kernels.simulation import Track
from tests.detected_series import DetectedSeries
from tests.products_out.limits import no_file_larger_than
from tests.tile_lake import CENTRE, DAYS, ORBIT, TILES, TileLake, simulated_dates

STEM = "s1a_{tile}_vv_DES_151_{day}t015959"


def go(request: TilingSeriesRequest, folder: Path) -> ChainResult:
    return run(request, folder, Progress())


def place(tile: str, day: str, ending: str = "") -> str:
    """Where a file belongs, relative to the output folder."""
    stem = STEM.format(tile=tile, day=day.replace("-", ""))
    return f"S1-L1-ORTHO/{tile}/{day.replace('-', '/')}/{stem}{ending}.tif"


def tiffs(folder: Path) -> set[str]:
    """Tiles and filtered tiles of a folder; the states are left out."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.tif")}
    return {name for name in found if not name.endswith("_state.tif")}


def pixels(path: Path) -> NDArray[np.float32]:
    return read_raster(path).array


def days(result: ChainResult, number: int = 0) -> list[str]:
    return [entry["day"] for entry in result.report["series"][number]["acquisitions"]]


@pytest.fixture(scope="module")
def whole(
    tile_lake: TileLake, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ChainResult, Path]:
    """Both tiles, the three days in the middle; both ends of the window are acquisitions."""
    folder = tmp_path_factory.mktemp("whole")
    request = tile_lake.request(tiles=TILES, first_day=DAYS[1], last_day=DAYS[3])
    return go(request, folder), folder


def test_the_days_of_the_window_are_made_with_both_ends(whole: tuple[ChainResult, Path]) -> None:
    result, folder = whole
    expected = {
        place(tile, day, ending)
        for tile in TILES
        for day in DAYS[1:4]
        for ending in ("", "_filtered")
    }
    assert tiffs(folder) == expected
    assert [entry["tile"] for entry in result.report["series"]] == list(TILES)
    assert days(result) == days(result, 1) == list(DAYS[1:4])


def test_the_pixels_are_those_of_the_single_processes(
    whole: tuple[ChainResult, Path], tile_lake: TileLake, tmp_path: Path
) -> None:
    _, folder = whole
    tiling = tile_lake.request().tiling(products=tile_lake.products[1:2], tiles=TILES[1:])
    single = ortho_tiling.run(tiling, tmp_path / "ortho", Progress())
    made = read_raster(folder / place(TILES[1], DAYS[1]))
    np.testing.assert_array_equal(made.array, pixels(single.artefact("first_tile").path))
    assert made.grid == tile_grid(TILES[1], 300.0)
    sources = tuple(folder / place(TILES[1], day) for day in DAYS[1:4])
    request = multitemporal_filter.MultitemporalFilterRequest(series=sources)
    multitemporal_filter.run(request, tmp_path / "filter", Progress())
    for day, source in zip(DAYS[1:4], sources, strict=True):
        filtered = pixels(folder / place(TILES[1], day, "_filtered"))
        alone = pixels(tmp_path / "filter" / f"{source.stem}_filtered.tif")
        np.testing.assert_array_equal(filtered, alone)


def test_everything_promised_is_there(whole: tuple[ChainResult, Path], tile_lake: TileLake) -> None:
    result, folder = whole
    assert [a.name for a in result.artefacts] == [o.name for o in CHAIN.outputs]
    assert all(artefact.path.is_file() for artefact in result.artefacts)
    with zipfile.ZipFile(result.artefact("series").path) as archive:
        assert set(archive.namelist()) == tiffs(folder) | {"report.json"}
    report = json.loads(result.artefact("report").path.read_text())
    assert report == result.report
    assert str(tile_lake.folder) not in json.dumps(report)
    assert report["left_out"] == []
    assert len(report["warnings"]) == 2
    assert "40KCB VV, relative orbit 151: only 3 acquisitions: 15 or more" in report["warnings"][0]
    last = [(one["acquisitions"][-1]["covered"], one["tile"]) for one in report["series"]]
    newest = max(last)[1]
    expected = folder / place(newest, DAYS[3], "_filtered")
    assert result.artefact("newest_tile").path == expected
    assert result.artefact("quicklook").path.read_bytes().startswith(b"\x89PNG")
    assert not list(folder.rglob(".*"))


def test_one_day_more_touches_nothing_else(tile_lake: TileLake, tmp_path: Path) -> None:
    first = go(tile_lake.request(last_day="2026-02-17"), tmp_path)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in tiffs(tmp_path)}
    assert days(first) == list(DAYS[:4])
    second = go(tile_lake.request(), tmp_path)
    assert days(second) == list(DAYS)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in before} == before
    added = {place(TILES[0], DAYS[4]), place(TILES[0], DAYS[4], "_filtered")}
    assert tiffs(tmp_path) - set(before) == added
    entries = second.report["series"][0]["acquisitions"]
    assert [entry["tile_written"] for entry in entries] == [False] * 4 + [True]
    assert [entry["filtered_written"] for entry in entries] == [False] * 4 + [True]
    assert [entry["filtered_with"] for entry in entries] == [4] * 4 + [5]
    batch = tmp_path / "batch"
    go(tile_lake.request(), batch)
    for name in (*added, "S1-L1-ORTHO/40KCB/40KCB_vv_DES_151_state.tif"):
        np.testing.assert_array_equal(pixels(tmp_path / name), pixels(batch / name))


def test_other_options_make_the_tiles_anew(tile_lake: TileLake, tmp_path: Path) -> None:
    window = {"last_day": DAYS[1]}
    go(tile_lake.request(**window), tmp_path)
    changed = go(tile_lake.request(calibration="beta", **window), tmp_path)
    entries = changed.report["series"][0]["acquisitions"]
    assert [entry["tile_written"] for entry in entries] == [True] * 2
    assert [entry["filtered_written"] for entry in entries] == [True] * 2


def test_a_product_that_fails_is_left_out_and_told(tile_lake: TileLake, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for product in tile_lake.products[:3]:
        shutil.copytree(product, lake / product.name)
    spoilt = lake / tile_lake.products[1].name
    for file in spoilt.glob("measurement/*.tiff"):
        file.write_bytes(file.read_bytes()[:1000])
    result = go(tile_lake.request(products=(lake,)), tmp_path / "out")
    assert days(result) == [DAYS[0], DAYS[2]]
    (left_out,) = result.report["left_out"]
    assert (left_out["day"], left_out["products"]) == (DAYS[1], [spoilt.stem])
    assert "cannot be read" in left_out["reason"]
    with pytest.raises(ProductError, match="cannot be read"):
        go(tile_lake.request(products=(spoilt,)), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_data_counts_and_not_the_footprint_alone(
    tile_lake: TileLake, level_product: DetectedSeries, tmp_path: Path
) -> None:
    """The footprint reaches 1.65 percent, the image within its border of zeros does not."""
    request = tile_lake.request(
        products=level_product.products,
        dem=(level_product.dem,),
        resolution=100.0,
        minimum_coverage=1.65,
    )
    with pytest.raises(ProductError, match=r"must fill 1\.65 percent of 40KCB with data, got 1\.6"):
        go(request, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_with_one_line(tile_lake: TileLake, tmp_path: Path) -> None:
    with no_file_larger_than(20_000), pytest.raises(ProcessingError, match="could not be written"):
        go(tile_lake.request(), tmp_path)
    assert not list(tmp_path.rglob("*.tif"))


def test_a_product_kept_twice_is_used_once(tile_lake: TileLake, tmp_path: Path) -> None:
    product = tile_lake.products[0]
    shutil.make_archive(str(tmp_path / product.stem), "zip", product.parent, product.name)
    request = tile_lake.request(products=(tile_lake.folder, tmp_path), last_day=DAYS[0])
    result = go(request, tmp_path / "out")
    (entry,) = result.report["series"][0]["acquisitions"]
    assert entry["products"] == [product.stem]
    (left_out,) = result.report["left_out"]
    assert left_out == {"product": product.stem, "reason": "was given more than once"}


def test_a_pass_over_midnight_belongs_to_the_day_it_starts(tmp_path: Path) -> None:
    lake = simulated_dates(
        tmp_path / "lake", [datetime(2026, 1, 2), datetime(2026, 1, 14)], slices=2
    )
    assert [path.name[17:25] for path in lake.products[:2]] == ["20260101", "20260102"]
    result = go(lake.request(first_day="2026-01-01", last_day="2026-01-01"), tmp_path / "out")
    (entry,) = result.report["series"][0]["acquisitions"]
    assert (entry["day"], len(entry["products"])) == ("2026-01-01", 2)
    name = "S1-L1-ORTHO/40KCB/2026/01/01/s1a_40KCB_vv_DES_151_20260101txxxxxx.tif"
    assert name in tiffs(tmp_path / "out")
    with pytest.raises(RequestError, match="tiles must be passed over"):
        go(lake.request(first_day="2026-01-02", last_day="2026-01-02"), tmp_path / "none")


def test_every_relative_orbit_is_a_series(tile_lake: TileLake, tmp_path: Path) -> None:
    other = simulated_dates(
        tmp_path / "lake",
        [datetime(2026, 1, 5, 14) + timedelta(days=12 * k) for k in range(2)],
        track=Track(longitude=CENTRE[0], latitude=CENTRE[1], ascending=True, relative_orbit=42),
        polarisations=("VV", "VH"),
    )
    places = (tile_lake.folder, other.folder)

    def series(**options: Any) -> list[tuple[int, str, str, int]]:
        request = tile_lake.request(products=places, **options)
        return [
            (
                entry["relative_orbit"],
                entry["direction"],
                entry["polarisation"],
                len(entry["acquisitions"]),
            )
            for entry in go(request, tmp_path / "out").report["series"]
        ]

    descending = [(ORBIT, "descending", "VV", 5)]
    ascending = [(42, "ascending", "VV", 2), (42, "ascending", "VH", 2)]
    assert sorted(series()) == sorted(descending + ascending)
    assert series(relative_orbit=42) == ascending
    assert series(direction="descending") == descending
    assert series(polarisations=("VH",)) == ascending[1:]
    assert series(polarisations=("VH", "VV"), direction="descending") == descending


def test_without_a_filter_the_tiles_come_alone(tile_lake: TileLake, tmp_path: Path) -> None:
    result = go(tile_lake.request(filter="none", last_day=DAYS[1]), tmp_path)
    assert tiffs(tmp_path) == {place(TILES[0], day) for day in DAYS[:2]}
    assert not list(tmp_path.rglob("*_state.tif"))
    assert result.artefact("newest_tile").path == tmp_path / place(TILES[0], DAYS[1])
    assert result.artefact("quicklook").path.read_bytes().startswith(b"\x89PNG")
    assert result.report["warnings"] == []


def test_the_archive_may_hold_the_report_alone(tile_lake: TileLake, tmp_path: Path) -> None:
    result = go(tile_lake.request(archive="report", last_day=DAYS[0]), tmp_path)
    with zipfile.ZipFile(result.artefact("series").path) as archive:
        assert archive.namelist() == ["report.json"]


def test_the_flat_layout_puts_everything_side_by_side(tile_lake: TileLake, tmp_path: Path) -> None:
    request = tile_lake.request(layout="flat", masks=("border",), last_day=DAYS[0])
    result = go(request, tmp_path)
    stem = Path(place(TILES[0], DAYS[0])).stem
    mask = f"{stem.replace('_vv', '')}_BorderMask.tif"
    expected = {f"{stem}.tif", f"{stem}_filtered.tif", mask}
    assert tiffs(tmp_path) == expected
    assert result.report["series"][0]["acquisitions"][0]["masks"] == [mask]
    assert (tmp_path / "40KCB_vv_DES_151_state.tif").is_file()
    with zipfile.ZipFile(result.artefact("series").path) as archive:
        assert set(archive.namelist()) == expected | {"report.json"}


def test_names_of_peps_hold_both_polarisations_and_are_filtered_apart(tmp_path: Path) -> None:
    first = datetime(2026, 1, 1, 2)
    lake = simulated_dates(
        tmp_path, [first, first + timedelta(days=12)], polarisations=("VV", "VH")
    )
    go(lake.request(names="peps"), tmp_path / "out")
    folder = "S1-L1-ORTHO/40KCB/2026/01/01/s1a_gam_40KCB_{0}_DES_151_20260101t015959{1}.tif"
    assert {name for name in tiffs(tmp_path / "out") if "/01/01/" in name} == {
        folder.format("vvvh", ""),
        folder.format("vv", "_filtered"),
        folder.format("vh", "_filtered"),
    }


def test_cancelled_runs_keep_what_is_complete(tile_lake: TileLake, tmp_path: Path) -> None:
    stop = threading.Event()
    steps: list[tuple[float, str]] = []

    def report(share: float, step: str) -> None:
        steps.append((share, step))
        if step.startswith(DAYS[1]):
            stop.set()

    request = tile_lake.request(last_day=DAYS[2])
    with pytest.raises(Cancelled):
        run(request, tmp_path, Progress(report, 0.0, 1.0, stop))
    assert tiffs(tmp_path) == {place(TILES[0], DAYS[0])}
    assert not list(tmp_path.rglob(".*"))
    assert {step for _, step in steps} == {"products", *(f"{d} tile 40KCB" for d in DAYS[:2])}
    result = go(request, tmp_path)
    entries = result.report["series"][0]["acquisitions"]
    assert [entry["tile_written"] for entry in entries] == [False, True, True]


def test_progress_names_passes_and_filters_and_only_grows(
    tile_lake: TileLake, tmp_path: Path
) -> None:
    steps: list[tuple[float, str]] = []
    progress = Progress.to(lambda share, step: steps.append((share, step)))
    run(tile_lake.request(last_day=DAYS[1]), tmp_path, progress)
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert list(dict.fromkeys(step for _, step in steps)) == [
        "products",
        f"{DAYS[0]} tile 40KCB",
        f"{DAYS[1]} tile 40KCB",
        "filter 40KCB VV",
        "quicklook, report and zip",
        "done",
    ]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"tiles": ("31TGL", "31TXX")}, "tiles must be names of Sentinel-2 tiles, got 31TXX"),
        ({"tiles": ()}, "tiles must be a list of at least one value"),
        (
            {"first_day": "2026-02-19", "last_day": "2026-01-31"},
            "last_day must be the first day, 2026-02-19, or later, got 2026-01-31",
        ),
        ({"first_day": "2026-02-30"}, "first_day must be a day of the calendar as 2018-07-20"),
        ({"last_day": "20260218"}, "last_day must be a day of the calendar as 2018-07-20"),
        ({"resolution": 7.0}, "resolution must be a divisor of 109800 m, got 7.0"),
        ({"window": 6}, "window must be odd, got 6"),
        ({"relative_orbit": 176}, "relative_orbit must be at most 175, got 176"),
        ({"filter": "boxcar"}, "filter must be one of quegan, ratio, lee, none, got boxcar"),
        (
            {"first_day": "2026-01-02", "last_day": "2026-01-12"},
            "first_day must be with last_day around a product",
        ),
        ({"polarisations": ("VH",)}, "polarisations must be that of a product found: VV, got VH"),
        ({"relative_orbit": 8}, "relative_orbit must be that of a product found: 151, got 8"),
        ({"direction": "ascending"}, "direction must be that of a product found: descending"),
        ({"mode": "EW"}, "mode must be that of a product found: IW, got EW"),
        ({"tiles": ("31TGL",)}, "tiles must be touched by a product that answers the request"),
        ({"minimum_coverage": 50.0}, "tiles must be covered by the products to at least 50"),
    ],
)
def test_what_breaks_a_rule_gets_one_line(
    options: dict[str, Any], line: str, tile_lake: TileLake, tmp_path: Path
) -> None:
    with pytest.raises(FournaiseError, match=line) as caught:
        go(tile_lake.request(**options), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_request_says_what_it_wants(tile_lake: TileLake) -> None:
    request = tile_lake.request(tiles=TILES, relative_orbit=151, window=5, looks=4.4)
    assert TilingSeriesRequest.from_values(request.to_values()) == request


def test_shared_options_are_those_of_the_single_processes() -> None:
    own = {info.name: info for info in TilingSeriesRequest.describe()}
    for name in ("calibration", "interpolation", "resolution", "names"):
        (same,) = (i for i in ortho_tiling.OrthoTilingRequest.describe() if i.name == name)
        assert own[name] == same
    assert own["products"].required
