"""Which products are slices of one pass: names and manifests of hand-made and real products."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pytest

from kernels.errors import ProductError
from kernels.model import Shape
from kernels.products.sentinel1 import Sentinel1Product, open_sentinel1
from kernels.products.slices import group_slices
from tests.products import grd_samples, samples

TIMES = "20230405T235950_20230406T000010"
"""In the name of the complex sample product."""


def written(parent: Path, *starts: int) -> list[Sentinel1Product]:
    return [open_sentinel1(grd_samples.write_slice(parent, start)) for start in starts]


def first_lines(products: Iterable[Sentinel1Product]) -> list[int]:
    """First lines of products in the data take, from their times to the second."""
    start = samples.START.replace(microsecond=0)
    return [2 * int((product.start - start).total_seconds()) for product in products]


def test_slices_that_touch_are_one_pass_in_order_of_time(tmp_path: Path) -> None:
    groups = group_slices(written(tmp_path, 50, 100, 0))
    assert [first_lines(one.slices) for one in groups.passes] == [[0, 50, 100]]
    assert groups.notes == ()


def test_a_missing_slice_parts_the_pass(tmp_path: Path) -> None:
    groups = group_slices(written(tmp_path, 0, 100, 150))
    assert [first_lines(one.slices) for one in groups.passes] == [[0], [100, 150]]


def test_slices_on_both_sides_of_the_ascending_node_are_one_pass(tmp_path: Path) -> None:
    """The absolute and the relative orbit number change there."""
    south = grd_samples.write_slice(tmp_path, 0)
    track = f'type="start">{samples.RELATIVE_ORBIT}<'
    text = grd_samples.manifest().replace(track, f'type="start">{samples.RELATIVE_ORBIT + 1}<')
    north = grd_samples.write_slice(tmp_path, 50, manifest_text=text, orbit_number=47966)
    north = north.rename(north.with_name(north.name.replace("_047965_", "_047966_")))
    (one,) = group_slices([open_sentinel1(south), open_sentinel1(north)]).passes
    assert first_lines(one.slices) == [0, 50]
    (image,) = one.grd("VV")
    assert image.grid.shape.lines == 100
    assert (image.absolute_orbit, image.relative_orbit) == (47965, samples.RELATIVE_ORBIT)


def test_another_platform_at_the_same_time_is_another_pass(tmp_path: Path) -> None:
    other = grd_samples.write_slice(tmp_path, 50)
    other = other.rename(other.with_name(other.name.replace("S1A", "S1C")))
    groups = group_slices([*written(tmp_path, 0), open_sentinel1(other)])
    assert [len(one.slices) for one in groups.passes] == [1, 1]


def test_images_of_other_polarisations_are_another_pass(tmp_path: Path) -> None:
    single = grd_samples.write_slice(tmp_path, 50, polarisations=["VV"])
    groups = group_slices([*written(tmp_path, 0), open_sentinel1(single)])
    assert [len(one.slices) for one in groups.passes] == [1, 1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_processing_of_a_slice_wins(tmp_path: Path, newest_first: bool) -> None:
    newer = grd_samples.manifest(processed="2024-01-01T00:00:00.25")
    paths = [
        grd_samples.write_slice(tmp_path, 0, unique="AAAA"),
        # a little longer, as slices of another processor are
        grd_samples.write_slice(tmp_path, 0, 52, unique="BBBB", manifest_text=newer),
    ]
    products = [open_sentinel1(path) for path in sorted(paths, reverse=newest_first)]
    groups = group_slices(products)
    assert [one.slices[0].name[-4:] for one in groups.passes] == ["BBBB"]
    old, new = paths[0].stem, paths[1].stem
    assert groups.notes == (f"{old} was left out: {new} is the newest of the same slice",)


def test_a_product_given_twice_counts_once(tmp_path: Path) -> None:
    groups = group_slices(written(tmp_path, 0) * 2)
    assert [len(one.slices) for one in groups.passes] == [1]
    assert groups.notes == (f"{groups.passes[0].slices[0].name} was given more than once",)


def test_what_is_neither_grd_nor_slc_is_refused_by_name(tmp_path: Path) -> None:
    name = samples.PRODUCT.replace("_SLC_", "_OCN_")
    product = open_sentinel1(samples.write_safe(tmp_path, name=name))
    with pytest.raises(ProductError, match=f"{name} must be a GRD or SLC, got OCN"):
        group_slices([product])


def test_slc_slices_are_a_pass_whose_swaths_are_read_apart(tmp_path: Path) -> None:
    second = samples.PRODUCT.replace(TIMES, "20230406T000009_20230406T000029")
    paths = [samples.write_safe(tmp_path, name=name) for name in (second, samples.PRODUCT)]
    (one,) = group_slices([open_sentinel1(path) for path in paths]).passes
    assert (one.product_type, one.swaths, one.polarisations) == ("SLC", ("IW2",), ("VV",))
    images = one.slc("IW2", "VV")
    assert [image.name for image in images] == [samples.PRODUCT, second]
    assert {image.grid.epoch for image in images} == {datetime(2023, 4, 5)}


@pytest.mark.parametrize("start", ["235959", "235933"])
def test_grd_and_slc_of_one_pass_are_refused(tmp_path: Path, start: str) -> None:
    """Be it of the same slice or of neighbouring ones."""
    grd = open_sentinel1(grd_samples.write_slice(tmp_path, 0))
    stop = "20230406T000025" if start == "235959" else "20230405T235958"
    name = samples.PRODUCT.replace(TIMES, f"20230405T{start}_{stop}")
    slc = open_sentinel1(samples.write_safe(tmp_path, name=name))
    rule = f"products of one pass must be all GRD or all SLC, got {grd.name} and {name}"
    with pytest.raises(ProductError, match=rule):
        group_slices([slc, grd])


def test_grd_and_slc_of_two_passes_are_two_passes(tmp_path: Path) -> None:
    name = samples.PRODUCT.replace(TIMES, "20230405T230000_20230405T230030")
    slc = samples.write_safe(tmp_path, name=name)
    groups = group_slices([*written(tmp_path, 0), open_sentinel1(slc)])
    assert [one.product_type for one in groups.passes] == ["SLC", "GRD"]


def test_no_products_make_no_pass() -> None:
    assert group_slices([]) == ((), ())


def test_times_of_a_pass_count_from_the_day_of_its_first_slice(tmp_path: Path) -> None:
    """The second slice begins on the next day."""
    (one,) = group_slices(written(tmp_path, 0, 50)).passes
    (image,) = one.grd("VV")
    assert image.grid.epoch == datetime(2023, 4, 5)
    assert image.calibration is not None
    assert image.calibration.times[-1] == pytest.approx(86398.25 + 55.0, abs=1e-9)


def test_a_polarisation_that_a_slice_lacks_is_named(tmp_path: Path) -> None:
    (one,) = group_slices(written(tmp_path, 0, 50)).passes
    with pytest.raises(ProductError, match="has no image HH"):
        one.grd("HH")


@pytest.mark.shared_data
def test_real_slices_and_a_slice_processed_twice(shared_data: Path) -> None:
    products = [open_sentinel1(path) for path in shared_data.glob("grd_slices/*.zip")]
    groups = group_slices(products)
    found = [[product.name[-4:] for product in one.slices] for one in groups.passes]
    assert found == [["6D00"], ["CEAB", "3768"]]
    (note,) = groups.notes
    assert note.startswith("S1A_IW_GRDH_1SDV_20150203T043109_20150203T043134_004454_00574F_FEC3")
    (image,) = groups.passes[1].grd("VH", need_pixels=False)
    assert image.grid.shape == Shape(33370, 25368)
