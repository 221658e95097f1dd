"""Fetches files: whole, checked, once, whatever happens on the way.

A file grows under ``.NAME.part`` beside its place, goes on where it stopped, also in another
process, is compared with size and checksum, and only then gets its name. One process at a time
fetches a product; others wait and find it done.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import requests

from catalog.archives import damage, extract, is_complete, need_space, scratch_folder
from catalog.aside import aside
from catalog.errors import AnswerError, CatalogError, IntegrityError, UnreachableError
from catalog.hosts import Connections
from catalog.locking import locked
from catalog.model import Source
from catalog.partial import PartialFile, no_space, put_in_place
from catalog.progress import Meter, Pace, Progress, Report, Stage, pause, silent
from catalog.requesting import (
    InterruptedTransferError,
    Network,
    OnTape,
    new_session,
    on_tape,
    request_bytes,
)
from catalog.retries import Tries
from catalog.transfer import BadBodyError, receive
from catalog.wording import host_of, one_line

_MARGIN = 100_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*")
"""Of products and of the files that they are; it comes from the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """In which form products are wanted on disk.

    Attributes
    ----------
    extracted : bool
        NAME.SAFE instead of NAME.zip.
    polarisations : collection of str
        Whose measurement and annotation are unpacked; all where empty.
    margin : int
        That stays free on the disk [bytes].
    """

    extracted: bool = False
    polarisations: Collection[str] = ()
    margin: int = _MARGIN

    def path(self, folder: Path, name: str) -> Path:
        """Tell where a product lies when it is there; AnswerError for a name that leads away."""
        if not _NAME.fullmatch(name):
            raise AnswerError(f"no product can have the name {one_line(name)}")
        return folder / f"{name}.{'SAFE' if self.extracted else 'zip'}"

    def is_there(self, folder: Path, name: str, size: int | None) -> bool:
        """Tell whether a product is there, complete; `size` [bytes] is that of the archive."""
        path = self.path(folder, name)
        if self.extracted:
            return is_complete(path, self.polarisations)
        return path.is_file() and size in (None, path.stat().st_size)


def faultless(_path: Path) -> str:
    """Find nothing wrong with a file."""
    return ""


