"""Product archives: whether they are whole, and unpacking them where nothing can go wrong.

Members that are absolute, lead out of the product's folder, hold a backslash, are links, lie
twice, or lie in another top folder are refused before anything is written; so are archives that
grow beyond all reason. A product's folder appears complete, under its name, or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import threading
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from catalog.errors import IntegrityError, QueryError, StorageError
from catalog.partial import no_space, put_in_place
from catalog.progress import Meter, pause
from catalog.wording import one_line

MANIFEST = "manifest.safe"
_POLARISATION = re.compile(r"-(hh|hv|vh|vv)-")
_FOLDERS = frozenset({"measurement", "annotation"})
_LINK = re.compile(r'href="\./?([^"]+)"')
_MOST_MEMBERS = 100_000
_LARGEST_RATIO = 100
"""Of what is inside to the archive: radar images do not reach 3, their annotation 30."""
_SMALL = 16 << 20
"""What an archive may always hold [bytes]."""
_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def damage(archive: Path, cancel: threading.Event) -> str:
    """Read a whole archive and compare all checksums in it.

    Parameters
    ----------
    archive : Path
        Zip file.
    cancel : threading.Event
        Stops it.

    Returns
    -------
    str
        What is wrong; empty where nothing is.

    Raises
    ------
    CancelledError
        `cancel` was set.
    """
    fault = "it is no complete zip archive"
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                fault = one_line(f"the checksum of {member.filename} is wrong")
                with opened.open(member) as stream:
                    while stream.read(_BLOCK):
                        pause(cancel)
    except _DAMAGED:
        return fault
    return ""


def is_complete(folder: Path, polarisations: Collection[str] = ()) -> bool:
    """Tell whether a product's folder holds all that its manifest names.

    Parameters
    ----------
    folder : Path
        NAME.SAFE.
    polarisations : collection of str
        What has to be there; all where empty.

    Returns
    -------
    bool
        False for what was left half unpacked.
    """
    try:
        manifest = (folder / MANIFEST).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    kept = _lower(polarisations)
    paths = [PurePosixPath(found) for found in _LINK.findall(manifest)]
    return all((folder / path).exists() for path in paths if _is_kept(path, kept))


def extract(
    archive: Path,
    folder: Path,
    name: str,
    *,
    polarisations: Collection[str] = (),
    margin: int = 0,
    cancel: threading.Event | None = None,
    meter: Meter | None = None,
) -> Path:
    """Unpack a product's archive, complete or not at all.

    Parameters
    ----------
    archive : Path
        Zip file.
    folder : Path
        Where NAME.SAFE is made.
    name : str
        Of the product.
    polarisations : collection of str
        Whose measurement and annotation are unpacked; all where empty.
    margin : int
        Bytes that stay free on the disk.
    cancel : threading.Event, optional
        Stops it.
    meter : Meter, optional
        Is told of the bytes written.

    Returns
    -------
    Path
        NAME.SAFE in `folder`; one that was there is replaced.

    Raises
    ------
    IntegrityError
        The archive is damaged or not to be trusted.
    QueryError
        It has none of the polarisations.
    StorageError
        The disk cannot hold it.
    CancelledError
        `cancel` was set.
    """
    target = folder / f"{name}.SAFE"
    with scratch_folder(folder / f".{name}.SAFE.part") as scratch, _opened(archive, name) as opened:
        members = _chosen(_checked_members(opened, archive, name), name, polarisations)
        total = sum(member.file_size for member in members)
        need_space(folder, total + margin, name)
        if meter is not None:
            meter.total = total
        written = 0
        for member in members:
            for length in _unpack(opened, member, scratch / member.filename):
                written += length
                if cancel is not None:
                    pause(cancel)
                if meter is not None:
                    meter.count(length, written)
        _replace(scratch / target.name, target)
    return target


def need_space(folder: Path, size: int, name: str) -> None:
    """Refuse early what a disk cannot hold.

    Parameters
    ----------
    folder : Path
        Where it is to be written.
    size : int
        [bytes].
    name : str
        Of what needs it.

    Raises
    ------
    StorageError
        There is less.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise no_space(error, folder) from error
    if free < size:
        raise StorageError(
            one_line(f"{name} needs {_amount(size)}, the disk has {_amount(free)} left")
        )


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.3f} MB"


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder; what a process that was killed left there goes first."""
    shutil.rmtree(path, ignore_errors=True)
    try:
        path.mkdir()
        yield path
    except OSError as error:
        raise no_space(error, path) from error
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _opened(archive: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except _DAMAGED as error:
        raise IntegrityError(f"the archive of {one_line(name)} is damaged") from error


def _checked_members(opened: zipfile.ZipFile, archive: Path, name: str) -> list[zipfile.ZipInfo]:
    members = opened.infolist()
    top = f"{name}.SAFE"
    for member in members:
        if (fault := _fault(member, top)) is not None:
            raise IntegrityError(
                one_line(f"the archive of {name} is refused: {member.orig_filename} {fault}")
            )
    names = {member.filename for member in members}
    if len(names) < len(members) or len(members) > _MOST_MEMBERS:
        raise IntegrityError(f"the archive of {one_line(name)} is refused: its list of files")
    if f"{top}/{MANIFEST}" not in names:
        raise IntegrityError(f"the archive of {one_line(name)} has no {MANIFEST}")
    total = sum(member.file_size for member in members)
    if total > _SMALL and total > _LARGEST_RATIO * archive.stat().st_size:
        raise IntegrityError(
            f"the archive of {one_line(name)} is refused: it would grow to {_amount(total)}"
        )
    return [member for member in members if not member.is_dir()]


def _fault(member: zipfile.ZipInfo, top: str) -> str | None:
    path = member.orig_filename
    parts = path.removesuffix("/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if path.startswith("/") or "\\" in path or "\0" in path:
        return "is no relative path"
    if ".." in parts or "." in parts or "" in parts:
        return "leads elsewhere"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if parts[0] != top or (len(parts) == 1 and not member.is_dir()):
        return f"is not in {top}"
    return None


def _chosen(
    members: list[zipfile.ZipInfo], name: str, polarisations: Collection[str]
) -> list[zipfile.ZipInfo]:
    kept = _lower(polarisations)
    paths = [PurePosixPath(*PurePosixPath(member.filename).parts[1:]) for member in members]
    there = {found for path in paths if (found := _polarisation(path))}
    if kept and there and not kept & there:
        wanted = f"one of {' '.join(sorted(there)).upper()} for {name}"
        raise QueryError("keep_polarisation", wanted, " ".join(sorted(kept)).upper())
    return [member for member, path in zip(members, paths, strict=True) if _is_kept(path, kept)]


def _lower(polarisations: Collection[str]) -> frozenset[str]:
    return frozenset(polarisation.lower() for polarisation in polarisations)


def _is_kept(path: PurePosixPath, kept: frozenset[str]) -> bool:
    found = _polarisation(path)
    return not kept or found is None or found in kept


def _polarisation(path: PurePosixPath) -> str | None:
    """Return that of a measurement or its annotation; None for all other files."""
    if path.parts[0] not in _FOLDERS:
        return None
    found = _POLARISATION.search(path.name.lower())
    return found[1] if found else None


def _unpack(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Iterator[int]:
    """Write one member, to the disk; tells the length of each block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("wb") as file:
        while block := source.read(_BLOCK):
            file.write(block)
            yield len(block)
        file.flush()
        os.fsync(file.fileno())


def _replace(whole: Path, target: Path) -> None:
    """Give the folder its name; one that was left incomplete makes place first."""
    if target.exists():
        old = whole.with_name("replaced")
        target.rename(old)
    put_in_place(whole, target)
