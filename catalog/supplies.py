"""Where orbit files and elevation tiles may be fetched from: the operator's configuration.

::

    [orbits:asf]
    url = https://s1-orbits.s3.us-west-2.amazonaws.com

    [elevation:glo30]
    model = GLO-30
    url = https://copernicus-dem-30m.s3.amazonaws.com
    tile_list = tileList.txt

    [geoid:mirror]
    url = https://mirror.example.org/egm96_15.gtx

Nothing is fetched where no section says so, nor where there is no datalake to fetch it into.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalog.credentials import KeyCredentials, find_key
from catalog.elevation import ElevationProvider
from catalog.elevation_tiles import ElevationModel
from catalog.orbit_choice import OrbitProvider
from catalog.settings import (
    SettingsError,
    read_connections,
    read_path,
    read_sections,
    read_server_path,
    read_url,
)

ORBITS, ELEVATION = "orbits", "elevation"
"""Folders of the datalake that fetched files lie in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """Where orbit files and elevation tiles lie, and where missing ones come from.

    Attributes
    ----------
    orbit_folders, elevation_folders : tuple of Path
        The first one takes what is fetched; those that do not exist hold nothing.
    orbit_providers : tuple of OrbitProvider
        The preferred one first; empty where nothing may be fetched.
    elevation_providers : tuple of ElevationProvider
        Likewise.
    geoid_address : str
        Of the file of the geoid; empty: it is where the system has it.
    """

    orbit_folders: tuple[Path, ...] = ()
    elevation_folders: tuple[Path, ...] = ()
    orbit_providers: tuple[OrbitProvider, ...] = ()
    elevation_providers: tuple[ElevationProvider, ...] = ()
    geoid_address: str = ""


def read_supplies(
    files: Iterable[Path],
    *,
    datalake: Path | None,
    orbits: Path | None = None,
    elevation: Path | None = None,
) -> Supplies:
    """Read which orbits and elevation there are for products, and may be fetched.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.
    datalake : Path or None
        Folder that takes what is fetched; None: nothing is.
    orbits, elevation : Path or None
        The operator's own folders of orbit files and of elevation tiles.

    Returns
    -------
    Supplies
        Checked; nothing is asked, and no folder is made.

    Raises
    ------
    SettingsError
        An option is unknown or missing, or its value breaks a rule.
    AccessError
        A credentials file cannot be read or is empty.
    """
    found = tuple(files)
    own_orbits = (orbits,) if orbits else ()
    own_elevation = (elevation,) if elevation else ()
    # read in any case: what is wrong there is told at the start
    orbit_providers = read_orbit_providers(found)
    elevation_providers = read_elevation_providers(found)
    geoid_address = _read_geoid_address(found)
    if datalake is None:
        return Supplies(orbit_folders=own_orbits, elevation_folders=own_elevation)
    return Supplies(
        orbit_folders=(datalake / ORBITS, *own_orbits),
        elevation_folders=(datalake / ELEVATION, *own_elevation),
        orbit_providers=orbit_providers,
        elevation_providers=elevation_providers,
        geoid_address=geoid_address,
    )


def read_places(files: Iterable[Path]) -> dict[str, Path | None]:
    """Read from the section of the server which folders `read_supplies` is to know.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.

    Returns
    -------
    dict of str to Path or None
        By name of the argument.
    """
    read = tuple(files)
    return {argument: read_server_path(read, option) for argument, option in _PLACES.items()}


_PLACES = {"datalake": "datalake", "orbits": "orbits_folder", "elevation": "dem_path"}


def _read_geoid_address(files: Iterable[Path]) -> str:
    sections = read_sections(files, "geoid", {"url": read_url})
    addresses = [_renamed(f"geoid {n}", v, needed={"url"}) for n, v in sections.items()]
    return str(addresses[0]["address"]) if addresses else ""


def read_orbit_providers(files: Iterable[Path]) -> tuple[OrbitProvider, ...]:
    """Read the sections ``[orbits:NAME]``.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.

    Returns
    -------
    tuple of OrbitProvider
        In the order of the files; empty where nothing may be fetched.

    Raises
    ------
    SettingsError
        An option is unknown or missing, or its value breaks a rule.
    """
    sections = read_sections(files, "orbits", _ORBIT_READERS)
    return tuple(
        OrbitProvider(name=name, **_renamed(f"orbits {name}", values, needed={"url"}))
        for name, values in sections.items()
    )


def read_elevation_providers(files: Iterable[Path]) -> tuple[ElevationProvider, ...]:
    """Read the sections ``[elevation:NAME]``.

    Parameters
    ----------
    files : iterable of Path
        Configuration files, the later over the earlier, option by option.

    Returns
    -------
    tuple of ElevationProvider
        In the order of the files; empty where nothing may be fetched.

    Raises
    ------
    SettingsError
        An option is unknown or missing, or its value breaks a rule.
    AccessError
        A credentials file cannot be read or is empty.
    """
    sections = read_sections(files, "elevation", _ELEVATION_READERS)
    found = []
    for name, values in sections.items():
        file = values.pop("credentials", None)
        provider = ElevationProvider(
            name=name, **_renamed(f"elevation {name}", values, needed={"url", "model"})
        )
        if file is not None:
            key = find_key(name, urlsplit(provider.address).hostname or "", file)
            credentials = KeyCredentials(key, header="Authorization", scheme="Bearer")
            provider = replace(provider, credentials=credentials)
        found.append(provider)
    return tuple(found)


def _renamed(told: str, values: Mapping[str, Any], *, needed: Collection[str]) -> dict[str, Any]:
    """Check that nothing is missing, and call the address what providers call it."""
    for option in sorted(needed):
        if not values.get(option):
            raise SettingsError(f"{told} needs {option}")
    return {"address" if option == "url" else option: value for option, value in values.items()}


def _model(text: str, _: Path) -> ElevationModel:
    try:
        return ElevationModel(text.upper())
    except ValueError as error:
        raise ValueError(f"must be of {', '.join(ElevationModel)}, got {text}") from error


def _template(*names: str) -> Callable[[str, Path], str]:
    """Return a reader of texts with names between braces."""

    def read(text: str, _: Path) -> str:
        rule = f"must be a path below the address, with {' or '.join(names)} between braces"
        try:
            found = [name for _, name, *_ in string.Formatter().parse(text) if name is not None]
        except ValueError as error:
            raise ValueError(rule) from error
        if not set(found) <= set(names) or text.startswith("/") or ".." in text.split("/"):
            raise ValueError(f"{rule}, got {text}")
        return text

    return read


def _tile_list(text: str, folder: Path) -> str | Path:
    """Read the name of a list: that of a file on this disk where there is one."""
    path = folder / Path(text).expanduser()
    return path if text and path.is_file() else text


_ORBIT_READERS: dict[str, Callable[[str, Path], Any]] = {
    "url": read_url,
    "prefix": _template("kind"),
    "connections": read_connections,
}
_ELEVATION_READERS: dict[str, Callable[[str, Path], Any]] = {
    "model": _model,
    "url": read_url,
    "template": _template("tile", "north", "east"),
    "tile_list": _tile_list,
    "credentials": read_path,
    "connections": read_connections,
}
