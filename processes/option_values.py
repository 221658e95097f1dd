"""Values of options in the operator's configuration, from the text that stands there.

Each function takes the name of an option, its text, and the folder that relative paths count from;
it raises ValueError with one line for the operator.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit


def url(name: str, found: str, _folder: Path) -> str:
    """Read an address, without a slash at the end."""
    parts = urlsplit(found)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{name} must be an http or https address, got {found}")
    return found.rstrip("/")


def path(_name: str, found: str, folder: Path) -> Path:
    """Read a path that need not exist."""
    return folder.resolve() / Path(found).expanduser()


def existing(name: str, found: str, folder: Path) -> Path:
    """Read a path that exists."""
    chosen = path(name, found, folder)
    if not chosen.exists():
        raise ValueError(f"{name} must exist, got {chosen}")
    return chosen


def folders(name: str, found: str, folder: Path) -> tuple[Path, ...]:
    """Read folders that exist, one a line."""
    chosen = tuple(existing(name, line.strip(), folder) for line in found.splitlines() if line)
    for one in chosen:
        if not one.is_dir():
            raise ValueError(f"{name} must be folders, one per line, got {one}")
    return chosen


def count(name: str, found: str, _folder: Path) -> int:
    """Read a whole number from 1 on."""
    if not found.isdecimal() or int(found) < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {found}")
    return int(found)


def words(_name: str, found: str, _folder: Path) -> tuple[str, ...]:
    """Read words between blanks, commas or ends of lines."""
    return tuple(found.replace(",", " ").split())


def text(_name: str, found: str, _folder: Path) -> str:
    """Read any text."""
    return found


def choice(*allowed: str) -> Callable[[str, str, Path], str]:
    """Make a reader of one of some words."""

    def read(name: str, found: str, _folder: Path) -> str:
        if found not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {found}")
        return found

    return read


def switch(name: str, found: str, folder: Path) -> bool:
    """Read true or false."""
    return choice("true", "false")(name, found.lower(), folder) == "true"
