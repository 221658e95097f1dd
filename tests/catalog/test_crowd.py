"""Many products at once while nearly every third request goes wrong."""

from __future__ import annotations

import mmap
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.download import Downloader
from catalog.progress import Progress, Stage
from catalog.staging import fetch
from tests.catalog.fetching import (
    FORM,
    POLICY,
    QUICK,
    body_of,
    catalog_at,
    fill,
    found_by,
    names_in,
    numbered_name,
)
from tests.catalog.scripted import Fault, ScriptedProduct, ScriptedResto, Server, archive, serving

DAMAGE = (
    Fault("truncate"),
    Fault("short"),
    Fault("reset"),
    Fault("corrupt"),
    Fault("html"),
    Fault("ignore_range"),
    Fault("status", status=503),
    Fault("status", status=429, retry_after="10"),
)


def _crowd(tmp_path: Path, *, count: int, size: int, clients: int) -> None:
    """Fetch many products while nearly every third request goes wrong."""
    with serving(ScriptedResto()) as provider:
        names = []
        for _ in range(count):
            names += fill(provider, 1, size=size)
            _keep_on_disk(provider, names[-1], tmp_path / "provider")
        provider.faults.draw(0.3, DAMAGE)
        catalog = catalog_at(provider, connections=clients)
        products = found_by(catalog, names)
        finished: list[str] = []

        def hear(progress: Progress) -> None:
            if progress.stage in (Stage.FETCHED, Stage.FAILED):
                finished.append(progress.name)

        results = fetch(
            products,
            catalog,
            tmp_path / "out",
            downloader=Downloader(QUICK, report=hear),
            form=FORM,
            policy=replace(POLICY, threads=clients),
        )
        assert [str(result.error) for result in results if result.error] == []
        assert [result.stage for result in results] == [Stage.FETCHED] * count
        for name in names:
            body = (tmp_path / "out" / f"{name}.zip").read_bytes()
            assert body == body_of(provider, name)[:]
        assert names_in(tmp_path / "out") == sorted(f"{name}.zip" for name in names)
        _assert_none_twice(provider, names)
        assert sum(bool(seen.fault) for seen in provider.downloads()) > 0.15 * count
        begun = list(dict.fromkeys(seen.product for seen in provider.downloads()))
        # threads are woken in any order, so that neighbours may change places
        assert all(abs(begun.index(name) - n) < clients for n, name in enumerate(names))
        assert sorted(finished) == sorted(names)
        assert provider.provider.most_active <= clients


def _keep_on_disk(provider: Server, name: str, folder: Path) -> None:
    """Hundreds of large bodies would be too much for the memory."""
    folder.mkdir(exist_ok=True)
    product = provider.provider.products[name]
    path = folder / name
    path.write_bytes(product.body)
    with path.open("rb") as file:
        product.body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _assert_none_twice(provider: Server, names: list[str]) -> None:
    """Each product is sent once without a fault, as its last answer, and then no more."""
    for name in names:
        *before, last = provider.downloads(name)
        assert all(seen.fault for seen in before)
        assert last.fault in ("", "ignore_range")


def test_crowd_of_products_arrives_intact_in_order_and_once(tmp_path: Path) -> None:
    _crowd(tmp_path, count=30, size=100_000, clients=8)


@pytest.mark.slow
def test_large_crowd_of_products_arrives_intact_in_order_and_once(tmp_path: Path) -> None:
    _crowd(tmp_path, count=200, size=20_000_000, clients=8)


def test_scripted_products_are_told_apart_by_their_bytes() -> None:
    """Else a product under the name of another would pass for intact."""
    products: list[ScriptedProduct] = [archive(numbered_name(n), size=5_000) for n in range(30)]
    assert len({product.body for product in products}) == 30
