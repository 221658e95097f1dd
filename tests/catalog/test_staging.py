"""Many products: from tape, from disk, with what goes wrong among them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from catalog.download import Downloader, Form
from catalog.errors import (
    CancelledError,
    IntegrityError,
    NotFoundError,
    StagingError,
    UnreachableError,
)
from catalog.model import Access, Product, Query, Source, Storage
from catalog.progress import Progress, Stage
from catalog.resto import RestoCatalog
from catalog.staging import Fetched, StagingPolicy, fetch
from tests.catalog.fetching import (
    FORM,
    LOGIN,
    POLICY,
    QUICK,
    body_of,
    catalog_at,
    fill,
    found_by,
    names_in,
    numbered_name,
)
from tests.catalog.scripted import Fault, Server, archive
from tests.catalog.scripted.server import wait_for


def _states(results: tuple[Fetched, ...]) -> list[str]:
    return [result.stage.value for result in results]


def test_all_on_tape_are_asked_for_before_anything_is_read(
    provider: Server, tmp_path: Path
) -> None:
    on_disk = fill(provider, 3)
    on_tape = fill(provider, 3, storage="tape", polls_to_stage=3)
    catalog = catalog_at(provider)
    told: list[Progress] = []
    results = fetch(
        found_by(catalog, on_disk + on_tape),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK, report=told.append),
        form=FORM,
        policy=replace(POLICY, threads=1),
    )
    assert [result.product.name for result in results] == on_disk + on_tape
    assert _states(results) == ["fetched"] * 6
    for result in results:
        assert result.path == tmp_path / f"{result.product.name}.zip"
        assert result.path.read_bytes() == body_of(provider, result.product.name)
    order = [(seen.product, seen.status) for seen in provider.downloads()]
    assert order[:3] == [(name, 202) for name in on_tape]
    assert order[3:6] == [(name, 200) for name in on_disk]
    assert sorted(order[6:]) == [(name, 200) for name in on_tape]
    stages = [one.stage for one in told if one.name == on_tape[0]]
    assert stages[0] is Stage.STAGING
    assert stages[-1] is Stage.FETCHED


def test_provider_is_asked_as_often_as_it_wants(provider: Server, tmp_path: Path) -> None:
    """And not only once a minute."""
    (name,) = fill(provider, 1, storage="tape", polls_to_stage=3)
    provider.provider.milliseconds_to_wait = 200
    catalog = catalog_at(provider)
    (result,) = fetch(
        found_by(catalog, [name]),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=StagingPolicy(shortest_poll_s=0.0),
    )
    assert result.stage is Stage.FETCHED
    times = [
        seen.time for seen in provider.log if seen.product or "productIdentifier" in seen.query
    ]
    waits = [later - earlier for earlier, later in pairwise(times)][:-1]
    assert len(waits) >= 3
    assert min(waits) >= 0.19


@pytest.mark.parametrize("mode", ["tape", "tier3", "staging", "unaivalable"])
def test_every_word_of_the_provider_for_not_here_leads_to_the_product(
    provider: Server, tmp_path: Path, mode: str
) -> None:
    (name,) = fill(provider, 1, storage=mode)
    catalog = catalog_at(provider)
    (result,) = fetch(
        found_by(catalog, [name]),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert result.error is None
    assert result.stage is Stage.FETCHED


def test_unknown_storage_is_tried_and_says_nothing_for_ever(
    provider: Server, tmp_path: Path
) -> None:
    """The tape service is down while the products are found, and later too."""
    names = [*fill(provider, 2), *fill(provider, 2, storage="tape", polls_to_stage=4)]
    provider.provider.tape_down = True
    catalog = catalog_at(provider)
    products = found_by(catalog, names)
    assert {product.storage for product in products} == {Storage.UNKNOWN}
    results = fetch(
        products, catalog, tmp_path, downloader=Downloader(QUICK), form=FORM, policy=POLICY
    )
    assert _states(results) == ["fetched"] * 4


def test_product_that_stays_on_tape_is_given_up(provider: Server, tmp_path: Path) -> None:
    (slow,) = fill(provider, 1, storage="tape", polls_to_stage=10**6)
    (here,) = fill(provider, 1)
    catalog = catalog_at(provider)
    results = fetch(
        found_by(catalog, [slow, here]),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=replace(POLICY, timeout_s=0.5),
    )
    assert _states(results) == ["failed", "fetched"]
    assert isinstance(results[0].error, StagingError)
    assert f"{slow} did not come from tape" in str(results[0].error)


def test_what_goes_wrong_with_one_stops_no_other(provider: Server, tmp_path: Path) -> None:
    names = fill(provider, 6)
    provider.faults.always(names[0], Fault("corrupt"))
    provider.faults.always(names[2], Fault("status", 404, text="Feature has been moved"))
    provider.faults.always(names[3], Fault("status", 503))
    catalog = catalog_at(provider)
    results = fetch(
        found_by(catalog, names),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert _states(results) == ["failed", "fetched", "failed", "failed", "fetched", "fetched"]
    expected = (IntegrityError, NotFoundError, UnreachableError)
    assert tuple(type(results[n].error) for n in (0, 2, 3)) == expected
    assert names_in(tmp_path) == sorted(f"{names[n]}.zip" for n in (1, 4, 5))


@pytest.mark.parametrize("storage", list(Storage))
def test_name_that_leads_away_fails_alone(
    provider: Server, tmp_path: Path, storage: Storage
) -> None:
    (name,) = fill(provider, 1)
    catalog = catalog_at(provider)
    (good,) = found_by(catalog, [name])
    bad = replace(good, name="../../outside", storage=storage)
    results = fetch(
        [bad, good],
        catalog,
        tmp_path / "in",
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert _states(results) == ["failed", "fetched"]
    assert names_in(tmp_path) == ["in"]


def test_folder_that_cannot_be_made_is_told(provider: Server, tmp_path: Path) -> None:
    names = fill(provider, 2)
    catalog = catalog_at(provider)
    (tmp_path / "file").touch()
    results = fetch(
        found_by(catalog, names),
        catalog,
        tmp_path / "file" / "folder",
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert _states(results) == ["failed", "failed"]
    assert all("cannot be written: Not a directory" in str(result.error) for result in results)


def test_product_that_vanishes_while_it_is_staged_fails_alone(
    provider: Server, tmp_path: Path
) -> None:
    gone, other = fill(provider, 2, storage="tape", polls_to_stage=8)
    catalog = catalog_at(provider)
    products = found_by(catalog, [gone, other])

    def vanish(progress: Progress) -> None:
        if (progress.name, progress.stage) == (gone, Stage.STAGING):
            provider.provider.products.pop(gone, None)

    results = fetch(
        products,
        catalog,
        tmp_path,
        downloader=Downloader(QUICK, report=vanish),
        form=FORM,
        policy=POLICY,
    )
    assert _states(results) == ["failed", "fetched"]
    assert isinstance(results[0].error, NotFoundError)


class _Deaf(RestoCatalog):
    """Does not answer the first questions about where a product is."""

    silences = 3

    def refresh(self, product: Product) -> Product:
        """Ask again, in vain at first."""
        if self.silences:
            self.silences -= 1
            raise UnreachableError("peps does not answer")
        return super().refresh(product)


def test_catalogue_that_is_silent_for_a_while_is_asked_again(
    provider: Server, tmp_path: Path
) -> None:
    (name,) = fill(provider, 1, storage="tape", polls_to_stage=1)
    plain = catalog_at(provider)
    deaf = _Deaf(address=f"{provider.address}/resto", access=Access(credentials=LOGIN))
    (result,) = fetch(
        found_by(plain, [name]),
        deaf,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert result.stage is Stage.FETCHED
    assert deaf.silences == 0


def test_what_is_there_is_neither_asked_for_nor_fetched(provider: Server, tmp_path: Path) -> None:
    """On tape or not; one that is asked for twice is fetched once."""
    names = [*fill(provider, 1), *fill(provider, 1, storage="tape")]
    (new,) = fill(provider, 1)
    for name in names:
        (tmp_path / f"{name}.zip").write_bytes(body_of(provider, name))
    catalog = catalog_at(provider)
    results = fetch(
        found_by(catalog, [*names, new, new]),
        catalog,
        tmp_path,
        downloader=Downloader(QUICK),
        form=FORM,
        policy=POLICY,
    )
    assert _states(results) == ["there", "there", "fetched", "fetched"]
    assert [seen.product for seen in provider.downloads()] == [new]


def test_local_product_stays_where_it_is_or_is_unpacked(tmp_path: Path) -> None:
    scripted = archive(numbered_name(1))
    path = tmp_path / "lake" / f"{scripted.name}.zip"
    path.parent.mkdir()
    path.write_bytes(scripted.body)
    product = Product(name=scripted.name, storage=Storage.LOCAL, path=path)
    out = tmp_path / "out"
    (left,) = fetch([product], _Nothing(), out, form=FORM)
    assert (left.stage, left.path) == (Stage.THERE, path)
    (unpacked,) = fetch([product], _Nothing(), out, form=Form(extracted=True, margin=0))
    assert (unpacked.stage, unpacked.path) == (Stage.FETCHED, out / f"{scripted.name}.SAFE")
    assert path.is_file()


class _Nothing:
    """A catalogue that must not be asked."""

    name = "nothing"

    def search(self, query: Query) -> Iterator[Product]:
        """Fail."""
        raise AssertionError(query)

    def refresh(self, product: Product) -> Product:
        """Fail."""
        raise AssertionError(product)

    def source(self, product: Product) -> Source:
        """Fail."""
        raise AssertionError(product)


def test_fetching_stops_on_request(provider: Server, tmp_path: Path) -> None:
    """With one product that is being read, one that is waited for, and one in the queue."""
    names = [*fill(provider, 2), *fill(provider, 1, storage="tape", polls_to_stage=10**6)]
    provider.faults.always(names[0], Fault("stall"))
    provider.faults.always(names[1], Fault("stall"))
    catalog = catalog_at(provider)
    cancel = threading.Event()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            fetch(
                found_by(catalog, names),
                catalog,
                tmp_path,
                downloader=Downloader(QUICK, cancel=cancel),
                form=FORM,
                policy=replace(POLICY, threads=1),
            )
        except CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: any(seen.fault == "stall" for seen in provider.downloads()))
    cancel.set()
    thread.join(15)
    assert ended
    assert not [name for name in names_in(tmp_path) if name.endswith((".zip", ".lock"))]


def test_interrupted_call_leaves_nothing_running(provider: Server, tmp_path: Path) -> None:
    names = fill(provider, 2)
    provider.faults.always(names[1], Fault("stall"))
    catalog = catalog_at(provider)

    def interrupt(progress: Progress) -> None:
        if progress.stage is Stage.FETCHED:
            raise KeyboardInterrupt

    downloader = Downloader(QUICK, report=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(
            found_by(catalog, names),
            catalog,
            tmp_path,
            downloader=downloader,
            form=FORM,
            policy=POLICY,
        )
    assert downloader.cancel.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]
