"""Configurations of DiapOTB's chains, translated into requests for a pair or a series.

Its JSON has sections with groups ``in``, ``out`` and ``parameter``; keys come in two spellings
(master and reference, azimut and azi, and so on) and mean the same in whatever group they stand.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels.errors import RequestError

PAIR, SERIES = "dinsar-pair", "multislc-series"
"""The processes that do what DiapOTB's chains do."""

Reader = Callable[[str, Any], dict[str, Any]]
"""Makes values of a request from a key and what it has in a configuration."""

_ARGUMENT = "diapotb"
_SPELLINGS = (
    ("master", "reference"),
    ("slave", "secondary"),
    ("azimuth", "azi"),
    ("azimut", "azi"),
    ("range", "ran"),
    ("parameters", "parameter"),
)
_NO_EFFECT = {
    "doppler_file": "the centroid is that of the annotation, sar-doppler0 writes an estimate",
    "ml_gain": "amplitudes are digital numbers",
    "interferogram_gain": "amplitudes are digital numbers",
    "fine_metadata_file": "precise orbits take the place of corrected metadata",
    "gridstep_ran": "the geometry is tabulated every 32 pixels",
    "gridstep_azi": "the geometry is tabulated every 32 pixels",
    "grid_threshold": "geometry needs no grid of correlation, see the option correlation",
    "gridstep_threshold": "geometry needs no grid of correlation, see the option correlation",
    "grid_gap": "geometry needs no grid of correlation, see the option correlation",
    "srtm_shapefile": "tiles are found by their names",
    "geoid": "EGM96 is added to heights, see the option dem_heights",
    "clean": "nothing is left behind",
    "tmpdir_into_outputdir": "nothing is left behind",
    "light_version": "the outputs of a pair are always the same",
    "filtered_interferogram_mlran": "the filter works on the looks of the interferogram",
    "filtered_interferogram_mlazi": "the filter works on the looks of the interferogram",
    "satellite": "the products say it",
    "mode": "the products say it",
    "pattern": "the products say it",
    "polarization": "the names of the images say it",
}
_YES, _NO = {"yes", "true", "1", "on"}, {"no", "false", "0", "off", "none", ""}
_NONE = {"", "-9999", "none", "null"}
_MEASUREMENT = re.compile(r"s1[a-d]-([a-z0-9]+)-slc-([vh]{2})-", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)(20\d{6})(?!\d{7})", re.ASCII)
_EARLIEST, _LATEST = "19910101", "21001231"
"""Where a configuration leaves a day open: before the first SLC, and after any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiapotbRun:
    """What a configuration asks for.

    Attributes
    ----------
    chain : str
        `PAIR` or `SERIES`.
    values : dict of str
        Of the request, by name.
    folder : Path
        For the results.
    warnings : tuple of str
        Keys that are not known or without effect here, a line each.
    """

    chain: str
    values: dict[str, Any]
    folder: Path
    warnings: tuple[str, ...]


def read_diapotb(path: Path) -> DiapotbRun:
    """Read a configuration of diapOTB, diapOTB_S1IW, SAR_MultiSlc or SAR_MultiSlc_IW.

    Parameters
    ----------
    path : Path
        JSON file; paths in it are taken as they are.

    Returns
    -------
    DiapotbRun
        Values are not checked beyond their form; the request does that.

    Raises
    ------
    RequestError
        No such configuration, a key without a value that makes sense, or something that is
        asked for and not done here.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(_ARGUMENT, "a readable JSON file", f"{path.name}: {error}") from error
    if not isinstance(content, Mapping):
        raise RequestError(_ARGUMENT, "a configuration of DiapOTB", path.name)
    leaves = tuple(_leaves(content))
    is_series = any(_canonical(key) == "input_path" for _, key, _ in leaves)
    readers = _READERS_OF_SERIES if is_series else _READERS
    found: dict[str, Any] = {}
    warnings = []
    for section, key, value in leaves:
        warning = _warning(section, key, value, readers)
        if warning is None:
            found[_canonical(key)] = value
        elif warning:
            warnings.append(warning)
    common: dict[str, Any] = {}
    for name, read in readers.items():
        if name in found and str(found[name]).strip().lower() not in _NONE:
            common |= read(name, found[name])
    values, folder = _series(found, common) if is_series else _pair(found, common)
    return DiapotbRun(
        chain=SERIES if is_series else PAIR,
        values=values,
        folder=folder,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _warning(section: str, key: str, value: Any, readers: Mapping[str, Reader]) -> str | None:
    """Tell why a key is not read, empty where nobody need know; None: it is read."""
    name = _canonical(key)
    if name == "activate" and _canonical(section) == "metadata_correction":
        is_on = _switch(key, value)
        return f"{section} has no effect: precise orbits take its place" if is_on else ""
    if name in readers or name in _PLACES:
        return None
    return (
        f"{key} has no effect: {_NO_EFFECT[name]}" if name in _NO_EFFECT else f"{key} is not known"
    )


def _leaves(
    content: Mapping[str, Any], section: str = "", depth: int = 0
) -> Iterator[tuple[str, str, Any]]:
    """Section, key and value of everything that is no group."""
    for key, value in content.items():
        if isinstance(value, Mapping) and depth < 4:
            yield from _leaves(value, section or str(key), depth + 1)
        else:
            yield section, str(key), value


def _canonical(key: str) -> str:
    name = key.strip().lower()
    for one, other in _SPELLINGS:
        name = re.sub(rf"(?<![a-z]){one}(?![a-z])", other, name)
    return name


def _refuse(key: str, rule: str, value: Any) -> RequestError:
    return RequestError(f"{_ARGUMENT}: {key}", rule, value)


def _switch(key: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _YES | _NO:
        raise _refuse(key, "yes or no", value)
    return text in _YES


def _whole(name: str) -> Reader:
    def read(key: str, value: Any) -> dict[str, Any]:
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,7}", text):
            raise _refuse(key, "a whole number", value)
        return {name: int(text)}

    return read


def _bursts(key: str, value: Any) -> dict[str, Any]:
    found = re.fullmatch(r"([0-9]{1,3})(?:\s*-\s*([0-9]{1,3}))?", str(value).strip())
    if found is None:
        raise _refuse(key, "one burst or a range as 0-8, counted from 0", value)
    return {"first_burst": int(found[1]) + 1, "last_burst": int(found[2] or found[1]) + 1}


def _iterations(key: str, value: Any) -> dict[str, Any]:
    text = str(value).strip().lower()
    if text != "auto" and text not in set("012345"):
        raise _refuse(key, "auto or 0 to 5", value)
    return {"esd": "off" if text == "0" else text}


def _spacing(key: str, value: Any) -> dict[str, Any]:
    try:
        return {"ortho": "geographic", "spacing": float(value)}
    except (TypeError, ValueError) as error:
        raise _refuse(key, "a number of degrees", value) from error


def region_of_corners(argument: str, value: Any) -> str:
    """Make a region of its upper left and lower right corners.

    Parameters
    ----------
    argument : str
        What the corners are given with, for errors.
    value : str or list
        ulx uly lrx lry [degrees], between blanks or commas.

    Returns
    -------
    str
        west,south,east,north.

    Raises
    ------
    RequestError
        They are no corners.
    """
    parts = value if isinstance(value, list) else re.split(r"[\s,]+", str(value).strip(" ,"))
    try:
        left, upper, right, lower = (float(part) for part in parts)
    except (TypeError, ValueError) as error:
        raise RequestError(argument, "ulx uly lrx lry in degrees", value) from error
    if not lower < upper:
        raise RequestError(argument, "ulx uly lrx lry in degrees, uly above lry", value)
    return f"{left!r},{lower!r},{right!r},{upper!r}"


def _region(key: str, value: Any) -> dict[str, Any]:
    return {"region": region_of_corners(f"{_ARGUMENT}: {key}", value)}


def _interferogram(key: str, value: Any) -> dict[str, Any]:
    if not _switch(key, value):
        rule = "yes: sar-deformation-grid and sar-coregistration stop before the interferogram"
        raise _refuse(key, rule, value)
    return {}


def _map(key: str, value: Any) -> dict[str, Any]:
    """Read whether a map is wanted, which is made in any case."""
    _switch(key, value)
    return {}


def _filter(key: str, value: Any) -> dict[str, Any]:
    return {"phase_filter": "goldstein" if _switch(key, value) else "none"}


def _strength(key: str, value: Any) -> dict[str, Any]:
    try:
        return {"filter_strength": float(value)}
    except (TypeError, ValueError) as error:
        raise _refuse(key, "a number from 0 to 1", value) from error


_READERS: dict[str, Reader] = {
    "dem_path": lambda _, value: {"dem": [str(value)]},
    "srtm_path": lambda _, value: {"dem": [str(value)]},
    "eof_path": lambda _, value: {"orbits": str(value)},
    "burst_index": _bursts,
    "ml_ran": _whole("range_looks"),
    "ml_azi": _whole("azimuth_looks"),
    "ml_interferogram_ran": _whole("range_looks"),
    "ml_interferogram_azi": _whole("azimuth_looks"),
    "optram": _whole("memory_mb"),
    "esd_iter": _iterations,
    "spacingxy": _spacing,
    "roi": _region,
    "activate_interferogram": _interferogram,
    "interferogram_ortho": _map,
    "activate_ortho": _map,
    "activate_filtering": _filter,
    "filtered_parameter_alpha": _strength,
}


def _number(name: str, *, largest: float = math.inf) -> Reader:
    def read(key: str, value: Any) -> dict[str, Any]:
        try:
            return {name: min(float(value), largest)}
        except (TypeError, ValueError) as error:
            raise _refuse(key, "a number", value) from error

    return read


def _yes_or_no(name: str) -> Reader:
    return lambda key, value: {name: _switch(key, value)}


def _ortho(key: str, value: Any) -> dict[str, Any]:
    return {"ortho": "geographic" if _switch(key, value) else "none"}


def _esd_of_series(key: str, value: Any) -> dict[str, Any]:
    return {"esd": "off" if _iterations(key, value)["esd"] == "off" else "auto"}


_LARGEST_GAP = 8.0
"""Beyond it a gap is none [pixels]."""
_READERS_OF_SERIES: dict[str, Reader] = _READERS | {
    "activate_interferogram": _yes_or_no("interferograms"),
    "activate_ortho": _ortho,  # after the spacing, whose map it may take away
    "light_version": _yes_or_no("light"),
    "grid_threshold": _number("correlation_threshold"),
    "gridstep_threshold": _number("correlation_threshold"),
    "grid_gap": _number("correlation_gap", largest=_LARGEST_GAP),
    "interferogram_gain": _number("gain"),
    "polarization": lambda _, value: {"polarisation": str(value).strip().upper()},
    "polarisation": lambda _, value: {"polarisation": str(value).strip().upper()},
    "esd_iter": _esd_of_series,
}
_PLACES = (
    "reference_image_path",
    "secondary_image_path",
    "output_dir",
    "output_path",
    "input_path",
    "reference_image",
    "start_date",
    "end_date",
    "exclude",
)


def _of_image(path: Path) -> dict[str, Any]:
    """Product of an image, with its swath and polarisation where the name says them."""
    found = _MEASUREMENT.match(path.name)
    above = next((one for one in path.parents if one.suffix.upper() == ".SAFE"), None)
    if above is None:
        # TerraSAR-X: the pixels lie in a folder of the product
        return {"product": str(path.parent.parent if path.suffix.lower() == ".cos" else path)}
    if found is None:
        return {"product": str(above)}
    return {
        "product": str(above),
        "swaths": [found[1].upper()],
        "polarisation": found[2].upper(),
    }


def _values(reference: Path, secondary: Path, common: dict[str, Any]) -> dict[str, Any]:
    first, second = _of_image(reference), _of_image(secondary)
    own = {"reference": [first.pop("product")], "secondary": [second.pop("product")]}
    second.pop("swaths", None)
    if first.get("polarisation") != second.get("polarisation", first.get("polarisation")):
        raise _refuse("Slave_Image_Path", "of the master's polarisation", secondary.name)
    return own | first | common


def _place(found: Mapping[str, Any], name: str, spelt: str) -> Path:
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _refuse(spelt, "given", "nothing")
    return Path(value)


def _pair(found: Mapping[str, Any], common: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    reference = _place(found, "reference_image_path", "Master_Image_Path")
    secondary = _place(found, "secondary_image_path", "Slave_Image_Path")
    folder = _place(found, "output_dir" if "output_dir" in found else "output_path", "output_dir")
    return _values(reference, secondary, common), folder


def _series(found: Mapping[str, Any], common: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    folder = _place(found, "input_path", "Input_Path")
    output = _place(found, "output_path" if "output_path" in found else "output_dir", "Output_Path")
    master = _place(found, "reference_image", "Master_Image").name
    start, stop = (str(found.get(key, "")).strip() for key in ("start_date", "end_date"))
    own: dict[str, Any] = {
        "products": [str(folder)],
        "reference": master,
        "first_day": _EARLIEST if start in _NONE else start,
        "last_day": _LATEST if stop in _NONE else stop,
        "excluded_days": _DAY.findall(str(found.get("exclude", ""))),
    }
    measured = _MEASUREMENT.match(master)
    if measured:
        own |= {"swaths": [measured[1].upper()], "polarisation": measured[2].upper()}
    return own | common, output
