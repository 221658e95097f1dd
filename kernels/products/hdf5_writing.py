"""HDF5 files of rows and columns, written beside and renamed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError

CHUNK_ROWS = 64
"""Rows of a chunk: layers are written whole or by bands, and read by some rows of all."""


class RecordingFile(io.FileIO):
    """A file that takes what it is given whatever happens, and tells of the first failure later.

    HDF5 cannot let go of a file that it failed to write: it tries again, and complains, whenever
    one of its objects is freed.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it."""
        view = memoryview(data).cast("B")
        size = len(view)
        try:
            while view:
                view = view[super().write(view) :]
        except OSError as error:
            self.failure = self.failure or error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the size of the file."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0

    def check(self, path: Path) -> None:
        """Raise ProcessingError, naming the final path, where something was not taken."""
        if self.failure is not None:
            raise ProcessingError(
                f"{path.name} could not be written: {self.failure.strerror}"
            ) from self.failure


class Hdf5Writer:
    """Takes layers of a file by parts; made by `create_hdf5`, used by one thread."""

    def __init__(self, file: Any, disk: RecordingFile, path: Path) -> None:
        self._file = file
        self._disk = disk
        self.path = path

    def layer(self, name: str, shape: tuple[int, ...], kind: Any, **attributes: str) -> None:
        """Create a data set whose last axes are rows and columns, in chunks of whole rows."""
        rows, columns = shape[-2:]
        chunks = (*(1 for _ in shape[:-2]), min(CHUNK_ROWS, rows), columns)
        layer = self._file.create_dataset(name, shape, kind, chunks=chunks)
        layer.attrs.update(attributes)

    def small(self, name: str, values: NDArray[Any], **attributes: Any) -> None:
        """Write a data set at once."""
        self._file[name] = values
        self._file[name].attrs.update(attributes)

    def put(self, name: str, where: Any, values: Any) -> None:
        """Write a part of a data set; raises ProcessingError."""
        self._file[name][where] = values
        self._disk.check(self.path)


@contextmanager
def create_hdf5(path: Path, attributes: Mapping[str, str]) -> Iterator[Hdf5Writer]:
    """Write an HDF5 file; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name; an older file of that name is replaced.
    attributes : mapping of str to str
        Of the file.

    Yields
    ------
    Hdf5Writer
        Takes the data sets.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    import h5py  # noqa: PLC0415  # not for the web tier

    with scratch_folder(path.parent) as scratch, RecordingFile(scratch / path.name, "w+b") as disk:
        with h5py.File(disk, "w") as file:
            writer = Hdf5Writer(file, disk, path)
            file.attrs.update(attributes)
            yield writer
        disk.check(path)
        publish(scratch / path.name, path)
