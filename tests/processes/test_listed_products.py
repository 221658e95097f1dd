"""Products are found by name in folders below the data folders, and in indexes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from catalog.cli import main as catalog
from catalog.index import ProductIndex
from catalog.scanning import scan
from kernels.errors import RequestError
from processes import listed_products
from processes.listed_products import DEPTH, ListedProducts
from processes.ortho_tiling import OrthoTiling
from processes.resolve import FoldersOfServer
from processes.settings import Settings
from tests.catalog.scripted import ScriptedResto, archive, serving
from tests.catalog.test_local import GRD, make_safe, make_zip
from tests.processes.fake_chain import FakeRequest

PRODUCT = {info.name: info for info in FakeRequest.describe()}["product"]


def inputs_of(name: str) -> dict[str, tuple[dict[str, str], ...]]:
    return {"products": ({"data": name},), "dem": ({"data": "dem"},)}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "lake/dem").mkdir(parents=True)
    return tmp_path / "lake"


@pytest.mark.parametrize("ending", ["", ".SAFE", ".zip"])
def test_bare_names_are_found_in_folders_of_days(lake: Path, ending: str) -> None:
    path = make_zip(lake / "2021/01/05", 1)
    settings = Settings(data_roots=(lake,))
    request = OrthoTiling(settings).make_request(inputs_of(GRD.format(1) + ending))
    assert request.to_values()["products"] == [str(path)]


def test_the_folder_goes_before_the_zip_and_the_first_root_before_the_others(
    lake: Path, tmp_path: Path
) -> None:
    make_zip(lake / "a", 1)
    safe = make_safe(lake / "b", 1)
    make_safe(tmp_path / "second/c", 1)
    listed = ListedProducts((lake, tmp_path / "absent", tmp_path / "second"))
    assert listed.find(GRD.format(1)) == safe


def test_what_is_on_its_way_too_deep_or_elsewhere_is_not_found(lake: Path, tmp_path: Path) -> None:
    make_zip(lake / ".hidden", 1)
    make_zip(lake.joinpath(*"abcdefghi"), 2)
    make_zip(lake.joinpath(*"abcdefgh"), 3)
    (lake / "link").symlink_to(make_zip(tmp_path / "elsewhere", 4).parent)
    (lake / f"{GRD.format(5)}.zip").symlink_to(make_zip(tmp_path / "elsewhere", 5))
    find = FoldersOfServer((lake,), ListedProducts((lake,)))
    assert len("abcdefgh") == DEPTH
    assert find(PRODUCT, Path(GRD.format(3))).exists()
    for number in (1, 2, 4, 5):
        with pytest.raises(RequestError, match="product must be the name of a product"):
            find(PRODUCT, Path(GRD.format(number)))


def test_a_name_that_nobody_has_costs_one_look_in_a_while(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    now = [100.0]
    walk = listed_products._walk
    monkeypatch.setattr(
        listed_products,
        "_walk",
        lambda root: looks.append(root) or walk(root),  # type: ignore[func-returns-value]
    )
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    listed = ListedProducts((lake,))
    assert listed.find("../../etc/passwd") is None
    assert looks == []
    assert [listed.find(GRD.format(number)) for number in range(5)] == [None] * 5
    assert len(looks) == 1
    path = make_zip(lake / "new", 3)
    now[0] += listed_products.LISTED_S + 1.0
    assert listed.find(GRD.format(3)) == path
    path.unlink()
    assert listed.find(GRD.format(3)) == path  # as the last look had it: its reader will tell
    now[0] += listed_products.LISTED_S + 1.0
    assert listed.find(GRD.format(3)) is None


def test_an_index_alone_resolves_names(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_folder = tmp_path / "archive"
    path = make_zip(archive_folder / "2021", 1)
    file = tmp_path / "site.cfg"
    file.write_text("[catalog:archive]\ntype = local\nroots = archive\nindex = index.sqlite\n")
    monkeypatch.setenv("PYWPS_CFG", str(file))
    process = OrthoTiling(Settings(data_roots=(lake,)))
    with pytest.raises(RequestError, match="products must be the name of a product"):
        process.make_request(inputs_of(GRD.format(1)))
    assert not (tmp_path / "index.sqlite").exists()  # who accepts requests makes none
    scan(ProductIndex(tmp_path / "index.sqlite"), archive_folder)
    request = process.make_request(inputs_of(GRD.format(1)))
    assert request.to_values()["products"] == [str(path)]


def test_what_was_downloaded_is_in_the_index_at_once(tmp_path: Path) -> None:
    name = GRD.format(9)
    file = tmp_path / "site.cfg"
    (tmp_path / "lake").mkdir()
    (tmp_path / "peps.txt").write_text("jane@example.org word\n")
    words = ["--config", str(file), "-a", str(tmp_path / "peps.txt"), "--names", name]
    with serving(ScriptedResto([archive(name)])) as provider:
        file.write_text(
            f"[catalog:peps]\nurl = {provider.address}/resto\n"
            "[catalog:lake]\ntype = local\nroots = lake\nindex = index.sqlite\n"
        )
        assert catalog(["download", *words, "-w", str(tmp_path / "lake")]) == 0
    (found,) = ProductIndex(tmp_path / "index.sqlite").find_named(name)
    assert found.path == tmp_path / "lake" / f"{name}.zip"
