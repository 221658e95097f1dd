"""Members of a SAFE product, in a folder or straight from a zip."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kernels.errors import ProductError
from kernels.products.zips import ZIP_ERRORS

MANIFEST = "manifest.safe"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeArchive:
    """A SAFE product whose members are named relative to its manifest.

    Attributes
    ----------
    path : Path
        The folder that holds the manifest, or the zip.
    name : str
        Of the SAFE folder.
    root : str or None
        Folder of the manifest inside the zip, a dot if it is at the top; None for a folder.
    members : frozenset of str
        Files, as in ``annotation/calibration/calibration-….xml``.
    """

    path: Path
    name: str
    root: str | None
    members: frozenset[str]

    def in_folder(self, folder: str) -> list[str]:
        """Return the members directly in a folder, sorted."""
        parent = PurePosixPath(folder)
        return sorted(m for m in self.members if PurePosixPath(m).parent == parent)

    def read(self, member: str) -> bytes:
        """Return the content of a member; raises ProductError if it cannot be read."""
        try:
            if self.root is None:
                return (self.path / member).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(str(PurePosixPath(self.root, member)))
        except ZIP_ERRORS as error:
            raise ProductError(f"{self.name}: {member} cannot be read") from error

    def gdal_path(self, member: str) -> str:
        """Return the name that GDAL opens a member by."""
        if self.root is None:
            return str((self.path / member).absolute())
        return f"/vsizip/{{{self.path.absolute()}}}/{PurePosixPath(self.root, member)}"


def open_safe(path: Path) -> SafeArchive:
    """Find the members of a SAFE product.

    Parameters
    ----------
    path : Path
        A folder that holds a manifest.safe, the manifest itself, or a zip of such a folder.

    Returns
    -------
    SafeArchive
        Nothing but the list of members has been read.

    Raises
    ------
    ProductError
        If there is no such file, it is neither, the zip is damaged, or no manifest is in it.
    """
    if path.name == MANIFEST:
        path = path.parent
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise ProductError(f"{path.name} does not exist")
    return _open_zip(path)


def _open_folder(path: Path) -> SafeArchive:
    if not (path / MANIFEST).is_file():
        raise ProductError(f"{path.name} is not a SAFE product: it has no {MANIFEST}")
    members = frozenset(
        file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()
    )
    return SafeArchive(path=path, name=path.absolute().name, root=None, members=members)


def _open_zip(path: Path) -> SafeArchive:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    except ZIP_ERRORS as error:
        raise ProductError(
            f"{path.name} is neither a SAFE folder nor a complete zip of one"
        ) from error
    roots = [PurePosixPath(n).parent for n in names if PurePosixPath(n).name == MANIFEST]
    if len(roots) != 1:
        raise ProductError(f"{path.name} must hold one {MANIFEST}, got {len(roots)}")
    root = roots[0]
    members = frozenset(
        PurePosixPath(n).relative_to(root).as_posix()
        for n in names
        if PurePosixPath(n).is_relative_to(root)
    )
    return SafeArchive(path=path, name=root.name or path.name, root=str(root), members=members)
