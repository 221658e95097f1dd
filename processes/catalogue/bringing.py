"""Products come from providers into the server's datalake, while a job waits and tells of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from catalog.chain import CatalogChain
from catalog.download import Downloader, Form
from catalog.model import Product, Storage
from catalog.progress import Progress as News
from catalog.progress import Stage
from catalog.requesting import Network
from catalog.staging import Fetched, fetch
from catalog.wording import one_line
from kernels.engine.progress import Progress
from kernels.errors import InputError
from processes.catalogue.asking import find_named, open_configured, told_as_ours
from processes.settings import Settings

_GB = 1e9
_MB = 1_000_000
_WORDS = {
    Stage.STAGING: "waiting for tape",
    Stage.WAITING: "waiting for",
    Stage.FETCHING: "fetching",
    Stage.EXTRACTING: "unpacking",
    Stage.FETCHED: "fetched",
    Stage.THERE: "found",
    Stage.FAILED: "could not fetch",
}
_EXPLAINED = (Stage.WAITING, Stage.FAILED)
_ENDS = (Stage.FETCHED, Stage.THERE, Stage.FAILED)


def bring(
    products: Sequence[Product], chain: CatalogChain, settings: Settings, progress: Progress
) -> tuple[Fetched, ...]:
    """Fetch products into the datalake, those on tape after they have come from there.

    Parameters
    ----------
    products : sequence of Product
        As the catalogues found them, each name once.
    chain : CatalogChain
        That found them.
    settings : Settings
        Of the server: the datalake, what must stay free there, what a user may have.
    progress : Progress
        Hears ``waiting for tape NAME, 3 of 10``; its wish to stop is heard within a second.

    Returns
    -------
    tuple of Fetched
        One for each product, in their order, whatever became of it.

    Raises
    ------
    InputError
        The server has no datalake, or the products are larger than what a user may have.
    Cancelled
        The job is to stop; what has arrived stays for the next one.
    """
    if settings.datalake is None:
        raise InputError("this server fetches no products: it has no setting datalake")
    _check_size(products, settings.user_results_gb)
    with told_as_ours():
        downloader = Downloader(
            network_of(settings), cancel=progress.cancelled, report=_Teller(products, progress).hear
        )
        form = Form(margin=settings.disk_reserve_mb * _MB)
        results = fetch(products, chain, settings.datalake, downloader=downloader, form=form)
    for result in results:
        if result.stage is Stage.FETCHED and result.path is not None:
            chain.add(result.path)
    return results


def network_of(settings: Settings) -> Network:
    """Return how jobs speak to servers: all of them together keep to the limits of each host."""
    return Network(connections_folder=settings.state_folder / "connections")


def bring_named(
    names: Sequence[str], settings: Settings, progress: Progress
) -> tuple[Fetched, ...]:
    """Find products by name, and fetch them into the datalake.

    Parameters
    ----------
    names : sequence of str
        Without endings.
    settings : Settings
        Of the server.
    progress : Progress
        See `bring`.

    Returns
    -------
    tuple of Fetched
        Where each is: in the datalake, or in a folder whose index knows it.

    Raises
    ------
    InputError
        One of them is in no catalogue, or could not be fetched.
    Cancelled
        The job is to stop.
    """
    chain = open_configured()
    progress.update(0.0, "asking the catalogue")
    results = bring(find_named(chain, names), chain, settings, progress)
    for result in results:
        if result.path is None:
            raise InputError(f"{result.product.name} could not be fetched: {result.error}")
    return results


def _check_size(products: Sequence[Product], most_gb: int | None) -> None:
    size = sum(one.size or 0 for one in products if one.storage is not Storage.LOCAL)
    if most_gb is not None and size > most_gb * _GB:
        raise InputError(
            f"the products have {size / _GB:.1f} GB together, a user may have {most_gb} GB"
        )


class _Teller:
    """Turns the news of many products, told by several threads, into the status of one job."""

    def __init__(self, products: Sequence[Product], progress: Progress) -> None:
        self._numbers = {one.name: number for number, one in enumerate(products, start=1)}
        self._shares = dict.fromkeys(self._numbers, 0.0)
        self._told = 0.0
        self._progress = progress
        self._lock = threading.Lock()

    def hear(self, news: News) -> None:
        """Take news of one product; a wish to stop is left to the downloader."""
        with self._lock:
            if news.stage in _ENDS:
                self._shares[news.name] = 1.0
            elif news.stage is Stage.FETCHING and news.share is not None:
                self._shares[news.name] = max(self._shares[news.name], news.share)
            # a download that starts over makes no share smaller
            self._told = max(self._told, sum(self._shares.values()) / len(self._shares))
            place = f"{self._numbers[news.name]} of {len(self._numbers)}"
            why = f": {one_line(news.text)}" if news.text and news.stage in _EXPLAINED else ""
            if not self._progress.cancelled.is_set():
                step = f"{_WORDS[news.stage]} {news.name}, {place}{why}"
                self._progress.update(self._told, step)
