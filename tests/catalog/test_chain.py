"""Catalogues as one, the operator's settings, credentials that nobody sees, and pairs."""

from __future__ import annotations

import base64
import logging
import pickle
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from catalog.asking import Asker
from catalog.chain import CatalogChain
from catalog.credentials import Login, TokenCredentials, find_key, find_login
from catalog.errors import (
    AccessError,
    AnswerError,
    CatalogError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.index import ProductIndex
from catalog.local import LocalCatalog
from catalog.model import Product, Query, Source, Storage
from catalog.names import product_of_name
from catalog.odata import OdataCatalog
from catalog.opening import open_chain
from catalog.pairs import possible_pairs
from catalog.resto import RestoCatalog
from catalog.scanning import scan
from catalog.settings import SettingsError, read_catalog_settings
from catalog.stac import StacCatalog
from tests.catalog.test_local import GRD, make_zip

SECRET = "s3cret-Word with blanks"


class Fixed:
    """Answers the same products, or an error."""

    def __init__(self, name: str, *names: str, error: CatalogError | None = None) -> None:
        self.name = name
        self._names = names
        self._error = error

    def search(self, query: Query) -> Iterator[Product]:
        for name in self._names:
            yield Product(name=name, catalog=self.name, storage=Storage.TAPE)
        if self._error:
            raise self._error

    def refresh(self, product: Product) -> Product:
        return product

    def source(self, product: Product) -> Source:
        return Source(address=f"https://{self.name}.example/{product.name}")


@pytest.fixture
def local(tmp_path: Path) -> LocalCatalog:
    make_zip(tmp_path / "lake", 1)
    index = ProductIndex(tmp_path / "index")
    scan(index, tmp_path / "lake")
    return LocalCatalog(index, roots=[tmp_path / "lake"])


def test_local_wins_and_each_product_comes_once(local: LocalCatalog) -> None:
    one, two, three = map(GRD.format, (1, 2, 3))
    chain = CatalogChain([Fixed("a", one, two), Fixed("b", two, three), local])
    found = list(chain.search(Query()))
    assert [(p.name, p.catalog) for p in found] == [(one, "local"), (two, "a"), (three, "b")]
    assert chain.source(found[2]).address == f"https://b.example/{three}"
    assert chain.product(one).path is not None
    assert len(list(chain.search(Query(most=2)))) == 2
    # a place, which folders do not know, is resolved elsewhere, and what is here is still used
    assert [p.catalog for p in chain.search(Query(place="Toulouse"))] == ["local", "a", "b"]
    assert len(chain.problems) == 1
    with pytest.raises(NotFoundError):
        chain.source(Product(name=one, catalog="elsewhere"))


def test_what_fails_is_told_where_nothing_answers(local: LocalCatalog) -> None:
    down = Fixed("a", GRD.format(2), error=UnreachableError("a does not answer"))
    chain = CatalogChain([down, local])
    assert len(list(chain.search(Query()))) == 2
    assert [str(problem) for problem in chain.problems] == ["a does not answer"]
    with pytest.raises(UnreachableError):
        list(CatalogChain([down]).search(Query()))
    with pytest.raises(NotFoundError):
        CatalogChain([Fixed("b")]).product(GRD.format(9))


def test_the_operator_configures(tmp_path: Path) -> None:
    first, second = tmp_path / "first.cfg", tmp_path / "second.cfg"
    first.write_text(
        "[fournaise]\nlisten_address = x\n[catalog:peps]\nurl = https://peps.example/resto/\n"
        "[catalog:cdse]\nconnections = 2\n"
    )
    second.write_text(
        "[catalog:peps]\ncredentials = peps.txt\n"
        "[catalog:lake]\ntype = local\nroots = a\n b\nindex = i.sqlite\nlayouts = peps\n"
    )
    (tmp_path / "peps.txt").write_text(f"user@example.org {SECRET}\n")
    (tmp_path / "peps.txt").chmod(0o600)
    settings = read_catalog_settings([first, second])
    assert [(one.name, one.type) for one in settings] == [
        *(("peps", "resto"), ("cdse", "cdse"), ("lake", "local"))
    ]
    assert settings[0].url == "https://peps.example/resto"
    assert settings[2].roots == (tmp_path / "a", tmp_path / "b")
    chain = open_chain(settings)
    assert [type(one) for one in chain.catalogs] == [LocalCatalog, RestoCatalog, OdataCatalog]
    assert [one.name for one in open_chain(settings, names=["peps"]).catalogs] == ["peps"]
    assert [type(one) for one in open_chain([]).catalogs] == [StacCatalog]
    with pytest.raises(SettingsError):
        open_chain(settings, names=["nowhere"])


@pytest.mark.parametrize(
    "text",
    [
        "type = ftp",
        "type = resto\nport = 1",
        "type = resto\nurl = file:///etc",
        "type = resto\nurl = https://user:word@example.org",
        "type = resto\nconnections = 0",
        "type = local\nroots = a",
        "type = local\nroots = a\nindex = i\nlayouts = {nme}",
        "type = stac",
        "",
    ],
)
def test_a_bad_section_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.cfg").write_text(f"[catalog:mine]\n{text}\n")
    with pytest.raises(SettingsError, match="catalog mine"):
        read_catalog_settings([tmp_path / "x.cfg"])


def test_where_credentials_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert find_login("peps", "peps.example") is None
    (tmp_path / "netrc").write_text("machine peps.example login n password fromnetrc\n")
    (tmp_path / "netrc").chmod(0o600)
    login = find_login("peps", "peps.example")
    assert login is not None
    assert (login.user, login.password) == ("n", "fromnetrc")
    assert find_key("x", "peps.example") == "fromnetrc"
    monkeypatch.setenv("FOURNAISE_MY_PEPS_USER", "e")
    monkeypatch.setenv("FOURNAISE_MY_PEPS_PASSWORD", "fromenvironment")
    login = find_login("my-peps", "peps.example")
    assert login is not None
    assert (login.user, login.password) == ("e", "fromenvironment")
    file = tmp_path / "peps.txt"
    file.write_text(f"user@example.org {SECRET}\nmore\n")
    login = find_login("my-peps", "", file)
    assert login is not None
    assert (login.user, login.password) == ("user@example.org", SECRET)
    for text in ("one", " x", ""):
        file.write_text(text)
        with pytest.raises(AccessError, match=r"peps\.txt"):
            find_login("peps", "", file)


def test_nobody_sees_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "peps.txt").write_text(f"user@example.org {SECRET}\n")
    (tmp_path / "x.cfg").write_text(
        "[catalog:peps]\nurl = http://127.0.0.1:9/resto\ncredentials = peps.txt\n"
    )
    monkeypatch.setattr("time.sleep", lambda _: None)
    chain = open_chain(read_catalog_settings([tmp_path / "x.cfg"]))
    peps = chain.catalogs[0]
    product = Product(name="X", catalog="peps", address="http://127.0.0.1:9/resto/X")
    source = chain.source(product)
    assert source.credentials is not None
    encoded = base64.b64encode(f"user@example.org:{SECRET}".encode()).decode()
    assert source.credentials.headers() == {"Authorization": f"Basic {encoded}"}
    with pytest.raises(UnreachableError) as caught:
        list(chain.search(Query()))
    shown = [repr(source), repr(source.credentials), repr(peps), caplog.text]
    shown += traceback.format_exception(caught.value)
    shown.append(str(pickle.dumps(caught.value)))
    assert "can be read by others" in caplog.text
    for text in shown:
        assert SECRET not in text
        assert encoded not in text


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to another path."""

    seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.seen.append(self.path)
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_password_is_not_sent_on() -> None:
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/token"
        with pytest.raises(AnswerError, match="307"):
            Asker("tokens").post_form(address, {"password": SECRET})
        thread.join()
    assert _Elsewhere.seen == ["/token"]


class Tokens(Asker):
    """Gives a new token each time; refuses refresh tokens where told so."""

    def __init__(self) -> None:
        super().__init__("tokens")
        self.forms: list[dict[str, str]] = []
        self.refuses_refresh = False

    def post_form(self, address: str, form: object) -> dict[str, object]:
        assert isinstance(form, dict)
        self.forms.append(form)
        if self.refuses_refresh and form["grant_type"] == "refresh_token":
            raise QueryError("query", "one that tokens understands", "invalid_grant")
        number = len(self.forms)
        return {
            **{"access_token": f"token{number}", "expires_in": 600},
            **{"refresh_token": f"refresh{number}", "refresh_expires_in": 3600},
        }


def test_tokens_are_renewed_before_they_expire() -> None:
    tokens, now = Tokens(), [0.0]
    credentials = TokenCredentials(
        Login("u", SECRET),
        address="https://t.example",
        client="c",
        asker=tokens,
        clock=lambda: now[0],
    )
    assert credentials.headers() == {"Authorization": "Bearer token1"}
    now[0] = 500.0
    assert credentials.headers() == {"Authorization": "Bearer token1"}
    now[0] = 580.0
    assert credentials.headers() == {"Authorization": "Bearer token2"}
    assert tokens.forms[1] == {
        **{"client_id": "c", "grant_type": "refresh_token", "refresh_token": "refresh1"}
    }
    tokens.refuses_refresh = True
    assert credentials.refuse()
    assert credentials.headers() == {"Authorization": "Bearer token4"}
    assert tokens.forms[3]["grant_type"] == "password"
    assert SECRET not in repr(credentials)


def slc(day: int, south: float = 46.0) -> Product:
    orbit, date = 25287 + round(day * 175 / 12), f"201901{1 + day:02d}"
    name = f"S1A_IW_SLC__1SDV_{date}T171515_{date}T171542_{orbit:06d}_02CC09_0A0B"
    ring = [[8, south], [10, south], [10, south + 2], [8, south + 2], [8, south]]
    return replace(product_of_name(name), footprint={"type": "Polygon", "coordinates": [ring]})


def test_pairs_of_one_track() -> None:
    first, second, third = slc(0), slc(12), slc(24)
    neighbour = slc(12, south=47.9)  # the next slice
    other = slc(5)  # another track
    pairs = possible_pairs([third, first, neighbour, other, second], longest_days=24)
    assert [(pair.reference, pair.secondary, round(pair.days)) for pair in pairs] == [
        *((first, second, 12), (second, third, 12), (first, third, 24))
    ]
    assert {pair.relative_orbit for pair in pairs} == {15}
