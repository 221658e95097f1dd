"""Looks through folders for products and keeps an index of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from catalog.describing import Kind, State, describe
from catalog.errors import NotFoundError
from catalog.index import Entry, Mark, ProductIndex
from catalog.names import product_of_name

_BATCH = 500
_KIND_OF_COLLECTION = {
    (".h5", "CSK"): Kind.COSMO,
    (".xml", "TSX"): Kind.TERRASAR,
    (".tif", "S1-ORTHO"): Kind.ORTHO,
    (".zip", "S1"): Kind.ZIP,
    (".zip", "S2"): Kind.ZIP,
}
_ENDINGS = frozenset(ending for ending, _ in _KIND_OF_COLLECTION)
_NONE: Mapping[str, Kind] = MappingProxyType({})


class Found(NamedTuple):
    """Something that looks like a product: path, kind and mark."""

    path: str
    kind: Kind
    mark: Mark


@dataclass(slots=True, kw_only=True)
class ScanReport:
    """What a look through a folder met.

    Attributes
    ----------
    added, changed, unchanged, removed : int
        Products.
    partial, corrupt : int
        Of those added or changed.
    unreadable : list of str
        Folders that could not be listed; what the index holds of them stays.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    partial: int = 0
    corrupt: int = 0
    unreadable: list[str]


def scan(
    index: ProductIndex, root: Path, *, tell: Callable[[ScanReport], None] | None = None
) -> ScanReport:
    """Bring the index up to date with a folder.

    Only what is new or has changed is read, by time and size; what was partial or corrupt is read
    again every time. Links are not followed, so that nothing outside the folder is met, and names
    that begin with a dot are left alone: they are on their way.

    Parameters
    ----------
    index : ProductIndex
        To be brought up to date.
    root : Path
        Folder.
    tell : callable, optional
        Hears of the report so far, now and then.

    Returns
    -------
    ScanReport
        What was met.

    Raises
    ------
    NotFoundError
        The folder is not there: what the index holds of it stays.
    """
    root = root.resolve()
    if not root.is_dir():
        raise NotFoundError(f"the folder {root.name} is not there")
    report = ScanReport(unreadable=[])
    known = index.marks(root)
    seen: set[str] = set()
    batch: list[Entry] = []
    kinds = {path: kind for path, (_, _, kind) in known.items()}
    for found in walk(root, report.unreadable, kinds):
        seen.add(found.path)
        if known.get(found.path) == (found.mark, State.READY, found.kind):
            report.unchanged += 1
            continue
        batch.append(_entry(found, root))
        _count(report, batch[-1], new=found.path not in known)
        if len(batch) >= _BATCH:
            index.put(batch)
            batch.clear()
            if tell:
                tell(report)
    index.put(batch)
    hidden = tuple(f"{folder}{os.sep}" for folder in report.unreadable)
    gone = [path for path in known.keys() - seen if not path.startswith(hidden or ("\0",))]
    index.remove(gone)
    report.removed = len(gone)
    return report


def add(index: ProductIndex, root: Path, path: Path) -> None:
    """Put one product into the index, at once and not at the next look through its folder.

    Parameters
    ----------
    index : ProductIndex
        To be brought up to date.
    root : Path
        Folder of the index that the product is below.
    path : Path
        Of the product; what is none, or not below the folder, is left out.
    """
    root, path = root.resolve(), path.resolve()
    if not path.is_relative_to(root):
        return
    kind = _kind_of_folder(path.name) if path.is_dir() else _kind_of_file(path.name)
    if kind is None:
        return
    status = path.stat()
    mark = Mark(status.st_mtime_ns, status.st_size)
    found = Found(str(path), kind, _mark_of_folder(str(path)) if path.is_dir() else mark)
    index.put([_entry(found, root)])


def _entry(found: Found, root: Path) -> Entry:
    path = Path(found.path)
    description = describe(path, found.kind)
    return Entry(path=path, root=root, kind=found.kind, mark=found.mark, description=description)


def _count(report: ScanReport, entry: Entry, *, new: bool) -> None:
    report.added += new
    report.changed += not new
    report.partial += entry.description.state is State.PARTIAL
    report.corrupt += entry.description.state is State.CORRUPT


def walk(root: Path, unreadable: list[str], kinds: Mapping[str, Kind] = _NONE) -> Iterator[Found]:
    """Find what looks like a product below a folder.

    Parameters
    ----------
    root : Path
        Folder.
    unreadable : list of str
        Folders that cannot be listed are added to it.
    kinds : mapping of str to Kind, optional
        Of paths that are known, whose names need not be read.

    Yields
    ------
    Found
        In no order.
    """
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            unreadable.append(folder)
            continue
        for entry in listed:
            if entry.is_symlink() or not entry.name.isprintable():
                continue
            if entry.is_dir(follow_symlinks=False):
                kind = _kind_of_folder(entry.name)
                if kind is None:
                    folders.append(entry.path)
                else:
                    yield Found(entry.path, kind, _mark_of_folder(entry.path))
            elif (kind := kinds.get(entry.path) or _kind_of_file(entry.name)) is not None:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # it has just gone
                    continue
                if stat.S_ISREG(status.st_mode):
                    yield Found(entry.path, kind, Mark(status.st_mtime_ns, status.st_size))


def _kind_of_folder(name: str) -> Kind | None:
    if name.endswith(".SAFE"):
        return Kind.SAFE
    if name.startswith(("TSX1_", "TDX1_", "PAZ1_")) and product_of_name(name).collection == "TSX":
        return Kind.TERRASAR
    return None


def _kind_of_file(name: str) -> Kind | None:
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122  of a hundred thousand names
    if ending not in _ENDINGS:
        return None
    return _KIND_OF_COLLECTION.get((ending, product_of_name(name).collection))


def _mark_of_folder(path: str) -> Mark:
    """Mark a product that is a folder: its last change, and the size of its metadata."""
    latest, size = 0, 0
    for part in ("", "/measurement", "/manifest.safe", f"/{os.path.basename(path)}.xml"):  # noqa: PTH119
        try:
            status = os.lstat(path + part)
        except OSError:
            continue
        latest = max(latest, status.st_mtime_ns)
        size += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Mark(latest, size)
