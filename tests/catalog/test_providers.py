"""What the operator says of one provider reaches its questions and its downloads."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from catalog.asking import Asker
from catalog.cli import main
from catalog.download import Downloader, Form
from catalog.errors import AnswerError, CancelledError, QueryError
from catalog.model import Access, Product, Query
from catalog.opening import open_chain
from catalog.progress import Progress, Stage
from catalog.resto import RestoCatalog
from catalog.settings import SettingsError, read_catalog_settings
from catalog.staging import StagingPolicy, fetch
from tests.catalog.fetching import NAME, QUICK, Key, names_in, source_of
from tests.catalog.scripted import Fault, Server, archive

FORM = Form(margin=0)


def test_certificates_of_one_provider(
    protected: Server,
    certificate: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the search to the last byte, whatever the environment says of certificates."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    product = archive(NAME)
    protected.provider.add(product)
    protected.provider.users = {"me": "word"}
    (tmp_path / "login").write_text("me word\n")
    (tmp_path / "login").chmod(0o600)
    plain = f"[catalog:peps]\nurl = {protected.address}/resto\ncredentials = login\n"
    words = ["download", "-w", str(tmp_path / "out"), "--config", str(tmp_path / "x.cfg")]
    (tmp_path / "x.cfg").write_text(plain)
    assert main(words) == 4
    assert "peps has no certificate that is trusted" in capsys.readouterr().err
    (tmp_path / "x.cfg").write_text(f"{plain}ca_bundle = {certificate[0]}\n")
    assert main(words) == 0
    assert (tmp_path / "out" / f"{NAME}.zip").read_bytes() == product.body
    (tmp_path / "x.cfg").write_text(plain)
    assert main(["search", "--config", words[-1], "--ca-bundle", str(certificate[0])]) == 0


def test_settings_of_a_provider(tmp_path: Path) -> None:
    file = tmp_path / "x.cfg"
    (tmp_path / "ca.pem").touch()
    file.write_text(
        "[catalog:cdse]\nca_bundle = ca.pem\npoll_seconds = 300\n[catalog:earth-search]\n"
    )
    cdse, earth = open_chain(read_catalog_settings([file])).catalogs
    product = Product(name=NAME, address="https://example.org/x")
    source = earth.source(product)
    assert (source.connections, source.ca_bundle, source.poll_s) == (2, None, None)
    cdse._access = replace(cdse._access, credentials=Key("x"))  # type: ignore[attr-defined]
    source = cdse.source(product)
    assert (source.connections, source.ca_bundle) == (4, tmp_path / "ca.pem")
    assert source.poll_s == 300.0
    for line in ("poll_seconds = 1", "poll_seconds = soon", "ca_bundle = gone.pem"):
        file.write_text(f"[catalog:cdse]\n{line}\n")
        with pytest.raises(SettingsError, match="catalog cdse"):
            read_catalog_settings([file])


def test_provider_is_asked_at_its_own_pace(provider: Server, tmp_path: Path) -> None:
    """It wants three minutes between questions, the errand allows one; the operator 0.3 s."""
    provider.provider.add(archive(NAME, storage="tape", polls_to_stage=3))
    catalog = RestoCatalog(
        address=f"{provider.address}/resto", access=Access(credentials=Key("x"), poll_s=0.3)
    )
    results = fetch(
        catalog.search(Query()), catalog, tmp_path, downloader=Downloader(QUICK), form=FORM
    )
    assert [result.stage for result in results] == [Stage.FETCHED]
    polls = [seen.time for seen in provider.log if "productIdentifier" in seen.query]
    assert len(polls) >= 2
    assert all(0.29 <= later - earlier < 5.0 for earlier, later in pairwise(polls))


def test_provider_that_asks_for_no_pause_is_not_hammered(provider: Server, tmp_path: Path) -> None:
    provider.provider.add(archive(NAME, storage="tape", polls_to_stage=3))
    provider.provider.milliseconds_to_wait = 0
    catalog = RestoCatalog(address=f"{provider.address}/resto", access=Access(credentials=Key("x")))
    policy = StagingPolicy(shortest_poll_s=0.3)
    downloader = Downloader(QUICK)
    fetch(
        catalog.search(Query()), catalog, tmp_path, downloader=downloader, form=FORM, policy=policy
    )
    polls = [seen.time for seen in provider.log if "productIdentifier" in seen.query]
    assert min(later - earlier for earlier, later in pairwise(polls)) >= 0.29


class _Silent(RestoCatalog):
    """Keeps those who ask where a product is."""

    asked = threading.Event()
    ended = threading.Event()

    def refresh(self, product: Product) -> Product:
        """Answer when the test is over."""
        self.asked.set()
        self.ended.wait(60)
        return product


def test_silent_catalogue_keeps_nobody_who_wants_to_stop(provider: Server, tmp_path: Path) -> None:
    provider.provider.add(archive(NAME, storage="tape"))
    catalog = _Silent(address=f"{provider.address}/resto", access=Access(credentials=Key("x")))
    cancel = threading.Event()
    products = list(catalog.search(Query()))
    threading.Thread(target=lambda: catalog.asked.wait(30) and cancel.set()).start()
    policy = StagingPolicy(longest_poll_s=0.01)
    downloader = Downloader(QUICK, cancel=cancel)
    try:
        with pytest.raises(CancelledError):
            fetch(products, catalog, tmp_path, downloader=downloader, policy=policy)
        assert catalog.asked.is_set()
    finally:
        catalog.ended.set()


class _SlowKey(Key):
    """A token that its provider does not send."""

    asked = threading.Event()
    ended = threading.Event()

    def headers(self) -> dict[str, str]:
        """Answer when the test is over."""
        self.asked.set()
        self.ended.wait(60)
        return {}


def test_silent_provider_of_tokens_keeps_nobody_who_wants_to_stop(
    provider: Server, tmp_path: Path
) -> None:
    product = archive(NAME)
    provider.provider.add(product)
    key, cancel = _SlowKey(""), threading.Event()
    source = source_of(provider, product, credentials=key)
    threading.Thread(target=lambda: key.asked.wait(30) and cancel.set()).start()
    try:
        with pytest.raises(CancelledError):
            Downloader(QUICK, cancel=cancel).fetch_product(source, tmp_path, NAME, FORM)
    finally:
        key.ended.set()
    assert provider.downloads() == []


@pytest.mark.parametrize("checked", ["part", "archive"])
def test_checks_of_what_is_there_stop_on_request(
    provider: Server, tmp_path: Path, checked: str
) -> None:
    """Reading gigabytes again takes longer than anybody wants to wait; what is there stays."""
    product = archive(NAME, size=5_000_000)
    provider.provider.add(product)
    told = {} if checked == "part" else {"checksum": None}
    name = f".{NAME}.zip.part" if checked == "part" else f"{NAME}.zip"
    (tmp_path / name).write_bytes(product.body)
    cancel = threading.Event()
    cancel.set()
    source = source_of(provider, product, **told)
    form = Form(extracted=True, margin=0)
    with pytest.raises(CancelledError):
        Downloader(QUICK, cancel=cancel).fetch_product(source, tmp_path, NAME, form)
    assert names_in(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == product.body


def test_page_that_repeats_the_key_is_told_without_it(provider: Server, tmp_path: Path) -> None:
    """With status 200, as gateways do."""
    product = archive(NAME)
    provider.provider.add(product)
    planted = "Xq7-planted-secret"
    provider.faults.always(NAME, Fault("html", text=f"<p>The key {planted} is too old</p>"))
    source = source_of(provider, product, credentials=Key(planted))
    told: list[Progress] = []
    with pytest.raises(AnswerError, match=r"The key \.\.\. is too old") as raised:
        Downloader(QUICK, report=told.append).fetch_product(source, tmp_path, NAME, FORM)
    assert planted not in repr(raised.value) + repr(told)


def test_downloads_keep_to_a_speed(provider: Server, tmp_path: Path) -> None:
    product = archive(NAME, size=300_000)
    provider.provider.add(product)
    slow = replace(QUICK, largest_speed=300_000.0)
    begin = time.monotonic()
    Downloader(slow).fetch_product(source_of(provider, product), tmp_path, NAME, FORM)
    assert time.monotonic() - begin >= 0.99
    with pytest.raises(QueryError, match="speed must be larger than 0"):
        replace(QUICK, largest_speed=0.0)


def test_proxy_is_asked_for_searches_too(provider: Server) -> None:
    """The scripted provider answers whole addresses too, as a proxy does."""
    provider.provider.add(archive(NAME))
    asker = Asker("peps", proxy=provider.address)
    catalog = RestoCatalog(address="http://provider.invalid/resto", asker=asker)
    assert [product.name for product in catalog.search(Query())] == [NAME]
    assert provider.log[0].headers["host"] == "provider.invalid"
