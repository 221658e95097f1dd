"""resto's protocol: parameters as PEPS had them, pages, storage, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from catalog.asking import Asker
from catalog.credentials import BasicCredentials, Login
from catalog.errors import (
    AccessError,
    AnswerError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.model import Access, Query, Storage
from catalog.query import read_query
from catalog.resto import RestoCatalog, product_of_feature, searches
from tests.catalog.scripted import ScriptedResto, Server, archive, serving
from tests.catalog.scripted.archives import box_polygon

LOGIN = BasicCredentials(Login("user@example.org", "secret word"))
AREA = {"area": "55.5,-21.5,55.7,-21.25"}
UNTIL_OCTOBER = {"start": "2016-08-15", "stop": "2016-09-30"}


def asked(**texts: str) -> list[str]:
    """Queries as peps_download.py writes them: what follows the question mark, not escaped."""
    return ["&".join(f"{k}={v}" for k, v in one) for one in searches(read_query(**texts))]


def test_the_documented_search_over_la_reunion() -> None:
    assert asked(product_type="SLC", mode="SM", **AREA, **UNTIL_OCTOBER) == [
        "box=55.5,-21.5,55.7,-21.25&startDate=2016-08-15&completionDate=2016-10-01"
        "&maxRecords=500&productType=SLC&sensorMode=SM"
    ]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {
                "place": "Toulouse",
                "collection": "S2ST",
                "start": "2016-12-06",
                "stop": "2017-01-31",
            },
            "q=Toulouse&startDate=2016-12-06&completionDate=2017-02-01&maxRecords=500",
        ),
        (
            {"point": "1,44", "collection": "S2", "start": "2015-11-01", "stop": "2015-11-30"},
            "lat=44&lon=1&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500",
        ),
        (
            {"area": "1,43,2,44", "collection": "S2", "start": "2015-11-01", "stop": "2015-11-30"},
            "box=1,43,2,44&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500",
        ),
        (
            {
                **{"place": "Toulouse", "collection": "SpotWorldHeritage", "product_type": "SPOT4"},
                **{"start": "2005-11-01", "stop": "2006-11-30"},
            },
            "q=Toulouse&startDate=2005-11-01&completionDate=2006-12-01&maxRecords=500"
            "&productType=SPOT4",
        ),
        (
            {
                **{"place": "Toulouse", "collection": "S1", "product_type": "GRD"},
                **{"start": "2015-11-01", "stop": "2015-11-30"},
            },
            "q=Toulouse&startDate=2015-11-01&completionDate=2015-12-01&maxRecords=500"
            "&productType=GRD",
        ),
    ],
)
def test_the_examples_of_peps_download(texts: dict[str, str], expected: str) -> None:
    assert asked(**texts) == [expected]
    address = RestoCatalog().addresses(read_query(**texts))[0]
    collection = texts["collection"]
    start = f"https://peps.cnes.fr/resto/api/collections/{collection}/search.json?"
    assert address.startswith(start)
    assert "&".join("=".join(pair) for pair in parse_qsl(urlsplit(address).query)) == expected


def test_further_parameters() -> None:
    assert asked(place="x&id; $HOME") == ["q=x&id; $HOME&maxRecords=500"]
    (escaped,) = RestoCatalog().addresses(read_query(place="x&id; Île"))
    assert escaped.endswith("q=x%26id%3B+%C3%8Ele&maxRecords=500")
    assert asked(tile="T31TCJ", collection="S2ST") == ["tileid=31TCJ&maxRecords=500"]
    (box,) = asked(tile="31TCJ", collection="S1")
    assert re.fullmatch(r"box=[0-9.,-]+&maxRecords=500", box)
    assert asked(area="179,-18,-179,-16") == [
        "box=179,-18,180,-16&maxRecords=500",
        "box=-180,-18,-179,-16&maxRecords=500",
    ]
    assert asked(area="0,-0.0000001,0.0000004,1")[0].startswith("box=0,0,0,1&")
    assert asked(direction="des", absolute_orbit="17168", start="2016-08-15T01:46:50Z") == [
        "startDate=2016-08-15T01:46:50.000Z&maxRecords=500&orbitDirection=descending"
        "&orbitNumber=17168"
    ]
    assert [one.split("&")[-1] for one in asked(names="A,B.SAFE")] == [
        "productIdentifier=A",
        "productIdentifier=B",
    ]


def feature(number: int, **properties: Any) -> dict[str, Any]:
    name = f"S1A_IW_GRDH_1SDV_20210105T060000_20210105T060025_{number:06d}_044EFC_0000"
    told = {"productIdentifier": name, "storage": {"mode": "disk"}, **properties}
    return {"type": "Feature", "id": str(number), "geometry": None, "properties": told}


class Pages(Asker):
    """Answers one list of orbits after the other, whatever page is asked for."""

    def __init__(self, *pages: Sequence[int], totals: Sequence[int] = ()) -> None:
        super().__init__("pages")
        self.asked: list[str] = []
        self._pages: Iterator[Sequence[int]] = iter(pages)
        self._totals = iter(totals)

    def get(self, address: str, parameters: Any = (), headers: Any = None) -> dict[str, Any]:
        self.asked.append(dict(parameters).get("page", "1"))
        orbits = next(self._pages)
        total = next(self._totals, None)
        properties = {
            "links": [{"rel": "next"}] if orbits else [],
            "totalResults": total,
            "exactCount": total is not None,
        }
        return {"properties": properties, "features": [feature(orbit) for orbit in orbits]}


def found(pages: Pages, query: Query | None = None) -> list[int | None]:
    catalog = RestoCatalog("peps", "https://example.org/resto", asker=pages)
    return [product.absolute_orbit for product in catalog.search(query or Query())]


def test_a_full_last_page_has_a_link_to_an_empty_one() -> None:
    pages = Pages([1, 2], [3, 4], [])
    assert found(pages) == [1, 2, 3, 4]
    assert pages.asked == ["1", "2", "3"]


def test_a_product_that_moves_to_the_next_page_comes_once() -> None:
    assert found(Pages([1, 2], [2, 3], [])) == [1, 2, 3]


def test_a_server_that_repeats_its_last_page_ends() -> None:
    assert found(Pages([1, 2], [1, 2], [1, 2])) == [1, 2]


def test_a_product_that_vanishes_lets_no_other_be_missed() -> None:
    # 1 vanishes after the first page: 3 moves onto it
    pages = Pages([1, 2], [4, 5], [2, 3], [], totals=[5, 4, 4, 4])
    assert sorted(number or 0 for number in found(pages)) == [1, 2, 3, 4, 5]
    assert pages.asked == ["1", "2", "1", "3"]


def test_only_the_pages_that_are_needed_are_asked_for() -> None:
    pages = Pages([1, 2], [3, 4])
    assert found(pages, Query(most=2)) == [1, 2]
    assert pages.asked == ["1"]


@pytest.mark.parametrize(
    ("mode", "storage"),
    [
        ("disk", Storage.DISK),
        ("tier2", Storage.DISK),
        ("tape", Storage.TAPE),
        ("tier3", Storage.TAPE),
        ("staging", Storage.STAGING),
        ("unknown", Storage.UNKNOWN),
        ("unaivalable", Storage.UNKNOWN),
    ],
)
def test_storage(mode: str, storage: Storage) -> None:
    assert product_of_feature(feature(1, storage={"mode": mode}), catalog="x").storage is storage


def test_a_silent_feature() -> None:
    product = product_of_feature(
        feature(17168, resourceChecksum="", cloudCover=None, storage=None), catalog="x"
    )
    assert (product.relative_orbit, product.checksum, product.cloud_cover) == (121, None, None)
    assert (product.storage, product.mode, product.address) == (Storage.UNKNOWN, "IW", "")
    with pytest.raises(AnswerError):
        product_of_feature({"properties": None}, catalog="x")
    with pytest.raises(AnswerError):
        product_of_feature(feature(1, startDate="soon"), catalog="x")


@pytest.mark.shared_data
def test_answers_of_peps(shared_data: Path) -> None:
    features = json.loads((shared_data / "catalog/peps_S1_search_SYNTHETIC.json").read_text())
    products = [product_of_feature(one, catalog="peps") for one in features["features"]]
    first = products[0]
    assert first.name == "S1B_S4_SLC__1SDV_20160929T014610_20160929T014634_002277_003D71_788E"
    assert first.relative_orbit == 151  # the track of La Réunion that S1A has too
    assert first.checksum is not None
    assert first.checksum.digits == "c92691ab602222f73a0477de89513aa3"
    assert first.stop == datetime(2016, 9, 29, 1, 46, 34, tzinfo=UTC)
    assert [p.storage.value for p in products[:3]] == ["disk", "tape", "staging"]
    features = json.loads((shared_data / "catalog/peps_search_eodag_v4.0.0.json").read_text())
    second = product_of_feature(features["features"][0], catalog="peps")
    assert (second.size, second.relative_orbit, second.direction) == (781865648, 2, "descending")
    assert second.cloud_cover == 20.5218


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(ScriptedResto()) as server:
        yield server


@pytest.fixture
def peps(server: Server) -> RestoCatalog:
    server.provider.reset()
    asker = Asker("peps", wait=lambda _: None)
    return RestoCatalog(
        "peps", f"{server.address}/resto", access=Access(credentials=LOGIN), asker=asker
    )


def grd(number: int, platform: str = "S1A") -> str:
    return f"{platform}_IW_GRDH_1SDV_20210105T060000_20210105T060025_{number:06d}_044EFC_0000"


def test_over_a_socket_from_search_to_source(server: Server, peps: RestoCatalog) -> None:
    server.provider.add(
        *(archive(grd(number), size=10) for number in range(17168, 17768)),
        archive(grd(1, "S1B"), size=10),
    )
    everything = list(peps.search(read_query(area="1,43,2,44")))
    assert len(everything) == 601  # more than a page
    query = read_query(relative_orbit="121", platform="S1A")
    products = list(peps.search(query))
    assert [product.absolute_orbit for product in products] == [17693, 17518, 17343, 17168]
    server.provider.products[grd(17168)].storage = "tape"
    assert peps.refresh(products[-1]).storage is Storage.TAPE
    source = peps.source(products[-1])
    assert source.address == server.download_address(grd(17168)) + "?issuerId=peps"
    assert (source.retry_after_unit_s, source.not_found_means_access) == (0.001, True)
    assert source.credentials is LOGIN
    del server.provider.products[grd(17168)]
    with pytest.raises(NotFoundError):
        peps.refresh(products[-1])
    with pytest.raises(AccessError, match="user and password"):
        RestoCatalog("peps", peps._address).source(products[-1])


def test_footprints_of_two_parts_across_the_antimeridian(
    server: Server, peps: RestoCatalog
) -> None:
    """One of Sentinel-1 over Fiji: the area is asked for in two boxes, the product comes once."""
    parts = [box_polygon(179.0, -18.0, 180.0, -17.0), box_polygon(-180.0, -18.0, -179.5, -17.0)]
    footprint = {"type": "MultiPolygon", "coordinates": [one["coordinates"] for one in parts]}
    server.provider.add(
        archive(grd(1), footprint=footprint, checksum=None),
        archive(grd(2), footprint=box_polygon(0.0, -18.0, 1.0, -17.0)),
    )
    query = read_query(area="179.5,-18,-179.5,-17")
    (product,) = peps.search(query)
    assert product.footprint == footprint
    assert product.checksum is None
    boxes = [seen.query["box"] for seen in server.log]
    assert boxes == ["179.5,-18,180,-17", "-180,-18,-179.5,-17"]
    outline = "POLYGON((179.6 -17.8,180.4 -17.8,180.4 -17.2,179.6 -17.2,179.6 -17.8))"
    assert list(peps.search(read_query(area=outline))) == [product]
    assert list(peps.search(read_query(area="0,0,1,1"))) == []


def test_places_arrive_as_they_were_written(server: Server, peps: RestoCatalog) -> None:
    list(peps.search(read_query(place="Île de Ré & Oléron; 100%")))
    assert server.log[0].query["q"] == "Île de Ré & Oléron; 100%"


def test_credentials_stay_with_their_host(peps: RestoCatalog) -> None:
    elsewhere = {"download": {"url": "https://other.example.org/file.zip"}}
    product = product_of_feature(feature(1, services=elsewhere), catalog="peps")
    assert peps.source(product).credentials is None


def test_an_outline_is_looked_at_here(server: Server, peps: RestoCatalog) -> None:
    server.provider.add(
        archive(grd(1), size=10, footprint=box_polygon(0.0, 0.0, 1.0, 1.0)),
        archive(grd(2), size=10, footprint=box_polygon(8.0, 8.0, 9.0, 9.0)),
    )
    # a triangle whose box meets both
    query = read_query(area="POLYGON ((0 0, 10 0, 10 3, 0 0))")
    assert [product.absolute_orbit for product in peps.search(query)] == [1]


def test_the_server_names_what_it_refuses(server: Server, peps: RestoCatalog) -> None:
    with pytest.raises(QueryError, match=r"page .* must follow the pattern") as caught:
        peps._asker.get(peps._search_address("S1"), [("page", "x")])
    assert caught.value.argument == "page"
    with pytest.raises(NotFoundError):
        peps._asker.get(f"{server.address}/nothing", [])


def test_a_server_that_is_not_there() -> None:
    waits: list[float] = []
    catalog = RestoCatalog(
        "peps", "http://127.0.0.1:9/resto", asker=Asker("peps", wait=waits.append)
    )
    with pytest.raises(UnreachableError, match="peps does not answer"):
        list(catalog.search(Query()))
    assert waits == [1.0, 2.0, 4.0]
