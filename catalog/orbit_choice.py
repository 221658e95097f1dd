"""The best orbit for each product: precise before restituted, on disk before the network.

Files that are not there are fetched only from the providers that the operator names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from catalog.buckets import Listed, address_of, list_files
from catalog.download import Downloader
from catalog.errors import (
    AccessError,
    AnswerError,
    IntegrityError,
    NotFoundError,
    UnreachableError,
)
from catalog.model import Product, Source
from catalog.orbit_files import (
    OrbitFile,
    OrbitSource,
    Span,
    best_first,
    find_orbit_files,
    incomplete,
    is_better,
    lacking,
    orbit_file_of_name,
    span_of,
)
from catalog.requesting import OnTape
from catalog.wording import one_line

PUBLIC_ORBITS = "https://s1-orbits.s3.us-west-2.amazonaws.com"
"""Store of the Alaska Satellite Facility, open to all; asked only where an operator names it."""

PRECISE_AFTER = timedelta(days=21)
"""From an acquisition until its precise orbit is published, at most."""
_RESTITUTED_AFTER = timedelta(days=10)
"""The same of a restituted one; each is made within hours, seldom again."""
_MOST_TRIED = 3
"""Files that are fetched for one product when they turn out to be damaged."""
_PASSED_OVER = (UnreachableError, AnswerError, AccessError, NotFoundError, IntegrityError)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrbitProvider:
    """A store of orbit files that lists itself as S3 does.

    Attributes
    ----------
    name : str
        For notes.
    address : str
        Of the store, for example PUBLIC_ORBITS.
    prefix : str
        Of keys, up to the names of the files; ``{kind}`` is POEORB or RESORB.
    connections : int
        At once with its host.
    """

    name: str
    address: str
    prefix: str = "AUX_{kind}/"
    connections: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenOrbit:
    """The orbit of one product.

    Attributes
    ----------
    product : str
        Its name.
    source : OrbitSource
        ANNOTATION where no file serves; the product has state vectors of its own.
    path : Path or None
        Of the file.
    fetched : bool
        Whether it has been brought now.
    notes : tuple of str
        What was passed over and why; empty for a precise orbit without ado.
    """

    product: str
    source: OrbitSource
    path: Path | None = None
    fetched: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class _Wish:
    """A product and the best that has been found for it."""

    name: str
    platform: str
    span: Span | None
    best: OrbitFile | None = None
    fetched: bool = False
    notes: list[str] = field(default_factory=list)

    def wants(self, source: OrbitSource) -> bool:
        """Tell whether an orbit of a source would be better than what there is."""
        there = OrbitSource.ANNOTATION if self.best is None else self.best.source
        return self.span is not None and is_better(source, there)

    def take(self, file: OrbitFile, *, fetched: bool = False) -> bool:
        """Take a file that is on this disk, if it serves."""
        if self.span is None or (why := lacking(file, self.span)):
            self.note(f"{file.name} is passed over: {why}")
            return False
        self.best, self.fetched = file, fetched
        return True

    def note(self, text: str) -> None:
        """Add a note, once."""
        if (line := one_line(text)) not in self.notes:
            self.notes.append(line)


def orbit_files_for(
    products: Iterable[Product],
    folders: Sequence[Path],
    providers: Sequence[OrbitProvider] = (),
    *,
    downloader: Downloader | None = None,
    now: datetime | None = None,
) -> tuple[ChosenOrbit, ...]:
    """Choose the orbit of each product, and fetch what is missing where that is allowed.

    A file serves a product of its satellite from a minute before to a minute after the
    acquisition. Providers are asked for a precise orbit where there is none on disk, and for a
    restituted one where there is none at all; one that fails is passed over with a note.

    Parameters
    ----------
    products : iterable of Product
        Of Sentinel-1, with start and stop; others keep their annotated orbit.
    folders : sequence of Path
        Of orbit files, searched with all below; the first one takes what is fetched.
    providers : sequence of OrbitProvider
        The preferred one first; nothing is fetched where there are none.
    downloader : Downloader, optional
        Fetches, tells of the progress and hears the wish to stop.
    now : datetime, optional
        Instant that the age of products is counted to; that of the call by default.

    Returns
    -------
    tuple of ChosenOrbit
        In the order of the products.

    Raises
    ------
    StorageError
        The disk cannot hold a file.
    CancelledError
        The downloader was asked to stop.
    """
    wishes = [_Wish(product.name, product.platform, span_of(product)) for product in products]
    there = list(find_orbit_files(folders))
    for wish in wishes:
        if wish.span is not None:
            any(wish.take(file) for file in best_first(there, wish.platform, wish.span))
    if providers and folders:
        store = _Store(folders[0], downloader or Downloader())
        for source in (OrbitSource.PRECISE, OrbitSource.RESTITUTED):
            for provider in providers:
                for group in _groups(wishes, source):
                    store.serve(group, provider, source)
    moment = now or datetime.now(UTC)
    return tuple(_chosen(wish, moment) for wish in wishes)


def _groups(wishes: Iterable[_Wish], source: OrbitSource) -> Iterator[list[_Wish]]:
    """Group what one listing can answer: precise orbits may be made anew years later."""
    groups: dict[str, list[_Wish]] = {}
    for wish in wishes:
        if wish.wants(source) and wish.platform.startswith("S1"):
            key = wish.platform if source is OrbitSource.PRECISE else wish.name
            groups.setdefault(key, []).append(wish)
    yield from groups.values()


@dataclass(frozen=True, slots=True)
class _Store:
    """Folder that fetched files lie in."""

    folder: Path
    downloader: Downloader

    def serve(self, wishes: Sequence[_Wish], provider: OrbitProvider, source: OrbitSource) -> None:
        """Fetch the best that a provider has for products of one satellite."""
        try:
            offered = dict(_offered(wishes, provider, source, self.downloader))
        except _PASSED_OVER as error:
            for wish in wishes:
                wish.note(f"{provider.name} cannot be asked: {error}")
            return
        for wish in wishes:
            if wish.span is None:
                continue
            for file in best_first(offered, wish.platform, wish.span)[:_MOST_TRIED]:
                if self._bring(wish, file, offered[file], provider):
                    break

    def _bring(self, wish: _Wish, file: OrbitFile, listed: Listed, provider: OrbitProvider) -> bool:
        target = self.folder / file.name
        was_there = target.is_file()
        address = address_of(provider.address, listed.key)
        wanted = Source(address=address, size=listed.size, connections=provider.connections)
        try:
            path = self.downloader.fetch_file(wanted, target, incomplete)
        except _PASSED_OVER as error:
            wish.note(f"{provider.name}: {error}")
            return False
        if isinstance(path, OnTape):
            wish.note(f"{provider.name} has {file.name} on tape")
            return False
        return wish.take(replace(file, path=path), fetched=not was_there)


def _offered(
    wishes: Sequence[_Wish],
    provider: OrbitProvider,
    source: OrbitSource,
    downloader: Downloader,
) -> Iterator[tuple[OrbitFile, Listed]]:
    """List the files that can cover the products: none is made before what it covers."""
    stops = [wish.span.stop for wish in wishes if wish.span is not None]
    prefix = f"{provider.prefix.format(kind=source)}{wishes[0].platform}_OPER_AUX_{source}_OPOD_"
    after = f"{prefix}{min(stops):%Y%m%dT%H%M%S}"
    for listed in list_files(provider.address, prefix=prefix, after=after, downloader=downloader):
        file = orbit_file_of_name(PurePosixPath(listed.key).name)
        if file is None:
            continue
        if source is OrbitSource.RESTITUTED and file.created > max(stops) + _RESTITUTED_AFTER:
            return
        yield file, listed


def _chosen(wish: _Wish, now: datetime) -> ChosenOrbit:
    source = OrbitSource.ANNOTATION if wish.best is None else wish.best.source
    if source is not OrbitSource.PRECISE:
        wish.note(_why_not_precise(wish, source, now))
    return ChosenOrbit(
        product=wish.name,
        source=source,
        path=None if wish.best is None else wish.best.path,
        fetched=wish.fetched,
        notes=tuple(wish.notes),
    )


def _why_not_precise(wish: _Wish, source: OrbitSource, now: datetime) -> str:
    taken = {
        OrbitSource.RESTITUTED: "the restituted one is taken",
        OrbitSource.ANNOTATION: "the one of its annotation is taken",
    }[source]
    if wish.span is None:
        return f"it is not known when {wish.name} was acquired, and so no orbit file: {taken}"
    if now - wish.span.stop < PRECISE_AFTER:
        days = PRECISE_AFTER.days
        return f"the precise orbit of {wish.name} comes up to {days} days after it: {taken}"
    return f"no precise orbit of {wish.name} was found: {taken}"
