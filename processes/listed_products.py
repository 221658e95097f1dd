"""Products anywhere below the data folders of a server, by name."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalog.names import bare_name, product_of_name

DEPTH = 8
"""Folders between a data folder and a product, as for time series."""
LISTED_S = 10.0
"""Shortest time between two looks through the folders, however many names nobody has [s]."""
_PRODUCT_ENDINGS = (".SAFE", ".zip", ".h5")
_FOLDERS = ("TSX1_SAR__SSC", "TDX1_SAR__SSC", "PAZ1_SAR__SSC")
"""How the names of products begin that are folders without an ending."""
_SENSORS = {"S1", "TSX", "CSK"}


class ListedProducts:
    """Products of the sensors below some folders, looked for when the first name asks for it.

    Parameters
    ----------
    roots : sequence of Path
        Folders; links below them are not followed to other folders.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._lock = threading.Lock()
        self._paths: dict[str, Path] = {}
        self._listed_at = float("-inf")

    def find(self, name: str) -> Path | None:
        """Find a product.

        Parameters
        ----------
        name : str
            With or without ending.

        Returns
        -------
        Path or None
            The SAFE folder before the zip, the first folder before the others; None where there
            is none, or none yet at the last look, which is some seconds old at most.
        """
        bare = bare_name(name)
        if not _is_product(bare):
            return None
        with self._lock:
            found = self._paths.get(bare)
            if found is not None and found.exists():
                return found
            if time.monotonic() - self._listed_at > LISTED_S:
                self._paths = self._list()
                self._listed_at = time.monotonic()
            return self._paths.get(bare)

    def _list(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for root in self._roots:
            below: dict[str, Path] = {}
            for path in _walk(root):
                bare = bare_name(path.name)
                if _is_product(bare) and (bare not in below or path.suffix == ".SAFE"):
                    below[bare] = path
            found = below | found
        return found


def _is_product(bare: str) -> bool:
    return product_of_name(bare).collection in _SENSORS


def _walk(root: Path) -> Iterator[Path]:
    """Yield what has the form of a product; hidden names are on their way and left alone."""
    waiting = [(str(root), 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            continue
        for entry in listed:
            if entry.name.endswith(_PRODUCT_ENDINGS) or (
                entry.name.startswith(_FOLDERS) and entry.is_dir()
            ):
                yield Path(entry.path)
            elif depth < DEPTH and entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, depth + 1))
