"""Zip archives that are the same, byte for byte, whenever their files are."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError

_COMPRESSED_ALREADY = frozenset({".tif", ".tiff", ".png", ".zip"})
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def zip_files(path: Path, files: Sequence[Path], *, names: Sequence[str] | None = None) -> Path:
    """Pack files into a zip archive that appears whole or not at all.

    Members are ordered by name and carry no date; images are stored, everything else deflated.

    Parameters
    ----------
    path : Path
        Final name of the archive.
    files : sequence of Path
        What to pack.
    names : sequence of str or None
        Names inside the archive, in the order of `files`; None: the files' own names.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ProcessingError
        A file cannot be read or the archive not be written.
    ValueError
        Two members of the same name, or not as many names as files.
    """
    given = [file.name for file in files] if names is None else list(names)
    if len(set(given)) != len(given):
        raise ValueError(f"{path.name}: two members of the same name")
    members = sorted(zip(given, files, strict=True))
    with scratch_folder(path.parent) as scratch:
        partial = scratch / path.name
        try:
            with zipfile.ZipFile(partial, "w") as archive:
                for name, file in members:
                    _add(archive, name, file)
        except OSError as error:
            raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
        return publish(partial, path)


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    member = zipfile.ZipInfo(name, date_time=_EARLIEST)
    stored = file.suffix.lower() in _COMPRESSED_ALREADY
    member.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    member.file_size = file.stat().st_size
    with file.open("rb") as source, archive.open(member, "w") as target:
        shutil.copyfileobj(source, target, 1 << 20)
