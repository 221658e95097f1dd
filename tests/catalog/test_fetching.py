"""The commands that fetch and stage, as they are called by the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import threading
from pathlib import Path

import pytest

from catalog.asking import Asker
from catalog.credentials import BasicCredentials, Login
from catalog.errors import QueryError
from catalog.fetching import (
    add_download_options,
    add_network_options,
    download_command,
    download_products,
    stage_products,
)
from catalog.model import Access, Product, Query, Storage
from catalog.resto import RestoCatalog
from tests.catalog.fetching import names_in, numbered_name
from tests.catalog.scripted import Fault, Server, archive
from tests.catalog.scripted.server import wait_for

PLANTED = "Xq7-planted-secret"


@pytest.fixture
def catalog(provider: Server) -> RestoCatalog:
    """Three products on disk, one on tape; a password that must not be shown."""
    provider.provider.users = {"me": PLANTED}
    provider.provider.add(*(archive(numbered_name(n)) for n in range(3)))
    provider.provider.add(archive(numbered_name(3), storage="tape", polls_to_stage=0))
    return RestoCatalog(
        address=f"{provider.address}/resto",
        access=Access(credentials=BasicCredentials(Login("me", PLANTED))),
        asker=Asker("peps"),
    )


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def _options(*words: str | Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_download_options(parser)
    add_network_options(parser)
    return parser.parse_args([str(word) for word in words])


def _products(catalog: RestoCatalog) -> list[Product]:
    return sorted(catalog.search(Query()), key=lambda product: product.name)


def _on_disk(catalog: RestoCatalog) -> list[Product]:
    return _products(catalog)[:3]


def test_download_prints_where_products_are(
    catalog: RestoCatalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new"
    options = _options("-w", out, "-x", "--keep-polarisation", "vv")
    assert download_products(_on_disk(catalog), catalog, options) == 0
    printed = capsys.readouterr()
    expected = [out / f"{numbered_name(n)}.SAFE" for n in range(3)]
    assert printed.out.split() == [str(path) for path in expected]
    assert names_in(out) == [path.name for path in expected]
    assert len(list(out.glob("*.SAFE/measurement/*"))) == 3
    assert printed.err.count("fetched") == 3
    assert "[3/3]" in printed.err
    assert PLANTED not in printed.out + printed.err


def test_download_that_fails_for_one_says_so_and_brings_the_rest(
    provider: Server, catalog: RestoCatalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.faults.always(numbered_name(1), Fault("status", 403, text=f"go away, {PLANTED}"))
    assert download_products(_on_disk(catalog), catalog, _options("-w", tmp_path)) == 5
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert f"{numbered_name(1)} failed: no access" in printed.err
    assert PLANTED not in printed.out + printed.err


def test_commands_instead_of_downloads(
    provider: Server, catalog: RestoCatalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    products = _on_disk(catalog)
    assert download_products(products, catalog, _options("-n", "-w", tmp_path / "it's")) == 0
    lines = capsys.readouterr().out.splitlines()
    words = shlex.split(lines[0])
    assert words[0] == "curl"
    assert words[-1] == products[0].address
    assert str(tmp_path / "it's" / f"{products[0].name}.zip") in words
    assert PLANTED not in " ".join(lines)
    assert provider.downloads() == []


def test_address_that_holds_a_command_stays_an_address() -> None:
    product = Product(name="x", address="http://h/a?b=1&id;$(id)`id`")
    assert shlex.split(download_command(product, Path()))[-1] == product.address
    local = Product(name="x", storage=Storage.LOCAL, path=Path("/lake/$(id)"))
    assert shlex.split(download_command(local, Path()))[-1] == "/lake/$(id)"


def test_polarisations_are_kept_of_unpacked_products_only(
    catalog: RestoCatalog, tmp_path: Path
) -> None:
    options = _options("-w", tmp_path, "--keep-polarisation", "VV")
    with pytest.raises(QueryError, match="keep_polarisation must be given together with -x"):
        download_products(_on_disk(catalog), catalog, options)


def test_stage_asks_for_what_is_on_tape_and_fetches_nothing(
    provider: Server, catalog: RestoCatalog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage_products(_products(catalog), catalog, _options()) == 0
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    names = [numbered_name(n) for n in range(4)]
    assert words == [[name, "disk"] for name in names[:3]] + [[names[3], "staging"]]
    assert [seen.product for seen in provider.downloads()] == names[3:]


def test_interruption_ends_a_download_in_good_order(
    provider: Server, catalog: RestoCatalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while a product comes: the same command can go on later."""
    name = numbered_name(0)
    provider.faults.plan(name, Fault("stall"))
    part = tmp_path / f".{name}.zip.part"

    def interrupt() -> None:
        wait_for(lambda: part.is_file() and part.stat().st_size > 0)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    products = _on_disk(catalog)
    thread.start()
    assert download_products(products, catalog, _options("-w", tmp_path)) == 130
    thread.join()
    assert "goes on where it was" in capsys.readouterr().err
    assert part.is_file()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert download_products(products, catalog, _options("-w", tmp_path)) == 0
    assert names_in(tmp_path) == [f"{product.name}.zip" for product in products]
