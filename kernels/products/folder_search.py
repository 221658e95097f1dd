"""Products below folders, found by their names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from kernels.engine.progress import Progress
from kernels.errors import InputError

DEPTH = 8
"""Folders between a listed one and a product: tile, year, month, day and a few more."""


class LeftOut(NamedTuple):
    """Something that could not be used, and why."""

    name: str
    reason: str


class Found(Protocol):
    """What stands for a product."""

    @property
    def path(self) -> Path:
        """File or folder."""
        ...


T = TypeVar("T", bound=Found)


def find_below(
    places: Sequence[Path],
    recognise: Callable[[Path], T | None],
    progress: Progress,
    *,
    kinds: str,
) -> tuple[list[T], list[LeftOut]]:
    """Find products in folders, at any depth up to `DEPTH`.

    Hidden files and folders, files of other names (such as partial downloads), and links out of
    the listed folder are passed over.

    Parameters
    ----------
    places : sequence of Path
        Products and folders.
    recognise : callable
        Makes of a path what stands for its product; None of anything else.
    progress : Progress
        Asked for cancellation.
    kinds : str
        What is looked for, for errors.

    Returns
    -------
    products : list
        In no order, each path once.
    left_out : list of LeftOut
        Folders that cannot be listed.

    Raises
    ------
    InputError
        A place is neither a product nor a folder.
    """
    products: dict[Path, T] = {}
    left_out: list[LeftOut] = []
    seen: set[Path] = set()
    for place in places:
        real = place.resolve()
        product = recognise(real)
        if product is None and not real.is_dir():
            raise InputError(f"products must be {kinds} or folders, got {place.name}")
        for found in [product] if product else _walk(real, recognise, seen, progress):
            if isinstance(found, LeftOut):
                left_out.append(found)
            else:
                products[found.path] = found
    return list(products.values()), left_out


def _walk(
    root: Path, recognise: Callable[[Path], T | None], seen: set[Path], progress: Progress
) -> Iterator[T | LeftOut]:
    """Find products below a folder; each folder once, by whichever links it is reached."""
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        progress.check()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            # of a link, where it leads
            paths = [
                Path(os.path.realpath(path))
                for path in sorted(folder.iterdir())
                if not path.name.startswith(".")
            ]
        except OSError as error:
            yield LeftOut(folder.name, f"cannot be listed: {error.strerror}")
            continue
        for path in paths:
            if not path.is_relative_to(root):
                continue
            product = recognise(path)
            if product is not None:
                yield product
            elif depth < DEPTH and path.is_dir() and path.suffix != ".SAFE":
                waiting.append((path, depth + 1))
