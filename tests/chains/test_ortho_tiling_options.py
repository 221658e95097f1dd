"""What options change in the files of ortho tiles, and what a report says of missing slices."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from kernels.chains.multitemporal_filter import MultitemporalFilterRequest
from kernels.chains.multitemporal_filter import run as run_filter
from kernels.chains.ortho_tiling import run
from kernels.engine.progress import Progress
from kernels.errors import InputError, RequestError
from kernels.model import MapGrid
from kernels.products.raster import RasterReader, read_raster
from tests.detected_series import ALONE, LINES, SAMPLES, TILE, DetectedSeries, only_tile

DAY = f"S1-L1-ORTHO/{TILE}/2026/01/01"
TILE_AREA = 109_800.0**2


def test_folders_are_those_of_peps_in_the_result_and_in_the_zip(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    result = run(level_product.request(layout="folders", names="peps"), tmp_path, Progress())
    name = f"{DAY}/s1a_gam_{TILE}_vvvh_{ALONE}"
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("s1a*.tif")] == [name]
    assert result.report["tiles"][0]["files"] == [name]
    assert result.artefact("first_tile").path == tmp_path / name
    with zipfile.ZipFile(result.artefact("tiles").path) as archive:
        assert sorted(archive.namelist()) == [name, "report.json"]
        assert archive.read(name) == (tmp_path / name).read_bytes()
    again = run(level_product.request(layout="folders", names="peps"), tmp_path, Progress())
    assert again.report["tiles"][0]["kept_from_earlier_run"]


def test_a_zip_of_the_report_alone(level_product: DetectedSeries, tmp_path: Path) -> None:
    result = run(level_product.request(archive="report"), tmp_path, Progress())
    with zipfile.ZipFile(result.artefact("tiles").path) as archive:
        assert archive.namelist() == ["report.json"]
    assert len(list(tmp_path.glob("s1a*.tif"))) == 2


@pytest.mark.parametrize("compression", ["ZSTD", "LERC"])
def test_decibels_are_those_of_the_linear_tile(
    compression: str, level_product: DetectedSeries, tmp_path: Path
) -> None:
    options = {"polarisations": ("VV",), "compression": compression}
    linear = only_tile(level_product.request(polarisations=("VV",)), tmp_path / "linear")
    request = level_product.request(decibels=True, **options)
    result = run(request, tmp_path / "decibels", Progress())
    path = result.artefact("first_tile").path
    found = read_raster(path).array[0]
    np.testing.assert_array_equal(np.isnan(found), linear == 0.0)
    known = linear > 0.0
    error = {"ZSTD": 1e-5, "LERC": 0.0101}[compression]
    np.testing.assert_allclose(found[known], 10.0 * np.log10(linear[known]), atol=error)
    dataset = gdal.Open(str(path))
    assert np.isnan(dataset.GetRasterBand(1).GetNoDataValue())
    assert dataset.GetRasterBand(1).GetUnitType() == "dB"
    assert dataset.GetMetadataItem("SCALE") == "decibels"
    (entry,) = result.report["tiles"]
    assert entry["mean_db"] == pytest.approx(-10.0, abs=0.02)
    assert entry["covered"] == pytest.approx(known.mean(), abs=5e-5)


def test_the_filter_refuses_decibels_in_one_clear_line(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    run(level_product.request(decibels=True, polarisations=("VV",)), tmp_path / "out", Progress())
    request = MultitemporalFilterRequest(series=tuple((tmp_path / "out").glob("s1a*.tif")))
    with pytest.raises(InputError, match="must hold linear intensities, got decibels"):
        run_filter(request, tmp_path / "filtered", Progress())


def test_the_filter_takes_the_folder_of_tiles_with_everything_in_it(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    masks = ("incidence", "layover_shadow", "border")
    run(level_product.request(masks=masks), tmp_path / "out", Progress())
    request = MultitemporalFilterRequest(
        series=(tmp_path / "out",), polarisation="VV", looks=1000.0
    )
    result = run_filter(request, tmp_path / "filtered", Progress())
    assert len(list((tmp_path / "filtered").glob("*_filtered.tif"))) == 1
    assert result.artefact("filtered").path.name == f"s1a_{TILE}_vv_{ALONE}"[:-4] + "_filtered.tif"


def test_tiles_are_cloud_optimized_with_masks_of_whole_values(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    masks = ("incidence", "layover_shadow", "border")
    run(level_product.request(masks=masks), tmp_path, Progress())
    paths = [path for path in tmp_path.glob("*.tif") if TILE in path.name]
    assert len(paths) == 5
    for path in paths:
        dataset = gdal.Open(str(path))
        assert dataset.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"
        band = dataset.GetRasterBand(1)
        sizes = [band.GetOverview(k).XSize for k in range(band.GetOverviewCount())]
        assert sizes == [549, 275]
        tags = dataset.GetMetadata()
        is_mask = "MASK" in tags
        for name in ("POLARIZATION", "CALIBRATION", "SCALE", "NOISE_REMOVED"):
            assert (name in tags) is not is_mask
        what = "mask of" if is_mask else "gamma calibrated orthorectified"
        assert tags["TIFFTAG_IMAGEDESCRIPTION"] == f"{what} Sentinel-1A IW GRD on S2 tile {TILE}"
        if is_mask:
            whole = set(np.unique(band.ReadAsArray()))
            assert set(np.unique(band.GetOverview(1).ReadAsArray())) <= whole


def test_the_quicklook_lies_on_the_tile(level_product: DetectedSeries, tmp_path: Path) -> None:
    result = run(level_product.request(), tmp_path, Progress())
    picture = gdal.Open(str(result.artefact("quicklook").path)).ReadAsArray()
    reader = RasterReader(result.artefact("quicklook_map").path)
    tile = read_raster(result.artefact("first_tile").path)
    assert isinstance(tile.grid, MapGrid)
    assert reader.grid == tile.grid  # of 1098 pixels, drawn one to one
    colours = reader.read()
    for colour in colours[:3]:
        np.testing.assert_array_equal(colour, picture[0])
    np.testing.assert_array_equal(colours[3], picture[1])
    np.testing.assert_array_equal(colours[3] > 0, tile.array[0] > 0.0)
    dataset = gdal.Open(str(result.artefact("quicklook_map").path))
    assert [dataset.GetRasterBand(k + 1).GetColorInterpretation() for k in range(4)] == [
        gdal.GCI_RedBand,
        gdal.GCI_GreenBand,
        gdal.GCI_BlueBand,
        gdal.GCI_AlphaBand,
    ]


def test_a_composite_shows_both_polarisations_and_their_ratio(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    """All three are constant in the scene: grey, whatever the levels are."""
    result = run(level_product.request(composite=True), tmp_path, Progress())
    red, green, blue, alpha = gdal.Open(str(result.artefact("quicklook").path)).ReadAsArray()
    known = alpha > 0
    assert known.mean() == pytest.approx(result.report["tiles"][0]["covered"], rel=0.01)
    for colour in (red, green, blue):
        assert np.median(colour[known]) == pytest.approx(128, abs=2)
        assert not colour[~known].any()


def test_a_composite_of_one_polarisation_is_refused(
    level_product: DetectedSeries, tmp_path: Path
) -> None:
    request = level_product.request(composite=True, polarisations=("VV",))
    name = level_product.products[0].stem
    rule = f"composite must be false where there is one polarisation, as in {name}, got VV"
    with pytest.raises(RequestError, match=rule):
        run(request, tmp_path / "out", Progress())
    assert not (tmp_path / "out").exists()


def test_lerc_of_several_bands_in_decibels_is_refused(level_product: DetectedSeries) -> None:
    with pytest.raises(RequestError, match="compression must be ZSTD, DEFLATE or NONE"):
        level_product.request(compression="LERC", decibels=True, names="peps")


def test_what_further_slices_would_add_is_said(slices: DetectedSeries, tmp_path: Path) -> None:
    """The pass goes south; each slice is half of the image."""
    given = {"both": slices.products, "north": slices.products[:1], "south": slices.products[1:]}
    missing = {}
    for name, products in given.items():
        report = run(slices.request(products=products), tmp_path / name, Progress()).report
        (entry,) = report["tiles"]
        assert [(item["side"], item["slice"]) for item in entry["missing"]] == [
            ("north", "before"),
            ("south", "after"),
        ]
        missing[name] = [item["share"] for item in entry["missing"]]
        north, _ = report["notes"]
        share = f"{100.0 * missing[name][0]:.1f} percent"
        assert north == (
            f"{TILE} of 2026-01-01: {share} of the tile lie north of the slices given; if the "
            "acquisition goes on there, the slice before fills them"
        )
    half = LINES * SAMPLES * 100.0 / TILE_AREA / 2.0
    assert missing["north"][1] - missing["both"][1] == pytest.approx(half, rel=0.05)
    assert missing["south"][0] - missing["both"][0] == pytest.approx(half, rel=0.05)
    # with what is before and after, the swath crosses the tile: about its width times its side
    crossing = sum(missing["both"]) + 2.0 * half
    assert crossing == pytest.approx(SAMPLES * 10.0 / 109_800.0, rel=0.05)


def test_noise_vectors_of_zero_are_said(level_product: DetectedSeries, tmp_path: Path) -> None:
    safe = level_product.products[0]
    old = Path(shutil.copytree(safe, tmp_path / safe.name))
    for file in old.glob("annotation/calibration/noise-*"):
        text = file.read_text(encoding="utf-8")
        zeros = re.sub(
            r"(<noise(?:Range)?Lut count=\"\d+\">)([^<]*)",
            lambda found: found[1] + " ".join("0.0" for _ in found[2].split()),
            text,
        )
        assert zeros != text
        file.write_text(zeros, encoding="utf-8")
    request = level_product.request(products=(old,), remove_noise=True, polarisations=("VV",))
    result = run(request, tmp_path / "out", Progress())
    assert re.match(
        rf"{safe.stem}: (\d+) of \1 noise vectors of VV are 0", result.report["notes"][0]
    )
    kept = only_tile(level_product.request(polarisations=("VV",)), tmp_path / "kept")
    np.testing.assert_array_equal(read_raster(result.artefact("first_tile").path).array[0], kept)
