"""Who may fetch, what is refused for good, and what nobody gets to see."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import (
    AccessError,
    AnswerError,
    CatalogError,
    NotFoundError,
    UnreachableError,
)
from catalog.model import Source
from catalog.progress import Progress, Stage
from tests.catalog.fetching import (
    NAME,
    Key,
    fetched,
    names_in,
    product_at,
    source_of,
)
from tests.catalog.scripted import Fault, Server

REFUSALS: dict[str, tuple[Callable[[Server], object], type[CatalogError], str]] = {
    "anonymous": (lambda p: p.provider.users.update(me="secret"), AccessError, "401: Unauthorized"),
    "quota": (lambda p: setattr(p.provider, "quota_used_up", True), AccessError, "week 10000000"),
    "forbidden": (lambda p: p.faults.always(NAME, Fault("status", 403)), AccessError, "403"),
    "gone": (lambda p: p.faults.always(NAME, Fault("status", 410)), NotFoundError, "410"),
    "no such": (lambda p: p.faults.always(NAME, Fault("status", 404)), NotFoundError, "404"),
    "moved": (
        lambda p: setattr(p.provider.products[NAME], "moved_to", "0815"),
        NotFoundError,
        "new feature id is : 0815",
    ),
}


@pytest.mark.parametrize(("arrange", "error", "text"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_for_good_is_told_and_not_repeated(
    provider: Server,
    tmp_path: Path,
    arrange: Callable[[Server], object],
    error: type[CatalogError],
    text: str,
) -> None:
    product = product_at(provider)
    arrange(provider)
    with pytest.raises(error, match=text) as raised:
        fetched(source_of(provider, product), tmp_path)
    assert type(raised.value) is error
    assert "\n" not in str(raised.value)
    assert len(provider.downloads() or [seen for seen in provider.log if seen.status > 400]) == 1
    assert names_in(tmp_path) == []


def test_not_found_is_a_matter_of_access_where_the_provider_says_so(
    provider: Server, tmp_path: Path
) -> None:
    product = product_at(provider)
    provider.provider.users["me"] = "right"
    wrong = Key("bWU6d3Jvbmc=", header="Authorization", scheme="Basic")
    source = source_of(provider, product, credentials=wrong, not_found_means_access=True)
    with pytest.raises(AccessError, match="no such product or wrong credentials"):
        fetched(source, tmp_path)
    product.moved_to = "0815"
    right = Key("bWU6cmlnaHQ=", header="Authorization", scheme="Basic")
    with pytest.raises(NotFoundError, match="moved"):
        fetched(replace(source, credentials=right), tmp_path)


def test_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"no connection with 127\.0\.0\.1:1"):
        fetched(Source(address="http://127.0.0.1:1/product"), tmp_path)
    assert names_in(tmp_path) == []


def test_token_is_refreshed_once(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.provider.tokens = {"fresh"}
    key = Key("stale", "fresh", header="Authorization", scheme="Bearer")
    fetched(source_of(provider, product, credentials=key), tmp_path)
    assert key.refusals == 1
    stale = Key("stale", "stale", "fresh", header="Authorization", scheme="Bearer")
    with pytest.raises(AccessError, match="401: Unauthorized"):
        fetched(source_of(provider, product, credentials=stale), tmp_path / "other")
    assert stale.refusals == 1


def test_token_that_expires_on_the_way_is_refreshed(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.provider.tokens = {"first"}
    provider.faults.plan(NAME, Fault("truncate"))
    key = Key("first", "second", header="Authorization", scheme="Bearer")

    def expire(progress: Progress) -> None:
        if progress.stage is Stage.WAITING:
            provider.provider.tokens = {"second"}

    source = source_of(provider, product, credentials=key)
    assert fetched(source, tmp_path, report=expire).read_bytes() == product.body
    assert key.refusals == 1
    assert provider.downloads()[-1].status == 206


@pytest.mark.parametrize("key", ["Xq7\r\nHost: x", "Xq7-\N{SNOWMAN}"])
def test_key_that_is_no_header_is_refused_unseen(
    provider: Server, tmp_path: Path, key: str
) -> None:
    source = source_of(provider, product_at(provider), credentials=Key(key))
    with pytest.raises(AccessError, match="no header can hold the credentials") as raised:
        fetched(source, tmp_path)
    assert "Xq7" not in repr(raised.value)


@pytest.mark.parametrize(
    "address",
    ["nowhere", "http://", "http://[::1", "gopher://h/x", "http://h:x/", "http://h:99999/"],
)
def test_address_that_is_none_is_told(tmp_path: Path, address: str) -> None:
    with pytest.raises((AnswerError, UnreachableError), match=r"no such address|no connection"):
        fetched(Source(address=address), tmp_path)


@pytest.mark.parametrize("to", ["http://[::1", "http://h:99999/"])
def test_redirect_to_no_address_is_told(provider: Server, tmp_path: Path, to: str) -> None:
    product = product_at(provider)
    provider.faults.always(NAME, Fault("redirect", to=to))
    with pytest.raises(AnswerError, match=r"no such address|no address"):
        fetched(source_of(provider, product), tmp_path)


def test_secrets_are_in_no_log_and_no_error(
    provider: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    product = product_at(provider)
    planted = "Xq7-planted-secret"
    caplog.set_level(logging.DEBUG)
    source = source_of(provider, product, credentials=Key(planted))
    source = replace(source, address=f"{source.address}?sig={planted}")
    told: list[Progress] = []
    provider.provider.keys = {planted}
    provider.faults.always(NAME, Fault("status", 403, text=f"your key {planted} is too old"))
    with pytest.raises(AccessError, match=r"your key \.\.\. is too old") as refused:
        fetched(source, tmp_path, report=told.append)
    nowhere = replace(source, address=f"http://127.0.0.1:1/x?sig={planted}")
    with pytest.raises(UnreachableError) as unreachable:
        fetched(nowhere, tmp_path, report=told.append)
    for error in (refused.value, unreachable.value):
        assert planted not in repr(error)
        assert error.__suppress_context__ or error.__cause__ is None
    assert planted not in repr(told)
    assert planted not in caplog.text
