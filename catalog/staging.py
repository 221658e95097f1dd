"""Fetches many products: brings those on tape to disk first, and the rest meanwhile.

A product goes from tape to staging to disk. All that are on tape are asked for before anything
is read; those on disk are fetched in their order while the others come; then each as it is ready.
A provider that does not know where a product is says nothing for ever: it is simply tried. What
goes wrong with one product stops no other.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from catalog.aside import aside
from catalog.download import Downloader, Form
from catalog.errors import (
    AnswerError,
    CancelledError,
    CatalogError,
    StagingError,
    UnreachableError,
)
from catalog.model import Catalog, Product, Storage
from catalog.partial import no_space
from catalog.progress import Progress, Stage, pause
from catalog.requesting import OnTape
from catalog.wording import one_line

_ON_TAPE = frozenset({Storage.TAPE, Storage.STAGING})
_LOOK_S = 0.5
_ASKING_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StagingPolicy:
    """How long products may take to come from tape.

    Attributes
    ----------
    shortest_poll_s, longest_poll_s : float
        Between two questions, whatever the provider asks for [s]; the operator may allow a
        provider another longest time.
    timeout_s : float
        Until a product is given up [s].
    threads : int
        Products that are fetched at once, from all hosts.
    """

    shortest_poll_s: float = 5.0
    longest_poll_s: float = 60.0
    timeout_s: float = 86_400.0
    threads: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What became of a product.

    Attributes
    ----------
    product : Product
        As it was last known.
    stage : Stage
        FETCHED, THERE or FAILED.
    path : Path or None
        Where it is; None where it failed.
    error : CatalogError or None
        Why it failed.
    """

    product: Product
    stage: Stage
    path: Path | None = None
    error: CatalogError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Where a product is after it was asked for.

    Attributes
    ----------
    product : Product
        As it was asked for.
    storage : Storage
        STAGING or DISK; LOCAL for one of this machine; UNKNOWN where it went wrong.
    error : CatalogError or None
        What went wrong.
    """

    product: Product
    storage: Storage
    error: CatalogError | None = None


@dataclass(frozen=True, slots=True)
class _Later:
    """It is on its way from tape; what is not known now stays as it was known before."""

    asked_s: float | None = None
    """What the provider asked to wait."""
    longest_s: float | None = None
    """What the operator allows this provider."""


@dataclass(order=True, slots=True, kw_only=True)
class _Course:
    """One product on its way; ordered by when it is next looked at."""

    due: float = 0.0
    number: int
    product: Product = field(compare=False)
    began: float | None = field(default=None, compare=False)
    """When it was first said to come from tape."""
    poll: _Later = field(default=_Later(), compare=False)
    """What is known of the time between two questions."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """It may be fetched now."""

    product: Product


_Outcome = Fetched | _Later | _Ready


def fetch(
    products: Iterable[Product],
    catalog: Catalog,
    folder: Path,
    *,
    downloader: Downloader | None = None,
    form: Form | None = None,
    policy: StagingPolicy | None = None,
) -> tuple[Fetched, ...]:
    """Fetch products.

    Parameters
    ----------
    products : iterable of Product
        As the catalogue found them; one that comes twice is fetched once.
    catalog : Catalog
        Tells where products are now and how to fetch them.
    folder : Path
        Where they are wanted.
    downloader : Downloader, optional
        Fetches them, tells of the progress, hears of the wish to stop; whatever else interrupts
        the call stops it too.
    form : Form, optional
        Archives or folders.
    policy : StagingPolicy, optional
        How long to wait for tapes.

    Returns
    -------
    tuple of Fetched
        One for each product, in their order, whatever happened.

    Raises
    ------
    CancelledError
        The downloader was told to stop; what has arrived stays.
    """
    wanted = list(products)
    errand = _Errand(
        catalog, folder, downloader or Downloader(), form or Form(), policy or StagingPolicy()
    )
    unique = {product.name: product for product in reversed(wanted)}
    results = errand.run([unique[name] for name in dict.fromkeys(one.name for one in wanted)])
    return tuple(results[product.name] for product in wanted)


def stage(
    products: Iterable[Product], catalog: Catalog, *, downloader: Downloader | None = None
) -> tuple[Staged, ...]:
    """Let products come from tape, without waiting for them.

    Parameters
    ----------
    products : iterable of Product
        As the catalogue found them; only those that are not on disk are asked for.
    catalog : Catalog
        Tells how to ask for them.
    downloader : Downloader, optional
        Asks for them.

    Returns
    -------
    tuple of Staged
        One for each product, in their order.

    Raises
    ------
    CancelledError
        The downloader was told to stop.
    """
    asker = downloader or Downloader()

    def ask(product: Product) -> Staged:
        if product.storage in (Storage.LOCAL, Storage.DISK):
            return Staged(product=product, storage=product.storage)
        try:
            later = asker.ask(catalog.source(product))
        except CancelledError:
            raise
        except CatalogError as error:
            return Staged(product=product, storage=Storage.UNKNOWN, error=error)
        return Staged(product=product, storage=Storage.STAGING if later else Storage.DISK)

    with ThreadPoolExecutor(_ASKING_THREADS, "ask") as pool:
        return tuple(pool.map(ask, products))


class _Errand:
    """One call of `fetch`."""

    def __init__(
        self,
        catalog: Catalog,
        folder: Path,
        downloader: Downloader,
        form: Form,
        policy: StagingPolicy,
    ) -> None:
        self._catalog = catalog
        self._folder = folder
        self._downloader = downloader
        self._form = form
        self._policy = policy
        self._running: dict[Future[_Outcome], _Course] = {}
        self._waiting: list[_Course] = []
        self._results: dict[str, Fetched] = {}

    def run(self, products: list[Product]) -> dict[str, Fetched]:
        """Bring all of them to an end."""
        courses = [_Course(number=number, product=one) for number, one in enumerate(products)]
        on_tape = [course for course in courses if course.product.storage in _ON_TAPE]
        fetching = ThreadPoolExecutor(max(self._policy.threads, 1), "fetch")
        asking = ThreadPoolExecutor(_ASKING_THREADS, "ask")
        try:
            for course in on_tape:
                self._submit(fetching, self._trigger, course)
            for course in courses:
                if course not in on_tape:
                    self._submit(fetching, self._fetch, course)
            while self._running or self._waiting:
                pause(self._downloader.cancel)
                self._ask_for_due(asking)
                self._collect(fetching)
        finally:
            if self._running:  # interrupted: nothing goes on behind the caller's back
                self._downloader.cancel.set()
            for future in self._running:
                future.cancel()
            fetching.shutdown()
            asking.shutdown()
        return self._results

    def _is_there(self, product: Product) -> bool:
        return self._form.is_there(self._folder, product.name, product.size)

    def _submit(
        self, pool: ThreadPoolExecutor, step: Callable[[Product], _Outcome], course: _Course
    ) -> None:
        self._running[pool.submit(self._safely, step, course.product)] = course

    def _ask_for_due(self, asking: ThreadPoolExecutor) -> None:
        while self._waiting and self._waiting[0].due <= time.monotonic():
            self._submit(asking, self._poll, heapq.heappop(self._waiting))

    def _collect(self, fetching: ThreadPoolExecutor) -> None:
        """Wait a moment for what ends, and send it on its way."""
        moment = _LOOK_S
        if self._waiting:
            moment = min(max(self._waiting[0].due - time.monotonic(), 0.0), moment)
        if not self._running:
            pause(self._downloader.cancel, moment)
            return
        done, _ = wait(self._running, moment, FIRST_COMPLETED)
        for future in sorted(done, key=lambda one: self._running[one].number):
            course = self._running.pop(future)
            match future.result():
                case Fetched() as result:
                    self._finish(result, course)
                case _Ready(product):
                    course.product = product
                    self._submit(fetching, self._fetch, course)
                case _Later() as later:
                    self._put_off(course, later)

    def _put_off(self, course: _Course, later: _Later) -> None:
        now = time.monotonic()
        if course.began is None:
            course.began = now
        waited = now - course.began
        if waited >= self._policy.timeout_s:
            error = StagingError(
                one_line(f"{course.product.name} did not come from tape in {waited:.0f} s")
            )
            self._finish(Fetched(product=course.product, stage=Stage.FAILED, error=error), course)
            return
        known = course.poll
        course.poll = _Later(
            known.asked_s if later.asked_s is None else later.asked_s,
            known.longest_s if later.longest_s is None else later.longest_s,
        )
        course.due = now + self._poll_wait_s(course.poll)
        heapq.heappush(self._waiting, course)
        self._tell(course.product, Stage.STAGING, "comes from tape")

    def _poll_wait_s(self, poll: _Later) -> float:
        longest = self._policy.longest_poll_s if poll.longest_s is None else poll.longest_s
        wait = longest if poll.asked_s is None else min(poll.asked_s, longest)
        return max(wait, min(self._policy.shortest_poll_s, longest))

    def _finish(self, result: Fetched, course: _Course) -> None:
        self._results[course.product.name] = result
        self._tell(course.product, result.stage, str(result.error or ""))

    def _tell(self, product: Product, stage: Stage, text: str) -> None:
        share = 1.0 if stage in (Stage.FETCHED, Stage.THERE) else None
        size = product.size or 0
        self._downloader.report(
            Progress(product.name, stage, share, size if share else 0, product.size, text=text)
        )

    def _safely(self, step: Callable[[Product], _Outcome], product: Product) -> _Outcome:
        """Turn what goes wrong with a product into its result."""
        try:
            return step(product)
        except CancelledError:
            raise
        except CatalogError as error:
            return Fetched(product=product, stage=Stage.FAILED, error=error)
        except OSError as error:
            failure = no_space(error, self._folder / product.name)
            return Fetched(product=product, stage=Stage.FAILED, error=failure)

    def _trigger(self, product: Product) -> _Outcome:
        """Let a product come from tape, unless it is here."""
        if self._is_there(product):
            return _Ready(product)
        source = self._catalog.source(product)
        later = self._downloader.ask(source)
        return _Ready(product) if later is None else _Later(later.wait_s, source.poll_s)

    def _poll(self, product: Product) -> _Outcome:
        """Ask where a product is; what cannot be told now is asked again later."""
        try:
            product = aside(partial(self._catalog.refresh, product), self._downloader.cancel)
        except (UnreachableError, AnswerError):
            return _Later()
        if product.storage is Storage.STAGING:
            return _Later()
        return self._trigger(product) if product.storage is Storage.TAPE else _Ready(product)

    def _fetch(self, product: Product) -> _Outcome:
        if product.path is not None and product.storage is Storage.LOCAL:
            return self._take_local(product, product.path)
        if self._is_there(product):
            path = self._form.path(self._folder, product.name)
            return Fetched(product=product, stage=Stage.THERE, path=path)
        source = self._catalog.source(product)
        found = self._downloader.fetch_product(source, self._folder, product.name, self._form)
        if isinstance(found, OnTape):
            return _Later(found.wait_s, source.poll_s)
        path, was_there = found
        stage = Stage.THERE if was_there else Stage.FETCHED
        return Fetched(product=product, stage=stage, path=path)

    def _take_local(self, product: Product, path: Path) -> Fetched:
        """Leave a product where it is on this machine, or unpack its archive."""
        if path.is_file() and self._form.extracted:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._downloader.unpack(path, self._folder, product.name, self._form)
            return Fetched(product=product, stage=Stage.FETCHED, path=path)
        return Fetched(product=product, stage=Stage.THERE, path=path)
