"""eodag as it is installed, with a provider of its own that is the scripted one."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from catalog.cli import main
from catalog.download import Downloader, Form
from catalog.errors import AccessError, IntegrityError, QueryError
from catalog.model import Catalog, Product, Query, Storage
from catalog.opening import open_chain
from catalog.progress import Stage
from catalog.query import read_query
from catalog.settings import SettingsError, read_catalog_settings
from catalog.staging import StagingPolicy, fetch
from tests.catalog.fetching import QUICK, names_in, numbered_name
from tests.catalog.scripted import Fault, Server, archive

pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated eodag")
"""Its search by name calls what it deprecates itself."""

KEY = "Xq7-planted-secret"
FORM = Form(margin=0)
POLICY = StagingPolicy(shortest_poll_s=0.01, longest_poll_s=0.05)
IN_HEADER = 'type: HTTPHeaderAuth\n    headers:\n      X-API-Key: "{apikey}"'
IN_ADDRESS = "type: HttpQueryStringAuth"
PROVIDER = """
scripted:
  search:
    type: StacSearch
    api_endpoint: {address}/stac/search
    need_auth: false
    pagination:
      max_limit: 2
    discover_queryables:
      fetch_url: null
      collection_fetch_url: null
    discover_collections:
      fetch_url: null
    metadata_mapping:
      eodag:download_link: '$.assets.product.href'
      order:status: '$.properties."order:status"'
  products:
    S1_SAR_GRD:
      _collection: S1
  download:
    type: HTTPDownload
    ignore_assets: true
    auth_error_code: 401
  auth:
    {auth}
    credentials:
      apikey: {key}
"""


def test_eodag_that_is_not_installed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "eodag", None)
    (tmp_path / "x.cfg").write_text("[catalog:creodias]\ntype = eodag\n")
    assert main(["search", "--config", str(tmp_path / "x.cfg")]) == 2
    told = "catalog: catalog creodias needs eodag, which is not installed: it is the extra eodag\n"
    assert capsys.readouterr().err == told


@pytest.fixture
def opened(provider: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the catalogue, with a kind of credentials."""
    pytest.importorskip("eodag")
    monkeypatch.setenv("EODAG_CFG_DIR", str(tmp_path / "eodag"))
    provider.provider.keys = {KEY}
    provider.provider.add(*(archive(numbered_name(number), size=50_000) for number in range(5)))

    def open_it(auth: str = IN_HEADER, key: str = KEY) -> Catalog:
        text = PROVIDER.format(address=provider.address, auth=auth, key=key)
        (tmp_path / "eodag.yml").write_text(text)
        (tmp_path / "x.cfg").write_text(
            "[catalog:scripted]\ntype = eodag\neodag_config = eodag.yml\npoll_seconds = 5\n"
        )
        (catalog,) = open_chain(read_catalog_settings([tmp_path / "x.cfg"])).catalogs
        return catalog

    return open_it


def grd(**changes: str) -> Query:
    return read_query(product_type="GRD", **changes)


def test_a_search_by_eodag(opened: Any, provider: Server) -> None:
    """Five products on three pages, and what eodag is asked."""
    provider.provider.products[numbered_name(1)].storage = "tape"
    catalog = opened()
    found = list(catalog.search(grd(start="2021-01-05", stop="2021-01-05", area="1,43,2,44")))
    assert [product.name for product in found] == [numbered_name(number) for number in range(5)]
    assert [product.storage for product in found[:3]] == [
        *(Storage.DISK, Storage.TAPE, Storage.DISK)
    ]
    first = found[0]
    assert (first.platform, first.mode, first.catalog) == ("S1A", "IW", "scripted")
    assert first.start is not None
    assert first.start.isoformat() == "2021-01-05T06:00:00+00:00"
    assert first.footprint == provider.provider.products[first.name].footprint
    assert len([seen for seen in provider.log if seen.path == "/stac/search"]) == 3
    assert len(list(catalog.search(grd(area="10,43,11,44")))) == 0
    assert [one.name for one in catalog.search(grd(names=numbered_name(3)))] == [numbered_name(3)]
    assert len(list(catalog.search(Query(product_type="GRD", most=2)))) == 2
    with pytest.raises(QueryError, match="place must be an area or a tile for scripted"):
        list(catalog.search(grd(place="Toulouse")))
    with pytest.raises(SettingsError, match="eodag_config must be a file"):
        type(catalog)("x", configuration=Path("nowhere.yml"))


def test_bytes_come_through_our_downloader(opened: Any, provider: Server, tmp_path: Path) -> None:
    """Broken off, gone on with, and from tape, none of which eodag does."""
    catalog, name = opened(), numbered_name(0)
    tape = numbered_name(1)
    provider.provider.products[tape].storage = "tape"
    provider.faults.plan(name, Fault("truncate"))
    products = list(catalog.search(grd()))[:2]
    downloader = Downloader(QUICK)
    results = fetch(
        products, catalog, tmp_path / "out", downloader=downloader, form=FORM, policy=POLICY
    )
    assert [result.stage for result in results] == [Stage.FETCHED] * 2
    for one in (name, tape):
        body = provider.provider.products[one].body
        assert (tmp_path / "out" / f"{one}.zip").read_bytes() == body
    assert [seen.status for seen in provider.downloads(name)] == [200, 206]
    assert provider.downloads(tape)[0].status == 202
    assert provider.downloads(name)[0].headers["x-api-key"] == KEY


def test_keys_in_addresses_are_left_to_eodag(
    opened: Any, provider: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it brings is checked, and gets its name here."""
    caplog.set_level(logging.INFO)
    catalog = opened(IN_ADDRESS)
    good, bad = (numbered_name(number) for number in range(2))
    provider.faults.always(bad, Fault("corrupt"))
    products = list(catalog.search(grd()))[:2]
    results = fetch(products, catalog, tmp_path / "out", downloader=Downloader(QUICK), form=FORM)
    assert [result.stage for result in results] == [Stage.FETCHED, Stage.FAILED]
    assert isinstance(results[1].error, IntegrityError)
    body = provider.provider.products[good].body
    assert (tmp_path / "out" / f"{good}.zip").read_bytes() == body
    assert names_in(tmp_path / "out") == [f"{good}.zip"]
    assert "x-api-key" not in provider.downloads(good)[0].headers
    form = Form(extracted=True, margin=0)
    (unpacked,) = fetch(products[:1], catalog, tmp_path / "safe", form=form)
    assert unpacked.path == tmp_path / "safe" / f"{good}.SAFE"
    assert KEY not in repr(results) + caplog.text


def test_access_that_is_refused(
    opened: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for auth in (IN_HEADER, IN_ADDRESS):
        catalog = opened(auth, key="Xq8-too-old")
        product: Product = next(iter(catalog.search(grd())))
        (result,) = fetch([product], catalog, tmp_path / "out", downloader=Downloader(QUICK))
        assert isinstance(result.error, AccessError)
        assert "Xq8" not in repr(result) + caplog.text
        assert names_in(tmp_path / "out") == []
