"""Products of the X-band sensors are found by name as those of Sentinel-1 are."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from catalog.index import ProductIndex
from catalog.names import product_of_name
from catalog.scanning import scan
from kernels.errors import RequestError
from processes.dinsar_pair import DinsarPair
from processes.settings import Settings

PAZ = "PAZ1_SAR__SSC______SM_S_SRA_20200310T133220_20200310T133228"
CSK = "CSKS4_SCS_B_HI_05_HH_RD_SF_20110418180327_20110418180329"


def make(folder: Path) -> dict[str, Path]:
    """One product of each kind, in folders of days."""
    terrasar = folder / "2020/03/10" / PAZ
    terrasar.mkdir(parents=True)
    (terrasar / f"{PAZ}.xml").touch()
    cosmo = folder / "2011/04/18" / f"{CSK}.h5"
    cosmo.parent.mkdir(parents=True)
    with h5py.File(cosmo, "w") as file:
        image = file.create_dataset("S01/SBI", data=[[[1, 2]]])
        for corner, position in {
            "Top Left": [43.6454, 1.5209, 0.0],
            "Top Right": [43.6600, 1.3970, 0.0],
            "Bottom Left": [43.5561, 1.4978, 0.0],
            "Bottom Right": [43.5727, 1.3737, 0.0],
        }.items():
            image.attrs[f"{corner} Geodetic Coordinates"] = position
    return {PAZ: terrasar, CSK: cosmo}


def inputs_of(reference: str, secondary: str) -> dict[str, tuple[dict[str, str], ...]]:
    return {
        "reference": ({"data": reference},),
        "secondary": ({"data": secondary},),
        "dem": ({"data": "dem"},),
    }


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "lake/dem").mkdir(parents=True)
    return tmp_path / "lake"


@pytest.mark.parametrize("endings", [("", ""), ("", ".h5")])
def test_bare_names_are_found_in_folders_of_days(lake: Path, endings: tuple[str, str]) -> None:
    products = make(lake)
    process = DinsarPair(Settings(data_roots=(lake,)))
    request = process.make_request(inputs_of(PAZ + endings[0], CSK + endings[1])).to_values()
    assert request["reference"] == [str(products[PAZ])]
    assert request["secondary"] == [str(products[CSK])]


def test_names_are_found_in_an_index(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = make(tmp_path / "archive")
    file = tmp_path / "site.cfg"
    file.write_text("[catalog:archive]\ntype = local\nroots = archive\nindex = index.sqlite\n")
    monkeypatch.setenv("PYWPS_CFG", str(file))
    scan(ProductIndex(tmp_path / "index.sqlite"), tmp_path / "archive")
    process = DinsarPair(Settings(data_roots=(lake,)))
    request = process.make_request(inputs_of(CSK, CSK)).to_values()
    assert request["reference"] == [str(products[CSK])]


def test_no_catalogue_is_asked_for_them(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "site.cfg"
    file.write_text("[catalog:peps]\nurl = http://127.0.0.1:9/resto\n")
    monkeypatch.setenv("PYWPS_CFG", str(file))
    process = DinsarPair(Settings(data_roots=(lake,), datalake=lake))
    with pytest.raises(RequestError, match="reference must be the name of a product"):
        process.make_request(inputs_of(CSK, CSK))


def test_what_the_name_of_a_paz_product_says() -> None:
    product = product_of_name(PAZ)
    assert (product.collection, product.platform, product.mode) == ("TSX", "PAZ1", "SM")
