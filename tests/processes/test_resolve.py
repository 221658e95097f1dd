"""Names become files of the operator's folders, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernels.errors import RequestError
from processes.resolve import FoldersOfServer, any_path, resolve_values
from tests.processes.conftest import make_configuration
from tests.processes.fake_chain import FakeRequest

INFOS = {info.name: info for info in FakeRequest.describe()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_configuration(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["S1A_X", "S1A_X.SAFE", "S1A_X.zip", "./S1A_X", "dem/../S1A_X"])
def test_a_product_is_found_with_or_without_its_ending(folder: Path, name: str) -> None:
    found = FoldersOfServer((folder / "lake",))(INFOS["product"], Path(name))
    assert found == folder / "lake/S1A_X.SAFE"


def test_the_zip_is_found_where_there_is_no_folder(folder: Path) -> None:
    find = FoldersOfServer((folder / "elsewhere", folder / "lake"))
    assert find(INFOS["product"], Path("S1B_Y.SAFE")) == folder / "lake/S1B_Y.zip"


def test_an_absolute_path_inside_a_root_is_accepted(folder: Path) -> None:
    find = FoldersOfServer((folder / "lake",))
    assert find(INFOS["dem"], folder / "lake/dem") == folder / "lake/dem"


@pytest.mark.parametrize(
    "name",
    [
        "../elsewhere/secret.tif",
        "dem/../../elsewhere",
        "link",
        "link/secret.tif",
        "../lake-secret/dem",
        "{folder}/lake-secret/dem",
        "{folder}/elsewhere/secret.tif",
        "/etc/passwd",
        "{folder}",
        "absent",
        "a\0b",
        "x" * 5000,
    ],
)
def test_nothing_outside_the_roots_is_found(folder: Path, name: str) -> None:
    path = Path(name.format(folder=folder))
    with pytest.raises(RequestError, match="dem must be a path in the data folders") as caught:
        FoldersOfServer((folder / "lake",))(INFOS["dem"], path)
    assert caught.value.argument == "dem"


def test_without_roots_nothing_is_found(folder: Path) -> None:
    with pytest.raises(RequestError, match="product must be the name of a product"):
        FoldersOfServer(())(INFOS["product"], folder / "lake/S1A_X.SAFE")


def test_the_command_line_takes_any_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    values = {"product": "lake/S1A_X", "dem": ["elsewhere/secret.tif", "lake/dem"], "looks": 3}
    assert resolve_values(INFOS.values(), values, any_path) == {
        "product": folder / "lake/S1A_X.SAFE",
        "dem": [folder / "elsewhere/secret.tif", folder / "lake/dem"],
        "looks": 3,
    }
    with pytest.raises(RequestError, match="product must be an existing file or folder, got S1C"):
        any_path(INFOS["product"], Path("S1C"))