class Downloader:
    """Fetches files and products from the sources that catalogues name.

    May be used from several threads at once; then they share the limits of connections.

    Parameters
    ----------
    network : Network
        How to speak to servers.
    cancel : threading.Event, optional
        Stops everything within a second.
    report : callable
        Is told of the progress.
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        cancel: threading.Event | None = None,
        report: Report = silent,
    ) -> None:
        self.network = network or Network()
        self.cancel = cancel or threading.Event()
        self.report = report
        self._pace = Pace(self.network.largest_speed, self.cancel)
        self._connections = Connections(self.network.connections_folder)

    def ask(self, source: Source) -> OnTape | None:
        """Ask for a file without reading it, so that it begins to come from tape.

        Parameters
        ----------
        source : Source
            Where it is.

        Returns
        -------
        OnTape or None
            None where it is ready, or whoever brings it waits for tapes by itself.

        Raises
        ------
        CatalogError
            See `fetch_file`.
        """
        if source.own_way is not None:
            return None
        tries = Tries(self.network.patience)
        while True:
            try:
                with (
                    self._connections.one(host_of(source.address), source.connections, self.cancel),
                    new_session() as session,
                ):
                    answer = request_bytes(session, source, self.network, {}, self.cancel)
                    with answer.response as response:
                        return on_tape(response, source)
            except InterruptedTransferError as error:
                wait_s = tries.after_failure(0, error.wait_s)
                if wait_s is None:
                    raise UnreachableError(error.reason) from None
            pause(self.cancel, wait_s)

    def fetch_file(
        self, source: Source, target: Path, fault: Callable[[Path], str] = faultless
    ) -> Path | OnTape:
        """Fetch one file; nothing is asked where it is there.

        Parameters
        ----------
        source : Source
            Where it is.
        target : Path
            Where it is wanted; its folder is made.
        fault : callable
            Tells what is wrong with a file that has arrived whole; empty where nothing is.

        Returns
        -------
        Path or OnTape
            The target; or that it has to come from tape first.

        Raises
        ------
        UnreachableError, AnswerError, AccessError, NotFoundError
            Of the server.
        IntegrityError
            What arrives, again and again, is not the file.
        StorageError
            The disk cannot hold it.
        CancelledError
            `cancel` was set; what has arrived stays.
        """
        name = target.name
        with self._locked(target.parent, name):
            if target.is_file() and source.size in (None, target.stat().st_size):
                return target
            part = target.with_name(f".{name}.part")
            need_space(target.parent, _missing(source, part), name)
            return self._fetch_part(source, part, name, fault) or _named(part, target)

    def fetch_product(
        self, source: Source, folder: Path, name: str, form: Form
    ) -> tuple[Path, bool] | OnTape:
        """Fetch a product.

        Parameters
        ----------
        source : Source
            Where its archive is.
        folder : Path
            Where it is wanted; made where it is missing.
        name : str
            Of the product, without .SAFE or .zip.
        form : Form
            Archive or folder.

        Returns
        -------
        tuple of (Path, bool) or OnTape
            Where it is, and whether somebody else had brought it there; or that it has to come
            from tape first.

        Raises
        ------
        CatalogError
            See `fetch_file`.
        QueryError
            It has none of the polarisations.
        """
        target, archive = form.path(folder, name), folder / f"{name}.zip"
        with self._locked(folder, name):
            if form.is_there(folder, name, source.size):
                return target, True
            if form.extracted and _is_whole(archive, source, self.cancel):
                return self.unpack(archive, folder, name, form), False
            if source.own_way is not None:
                return self._bring_own_way(source.own_way, folder, name, form), False
            part = folder / f".{name}.zip.part"
            missing = _missing(source, part)
            unpacked = (source.size or 0) if form.extracted else 0
            need_space(folder, missing + unpacked + form.margin, name)
            later = self._fetch_part(source, part, name)
            if later is not None:
                return later
            if not form.extracted:
                return _named(part, target), False
            try:
                self.unpack(part, folder, name, form)
            except IntegrityError:
                part.unlink()  # it would be refused again
                raise
            part.unlink()
            return target, False

    def _bring_own_way(
        self, bring: Callable[[Path], Path], folder: Path, name: str, form: Form
    ) -> Path:
        """Let a provider's own program bring a product; what it brings is checked here."""
        with scratch_folder(folder / f".{name}.own") as scratch:
            self.report(Progress(name, Stage.FETCHING))
            brought = aside(partial(bring, scratch), self.cancel)
            if brought.is_dir():
                if not is_complete(brought, form.polarisations):
                    raise IntegrityError(
                        f"{name} did not arrive: files of its manifest are missing"
                    )
                return _named(brought, replace(form, extracted=True).path(folder, name))
            if why := damage(brought, self.cancel):
                raise IntegrityError(one_line(f"{name} did not arrive: {why}"))
            if form.extracted:
                return self.unpack(brought, folder, name, form)
            return _named(brought, form.path(folder, name))

    def unpack(self, archive: Path, folder: Path, name: str, form: Form) -> Path:
        """Unpack an archive that is on this disk.

        Parameters
        ----------
        archive : Path
            Zip file; it stays.
        folder : Path
            Where NAME.SAFE is made.
        name : str
            Of the product.
        form : Form
            Polarisations and margin.

        Returns
        -------
        Path
            NAME.SAFE.

        Raises
        ------
        CatalogError
            See `catalog.archives.extract`.
        """
        return extract(
            archive,
            folder,
            name,
            polarisations=form.polarisations,
            margin=form.margin,
            cancel=self.cancel,
            meter=Meter(name, Stage.EXTRACTING, self.report, total=None),
        )

    @contextmanager
    def _locked(self, folder: Path, name: str) -> Iterator[None]:
        """Make the folder and hold the product; what the disk refuses is told in one line."""

        def wait() -> None:
            self.report(Progress(name, Stage.WAITING, text="another process fetches it"))

        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / f".{name}.lock", self.cancel, wait):
                yield
        except OSError as error:
            raise no_space(error, folder / name) from error

    def _fetch_part(
        self, source: Source, path: Path, name: str, fault: Callable[[Path], str] = faultless
    ) -> OnTape | None:
        """Bring the part to its whole, checked; what is in it stays when that fails for now."""
        tries = Tries(self.network.patience)
        meter = Meter(name, Stage.FETCHING, self.report, total=source.size, pace=self._pace)
        self.report(Progress(name, Stage.FETCHING, total=source.size))  # it may be silent for long
        with PartialFile(path, source.checksum) as part, new_session() as session:
            part.take_up(self.cancel)
            while True:
                final: CatalogError
                try:
                    if source.size is None or part.length != source.size:
                        later = self._attempt(session, source, part, meter)
                        if later is not None:
                            return later
                    part.sync()
                    _check(part, source, fault, self.cancel)
                    part.tag = ""
                    return None
                except InterruptedTransferError as error:
                    reason = error.reason
                    wait_s = tries.after_failure(part.length, error.wait_s)
                    final = UnreachableError(one_line(f"{name} did not arrive: {reason}"))
                except BadBodyError as error:
                    reason = error.reason
                    part.start_over()
                    wait_s = tries.after_bad_body()
                    final = error.final(one_line(f"{name} did not arrive: {reason}"))
                if wait_s is None:
                    raise final
                self.report(Progress(name, Stage.WAITING, text=f"{reason}, once more"))
                pause(self.cancel, wait_s)

    def _attempt(
        self, session: requests.Session, source: Source, part: PartialFile, meter: Meter
    ) -> OnTape | None:
        if source.size is not None and part.length > source.size:
            part.start_over()
        with self._connections.one(host_of(source.address), source.connections, self.cancel):
            pause(self.cancel)
            return receive(session, source, part, self.network, cancel=self.cancel, meter=meter)


def _check(
    part: PartialFile, source: Source, fault: Callable[[Path], str], cancel: threading.Event
) -> None:
    """Compare what arrived with what the catalogue says; archives without that, with themselves."""
    if source.size is not None and part.length < source.size:
        raise InterruptedTransferError(f"only {part.length} of {source.size} bytes came")
    if source.size is not None and part.length > source.size:
        raise BadBodyError(f"{part.length} bytes came instead of {source.size}")
    if part.digits is not None and source.checksum is not None:
        if part.digits != source.checksum.digits.lower():
            raise BadBodyError(f"its {source.checksum.algorithm} checksum is wrong")
    elif part.suffix == ".zip" and (why := damage(part.path, cancel)):
        raise BadBodyError(why)
    if why := fault(part.path):
        raise BadBodyError(why)


def _missing(source: Source, part: Path) -> int:
    """Return how many bytes are still to come, as far as it is known."""
    there = part.stat().st_size if part.is_file() else 0
    return max((source.size or 0) - there, 0)


def _is_whole(archive: Path, source: Source, cancel: threading.Event) -> bool:
    if not archive.is_file() or source.size not in (None, archive.stat().st_size):
        return False
    return not damage(archive, cancel)


def _named(part: Path, target: Path) -> Path:
    put_in_place(part, target)
    return target
