"""Which catalogues are asked: sections ``[catalog:NAME]`` of the operator's configuration files.

::

    [catalog:datalake]
    type = local
    roots = /datalake
    index = /var/lib/fournaise/datalake.sqlite

    [catalog:geodes]
    type = geodes
    credentials = geodes.key
"""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalog.areas import read_numbers
from catalog.errors import CatalogError, QueryError
from catalog.layouts import read_layout
from catalog.odata import CDSE_ADDRESS
from catalog.resto import PEPS_ADDRESS
from catalog.stac import PROFILES

KIND = "catalog"
TYPES = ("local", "resto", "cdse", "eodag", *PROFILES)
_KNOWN = {"peps": "resto", "geodes": "geodes", "cdse": "cdse", "earth-search": "earth-search"}
"""Catalogues that need no section: type by name."""
_ADDRESSES = {"resto": PEPS_ADDRESS, "cdse": CDSE_ADDRESS}
_MOST_CONNECTIONS = 16
_POLL_SECONDS = (5.0, 3600.0)


class SettingsError(CatalogError):
    """The operator's configuration breaks a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """One catalogue.

    Attributes
    ----------
    name : str
        By which it is called.
    type : str
        One of `TYPES`.
    url : str
        Instead of the usual address of its type.
    credentials : Path or None
        File with user and password, or with a key; None: environment or netrc.
    connections : int or None
        At once, for downloads; None: as usual for its type.
    ca_bundle : Path or None
        Authorities that certificates are checked against; None: the usual ones.
    poll_seconds : float or None
        Longest time between two questions whether a product has come from tape [s].
    roots : tuple of Path
        Folders of a local catalogue.
    index : Path or None
        File of its index.
    layouts : tuple of str
        Where products lie below the roots.
    provider : str
        What eodag calls it; empty: as it is named here.
    eodag_config : Path or None
        Configuration of eodag, with its credentials; None: where eodag looks for it.
    """

    name: str
    type: str
    url: str = ""
    credentials: Path | None = None
    connections: int | None = None
    ca_bundle: Path | None = None
    poll_seconds: float | None = None
    roots: tuple[Path, ...] = ()
    index: Path | None = None
    layouts: tuple[str, ...] = ()
    provider: str = ""
    eodag_config: Path | None = None

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise SettingsError(f"catalog {self.name}: type must be of {', '.join(TYPES)}")
        if self.ca_bundle is not None and not self.ca_bundle.exists():
            raise SettingsError(f"catalog {self.name}: ca_bundle must be there")
        if self.type == "local" and not (self.roots and self.index):
            raise SettingsError(f"catalog {self.name}: local ones need roots and index")
        if self.type == "stac" and not self.url:
            raise SettingsError(f"catalog {self.name}: stac needs url")

    @property
    def address(self) -> str:
        """Address that is asked."""
        profile = PROFILES.get(self.type)
        return self.url or _ADDRESSES.get(self.type, profile.address if profile else "")


def known_settings(name: str) -> CatalogSettings:
    """Return the usual settings of a well-known catalogue; SettingsError where it is none."""
    if name not in _KNOWN:
        names = ", ".join(_KNOWN)
        raise SettingsError(f"catalog must be a configured one or of {names}, got {name}")
    return CatalogSettings(name=name, type=_KNOWN[name])


def read_catalog_settings(files: Iterable[Path]) -> tuple[CatalogSettings, ...]:
    """Read which catalogues are configured.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.

    Returns
    -------
    tuple of CatalogSettings
        In the order of the files; relative paths count from the file that they stand in.

    Raises
    ------
    SettingsError
        An option is unknown or its value breaks a rule.
    """
    return tuple(
        CatalogSettings(name=name, **{"type": _KNOWN.get(name, ""), **values})
        for name, values in read_sections(files, KIND, _READERS).items()
    )


def read_server_path(files: Iterable[Path], option: str) -> Path | None:
    """Read a path of the section ``[fournaise]``, that of the server; None where it is not set."""
    found = None
    for file in files:
        text = _parsed(file).get("fournaise", option, fallback="").strip()
        found = read_path(text, file.resolve().parent) or found
    return found


Readers = Mapping[str, Callable[[str, Path], Any]]
"""By option: reads its text, in a file of a folder; raises ValueError with what it must be."""


def read_sections(files: Iterable[Path], kind: str, readers: Readers) -> dict[str, dict[str, Any]]:
    """Read the sections ``[KIND:NAME]``.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.
    kind : str
        What they are of.
    readers : mapping of str to callable
        Of their options.

    Returns
    -------
    dict of str to dict
        Options by name of the section, in the order of the files.

    Raises
    ------
    SettingsError
        An option is unknown or its value breaks a rule.
    """
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        parser = _parsed(file)
        for section in parser.sections():
            of, colon, name = section.partition(":")
            if colon and of == kind:
                told = f"{kind} {name.strip()}"
                values = _read_section(file, told, parser[section], readers)
                found.setdefault(name.strip(), {}).update(values)
    return found


def _parsed(file: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise SettingsError(f"{file.name} must be a configuration file") from error
    return parser


def _read_section(
    file: Path, told: str, section: Mapping[str, str], readers: Readers
) -> dict[str, Any]:
    values = {}
    for option, text in section.items():
        if option not in readers:
            known = ", ".join(readers)
            raise SettingsError(f"{told}: options must be of {known}, got {option}")
        try:
            values[option] = readers[option](text.strip(), file.resolve().parent)
        except (ValueError, QueryError) as error:
            raise SettingsError(f"{told}: {option} {error}") from error
    return values


def read_url(text: str, _: Path) -> str:
    """Read an address of http or https; ValueError where it is none."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ValueError("must be an address of http or https, without a user")
    return text.rstrip("/")


def read_connections(text: str, _: Path) -> int:
    """Read a number of connections; ValueError where it is too small or too large."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_CONNECTIONS:
        raise ValueError(f"must be 1 to {_MOST_CONNECTIONS}")
    return int(text)


def _poll_seconds(text: str, _: Path) -> float:
    least, most = _POLL_SECONDS
    rule = f"must be {least:g} to {most:g}"
    (seconds,) = read_numbers(text, argument="poll_seconds", count=1, rule=rule)
    if not least <= seconds <= most:
        raise ValueError(rule)
    return seconds


def read_path(text: str, folder: Path) -> Path | None:
    """Read a path that counts from a folder; None where it is empty."""
    return folder / Path(text).expanduser() if text else None


def _paths(text: str, folder: Path) -> tuple[Path, ...]:
    return tuple(folder / Path(line.strip()).expanduser() for line in text.splitlines() if line)


def _layouts(text: str, _: Path) -> tuple[str, ...]:
    return tuple(read_layout(line) for line in text.splitlines() if line.strip())


_READERS: dict[str, Callable[[str, Path], Any]] = {
    "type": lambda text, _: text,
    "url": read_url,
    "credentials": read_path,
    "connections": read_connections,
    "ca_bundle": read_path,
    "poll_seconds": _poll_seconds,
    "roots": _paths,
    "index": read_path,
    "layouts": _layouts,
    "provider": lambda text, _: text,
    "eodag_config": read_path,
}
