"""What a product on disk is, from its metadata alone, and whether it is whole."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from catalog.commercial import describe_cosmo, describe_terrasar
from catalog.errors import IntegrityError
from catalog.manifest import LARGEST, ListedFile, Manifest, parse_manifest
from catalog.model import Product, Storage
from catalog.names import product_of_name

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Kind(StrEnum):
    """How a product lies on disk."""

    SAFE = "safe"
    ZIP = "zip"
    TERRASAR = "terrasar"
    COSMO = "cosmo"
    ORTHO = "ortho"


class State(StrEnum):
    """Whether a product can be used."""

    READY = "ready"
    PARTIAL = "partial"
    """Something is missing, perhaps on its way."""
    CORRUPT = "corrupt"
    """It cannot be read as what it is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A product on disk: what it is, whether it is whole, and what it lacks."""

    product: Product
    state: State
    reason: str = ""


def describe(path: Path, kind: Kind) -> Description:
    """Describe a product on disk.

    Parameters
    ----------
    path : Path
        Folder or file; links are not followed.
    kind : Kind
        What it looks like.

    Returns
    -------
    Description
        With what its name says where it cannot be read.
    """
    named = product_of_name(path.name)
    named = replace(named, identifier=str(path), catalog="local", storage=Storage.LOCAL, path=path)
    try:
        return _DESCRIBERS[kind](path, named)
    except IntegrityError as error:
        return Description(product=named, state=State.CORRUPT, reason=str(error))
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        return Description(product=named, state=State.PARTIAL, reason=f"{missing} is not there")
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        return Description(product=named, state=State.CORRUPT, reason=reason)


def _safe(path: Path, named: Product) -> Description:
    manifest = parse_manifest(read_plain(path / "manifest.safe", most=LARGEST), named)
    missing = [
        file.path for file in manifest.files if not _is_whole(path.joinpath(file.path), file.size)
    ]
    return _described(manifest, missing)


def _is_whole(path: Path, size: int | None) -> bool:
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(found.st_mode) and size in (None, found.st_size)


def _zip(path: Path, named: Product) -> Description:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".SAFE/manifest.safe")]
            if not names:
                raise IntegrityError(f"{path.name} holds no manifest of a SAFE")
            if archive.getinfo(names[0]).file_size > LARGEST:
                raise IntegrityError(f"{path.name} holds a manifest that is too large")
            manifest = parse_manifest(archive.read(names[0]), named)
            folder = names[0].removesuffix("manifest.safe")
            sizes = {info.filename: info.file_size for info in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise IntegrityError(f"{path.name} is no whole zip archive") from error
    return _described(manifest, list(_missing(manifest.files, folder, sizes)))


def _missing(files: Iterable[ListedFile], folder: str, sizes: dict[str, int]) -> Iterable[str]:
    for file in files:
        size = sizes.get(folder + file.path)
        if size is None or file.size not in (None, size):
            yield file.path


def _described(manifest: Manifest, missing: list[str]) -> Description:
    if not missing:
        return Description(product=manifest.product, state=State.READY)
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    reason = f"{missing[0]}{others} missing or of another size"
    return Description(product=manifest.product, state=State.PARTIAL, reason=reason)


def _ortho(path: Path, named: Product) -> Description:
    if not read_plain(path, most=4, whole=False).startswith(_TIFF):
        raise IntegrityError(f"{path.name} is no GeoTIFF")
    return Description(product=named, state=State.READY)


def _terrasar(path: Path, named: Product) -> Description:
    annotation = path if path.suffix == ".xml" else path / f"{path.name}.xml"
    product, images = describe_terrasar(read_plain(annotation, most=10 * LARGEST), named)
    missing = [name for name in images if not _is_whole(annotation.parent / name, None)]
    return _described(Manifest(product, ()), missing)


def _cosmo(path: Path, named: Product) -> Description:
    return Description(product=describe_cosmo(path, named), state=State.READY)


def read_plain(path: Path, *, most: int, whole: bool = True) -> bytes:
    """Read a regular file that is no link.

    Parameters
    ----------
    path : Path
        Of the file.
    most : int
        Bytes to read.
    whole : bool
        Whether that must be all of it.

    Returns
    -------
    bytes
        Its beginning, or all of it.

    Raises
    ------
    IntegrityError
        It is a link or something else, or larger.
    OSError
        It cannot be read.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise IntegrityError(f"{path.name} is no regular file")
    if whole and found.st_size > most:
        raise IntegrityError(f"{path.name} is too large")
    with path.open("rb") as stream:
        return stream.read(most)


_DESCRIBERS: dict[Kind, Callable[[Path, Product], Description]] = {
    Kind.SAFE: _safe,
    Kind.ZIP: _zip,
    Kind.TERRASAR: _terrasar,
    Kind.COSMO: _cosmo,
    Kind.ORTHO: _ortho,
}
