"""STAC APIs and CDSE's OData: bodies, filters, pages, and real answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from catalog.asking import Asker
from catalog.credentials import KeyCredentials
from catalog.errors import AccessError, AnswerError, QueryError
from catalog.model import Access, Checksum, Query, Storage
from catalog.odata import OdataCatalog, filters, product_of_entry
from catalog.query import read_query
from catalog.stac import PROFILES, StacCatalog, product_of_item

KEY = KeyCredentials("a key")


class Answers(Asker):
    """Gives one answer after the other."""

    def __init__(self, *answers: Mapping[str, Any]) -> None:
        super().__init__("answers")
        self.asked: list[Any] = []
        self._answers = iter(answers)

    def get(self, address: str, parameters: Any = (), headers: Any = None) -> dict[str, Any]:
        self.asked.append(address)
        return dict(next(self._answers))

    def post(self, address: str, body: Mapping[str, Any], headers: Any = None) -> dict[str, Any]:
        self.asked.append(dict(body))
        return dict(next(self._answers))


def item(number: int) -> dict[str, Any]:
    name = f"S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_{number:06d}_044EFC_0000"
    return {"id": name, "properties": {"datetime": "2021-01-05T06:00:00Z"}, "geometry": None}


def test_a_body_for_geodes() -> None:
    query = read_query(product_type="SLC", relative_orbit="76", start="2025-12-01", area="1,2,3,4")
    (body,) = StacCatalog("geodes", PROFILES["geodes"]).bodies(query)
    assert body == {
        "limit": 80,
        "page": 1,
        "query": {
            "dataset": {"in": ["PEPS_S1_L1"]},
            "product:type": {"eq": "SLC"},
            "sat:relative_orbit": {"eq": 76},
            "start_datetime": {"gte": "2025-12-01T00:00:00.000Z"},
        },
        "bbox": [1, 2, 3, 4],
    }


def test_a_body_for_any_other() -> None:
    catalog = StacCatalog("mine", PROFILES["stac"], address="https://example.org/stac/")
    assert catalog.bodies(read_query(collection="sentinel-1", start="2025-12-01")) == [
        {"limit": 100, "collections": ["sentinel-1"], "datetime": "2025-12-01T00:00:00.000Z/.."}
    ]
    assert len(catalog.bodies(read_query(area="179,1,-179,2"))) == 2
    with pytest.raises(QueryError, match="place must be an area or a tile for mine"):
        catalog.bodies(Query(place="Toulouse"))


def test_a_name_is_asked_for_by_its_second() -> None:
    names = [item(number)["id"] for number in (1, 2)]
    answers = Answers({"features": [item(1), item(2)]}, {"features": [item(1), item(2)]})
    address = "https://example.org/stac"
    catalog = StacCatalog("mine", PROFILES["stac"], address=address, asker=answers)
    found = list(catalog.search(Query(names=(names[1],))))
    assert [product.name for product in found] == [names[1]]
    second = "2021-01-05T05:59:59.000Z/2021-01-05T06:00:01.000Z"
    assert answers.asked[0]["datetime"] == second
    assert len(catalog.bodies(Query(names=tuple(names)))) == 2
    with pytest.raises(QueryError):
        catalog.bodies(Query(names=("X",)))
    bodies = StacCatalog("geodes", PROFILES["geodes"]).bodies(Query(names=("X", "Y")))
    assert [body["query"]["identifier"] for body in bodies] == [{"eq": "X"}, {"eq": "Y"}]


def test_pages_by_number_and_by_link() -> None:
    following = {"links": [{"rel": "next", "href": "https://example.org/stac/search?token=2"}]}
    answers = Answers({"features": [item(1), item(2)], **following}, {"features": [item(2)]})
    catalog = StacCatalog("x", PROFILES["stac"], address="https://example.org/stac", asker=answers)
    assert [product.absolute_orbit for product in catalog.search(Query())] == [1, 2]
    assert answers.asked[1] == "https://example.org/stac/search?token=2"
    answers = Answers({"features": [item(1)], **following}, {"features": []})
    geodes = StacCatalog("geodes", PROFILES["geodes"], asker=answers)
    assert len(list(geodes.search(Query()))) == 1
    assert answers.asked[1]["page"] == 2
    # a full page has a next one, whether it says so or not
    answers = Answers({"features": [item(n) for n in range(80)]}, {"features": [item(80)]})
    geodes = StacCatalog("geodes", PROFILES["geodes"], asker=answers)
    assert len(list(geodes.search(Query()))) == 81


class Endless(Answers):
    """Gives the same page for ever."""

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()
        self._page = page

    def get(self, address: str, *_: Any) -> dict[str, Any]:
        self.asked.append(address)
        return self._page

    def post(self, address: str, body: Any, *_: Any) -> dict[str, Any]:
        return self.get(address)


def test_pages_that_repeat_for_ever_end() -> None:
    address = "https://example.org/stac"
    links = [{"rel": "next", "href": f"{address}/search"}]
    for profile in ("stac", "geodes"):
        asker = Endless({"features": [item(1)], "links": links})
        catalog = StacCatalog("x", PROFILES[profile], address=address, asker=asker)
        assert len(list(catalog.search(Query()))) == 1
        assert len(asker.asked) == 2
    entry = {"Name": f"{item(1)['id']}.SAFE", "Id": "1"}
    asker = Endless({"value": [entry], "@odata.nextLink": f"{address}/Products?$skip=1"})
    assert len(list(OdataCatalog("x", address, asker=asker).search(Query()))) == 1
    assert len(asker.asked) == 2


def test_a_page_on_another_host_is_not_asked_for() -> None:
    answers = Answers(
        {"features": [item(1)], "links": [{"rel": "next", "href": "https://evil.example/2"}]}
    )
    catalog = StacCatalog("x", PROFILES["stac"], address="https://example.org/stac", asker=answers)
    with pytest.raises(AnswerError, match="another host"):
        list(catalog.search(Query()))


def load(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "catalog" / name).read_text())


@pytest.mark.shared_data
def test_items_of_geodes(shared_data: Path) -> None:
    product = product_of_item(load(shared_data, "pygeodes_item.json"), catalog="geodes")
    assert product.name == "S1C_IW_GRDH_1SDV_20251217T230248_20251217T230317_005497_00AF3C_C5D6"
    assert (product.product_type, product.mode, product.polarisation) == ("GRD", "IW", "VV VH")
    assert (product.platform, product.relative_orbit, product.direction) == (
        *("S1C", 76, "ascending"),
    )
    assert (product.size, product.storage) == (2005940905, Storage.TAPE)
    assert product.checksum == Checksum("md5", "4532d59ddeff760e690e824734f5eccd")
    assert product.start is not None
    assert product.start.isoformat() == "2025-12-17T23:02:48.679000+00:00"
    geodes = StacCatalog("geodes", PROFILES["geodes"], access=Access(credentials=KEY))
    source = geodes.source(product)
    assert source.address.endswith("/files/4532d59ddeff760e690e824734f5eccd")
    assert (source.credentials, source.size) == (KEY, 2005940905)
    with pytest.raises(AccessError):
        StacCatalog("geodes", PROFILES["geodes"]).source(product)
    (other,) = load(shared_data, "geodes_search.json")["features"]
    product = product_of_item(other, catalog="geodes")
    assert (product.product_type, product.size, product.storage) == (
        *("S2MSI1C", 764210185, Storage.TAPE),
    )


@pytest.mark.shared_data
def test_an_item_of_earth_search_is_no_single_file(shared_data: Path) -> None:
    (one,) = load(shared_data, "earth_search_search.json")["features"]
    product = product_of_item(one, catalog="earth-search")
    assert product.name == "S2B_MSIL1C_20240206T131259_N0510_R081_T27VWK_20240206T133903"
    assert (product.platform, product.relative_orbit) == ("S2B", 81)
    assert (product.address, product.storage) == ("", Storage.UNKNOWN)


@pytest.mark.shared_data
def test_products_of_cdse(shared_data: Path) -> None:
    answer = load(shared_data, "cop_dataspace_search.json")
    product = product_of_entry(answer["value"][0], catalog="cdse")
    assert product.name == "S2A_MSIL1C_20200808T010311_N0500_R045_T54PXA_20230413T212505"
    assert (product.relative_orbit, product.absolute_orbit) == (45, 26783)
    assert product.checksum == Checksum("md5", "923ac4992d90b57d41e7ace4d9d90757")
    answer.pop("@odata.nextLink", None)
    cdse = OdataCatalog(access=Access(credentials=KEY), asker=Answers(answer))
    found = list(cdse.search(read_query(collection="S2", tile="54PXA")))
    assert product.name in [one.name for one in found]
    source = cdse.source(found[0])
    assert (source.size, source.checksum) == (None, None)
    assert source.address.endswith(f"/Products({found[0].identifier})/$value")


def test_a_filter_for_cdse() -> None:
    query = read_query(
        product_type="SLC", relative_orbit="15", start="2019-01-01", stop="2019-01-31",
        direction="asc", area="1,2,3,4",
    )  # fmt: skip
    assert filters(query) == [
        "Collection/Name eq 'SENTINEL-1' and ContentDate/Start ge 2019-01-01T00:00:00.000Z"
        " and ContentDate/Start le 2019-01-31T23:59:59.999Z and contains(Name,'_SLC')"
        " and Attributes/OData.CSC.IntegerAttribute/any(a:a/Name eq 'relativeOrbitNumber'"
        " and a/OData.CSC.IntegerAttribute/Value eq 15)"
        " and Attributes/OData.CSC.StringAttribute/any(a:a/Name eq 'orbitDirection'"
        " and a/OData.CSC.StringAttribute/Value eq 'ASCENDING')"
        " and OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((1.000000 2.000000,"
        "3.000000 2.000000,3.000000 4.000000,1.000000 4.000000,1.000000 2.000000))')"
    ]
    assert "eq 'a''b.SAFE'" in filters(Query(names=("a'b",)))[0]
