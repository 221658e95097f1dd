"""What the names of products say, and the track of a Sentinel-1 orbit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from catalog.errors import QueryError
from catalog.mgrs import tile_outline
from catalog.model import Product

ORTHO_COLLECTION = "S1-ORTHO"
"""Of tiles that this project or S1Tiling or PEPS made."""

TRACKS = 175
"""Orbits of Sentinel-1 between two passes over the same track."""

_OFFSETS = {"S1A": 73, "S1B": 27, "S1D": 42}
_S1C_OFFSETS = (172, 99)
_S1C_LAST_OF_FIRST = 8018
"""Orbit of S1C after which a manoeuvre (2026-06) had it follow other tracks."""

_ENDINGS = re.compile(r"\.(zip|safe|tif|tiff|h5|xml)\Z", re.I)
_S1 = re.compile(
    r"(?P<platform>S1[A-D])_(?P<beam>S[1-6]|IW|EW|WV|EN|N[1-6]|IM)_(?P<type>RAW|SLC|GRD|OCN)[FHM_]_"
    r"[012][SAN](?P<polarisation>SH|SV|DH|DV|HH|HV|VV|VH)_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})_"
    r"(?P<orbit>\d{6})_[0-9A-F]{6}_[0-9A-F]{4}(?:_COG)?"
)
_S2 = re.compile(
    r"(?P<platform>S2[A-D])_MSIL(?P<level>1C|2A)_(?P<start>\d{8}T\d{6})_N\d{4}_R(?P<track>\d{3})_"
    r"T(?P<tile>\w{5})_\d{8}T\d{6}"
)
_TSX = re.compile(
    r"(?P<platform>TSX1|TDX1|PAZ1)_SAR__(?P<type>SSC|MGD|GEC|EEC)_\w{4}_(?P<mode>SM|SL|HS|SC|ST|WS)_[SDTQ]_"
    r"\w{3}_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
)
_CSK = re.compile(
    r"(?P<platform>CSKS[1-4])_(?P<type>RAW_B|SCS_[BU]|DGM_B|GEC_B|GTC_B)_(?P<mode>HI|PP|WR|HR|S2)_\w{2}_"
    r"(?P<polarisation>HH|VV|HV|VH|CO|CH|CV)_[RL](?P<direction>[AD])_\w{2}_"
    r"(?P<start>\d{14})_(?P<stop>\d{14})"
)
_ORTHO = re.compile(
    r"(?P<platform>s1[a-d])_(?:(?:sig|gam|bet|rtc|nor)_)?(?P<tile>\d{2}[c-x][a-z]{2})_"
    r"(?P<polarisation>(?:vv|vh|hh|hv){1,2})_(?P<direction>asc|des)_(?P<track>\d{1,3})_"
    r"(?P<start>\d{8}(?:t[\dx]{6})?)(?P<rest>\w*)",
    re.I,
)
_POLARISATIONS = {"SH": "HH", "SV": "VV", "DH": "HH HV", "DV": "VV VH"}
_DIRECTIONS = {"A": "ascending", "D": "descending"}


def relative_orbit(platform: str, absolute_orbit: int) -> int | None:
    """Return the track of a Sentinel-1 orbit.

    Parameters
    ----------
    platform : str
        S1A, S1B, S1C or S1D.
    absolute_orbit : int
        Counted from the launch.

    Returns
    -------
    int or None
        1 to 175; None of another platform.
    """
    if platform == "S1C":
        offset: int | None = _S1C_OFFSETS[absolute_orbit > _S1C_LAST_OF_FIRST]
    else:
        offset = _OFFSETS.get(platform)
    return None if offset is None else (absolute_orbit - offset) % TRACKS + 1


def bare_name(name: str) -> str:
    """Take .zip, .SAFE and other endings off a file name."""
    while ending := _ENDINGS.search(name):
        name = name[: ending.start()]
    return name


def platform_name(text: str) -> str:
    """Return the short name of a platform: S1A for sentinel-1a, any other in capitals."""
    match = re.fullmatch(r"sentinel-?(\d)([a-d])", text.strip(), re.I)
    return f"S{match[1]}{match[2]}".upper() if match else text.strip().upper()


def polarisation_names(text: str) -> str:
    """Return polarisations between blanks: VV VH for DV, VV+VH or VV&VH."""
    capitals = text.strip().upper()
    if capitals in _POLARISATIONS:
        return _POLARISATIONS[capitals]
    found = re.findall(r"VV|VH|HH|HV", capitals)
    return " ".join(dict.fromkeys(found)) or capitals


def product_of_name(name: str) -> Product:
    """Tell what the name of a product says.

    Parameters
    ----------
    name : str
        Of a product of Sentinel-1 or 2, TerraSAR-X, COSMO-SkyMed or an ortho tile, with or
        without ending.

    Returns
    -------
    Product
        With no more than its name where that is of no known kind.
    """
    bare = bare_name(name)
    for pattern, describe in _KINDS:
        match = pattern.fullmatch(bare)
        if match:
            try:
                return describe(bare, match)
            except (ValueError, QueryError):  # digits that are no time, letters that are no tile
                continue
    return Product(name=bare)


def _time(digits: str) -> datetime:
    plain = re.sub(r"\D", "", digits).ljust(14, "0")
    clock = (int(plain[k : k + 2]) for k in range(4, 14, 2))
    month, day, hour, minute, second = clock
    return datetime(int(plain[:4]), month, day, hour, minute, second, tzinfo=UTC)


def _sentinel1(name: str, match: re.Match[str]) -> Product:
    beam, orbit = match["beam"], int(match["orbit"])
    code = match["polarisation"]
    return Product(
        name=name,
        collection="S1",
        product_type=match["type"],
        mode="SM" if re.fullmatch(r"S\d", beam) else beam,
        polarisation=_POLARISATIONS.get(code, code),
        platform=match["platform"],
        start=_time(match["start"]),
        stop=_time(match["stop"]),
        absolute_orbit=orbit,
        relative_orbit=relative_orbit(match["platform"], orbit),
    )


def _sentinel2(name: str, match: re.Match[str]) -> Product:
    start = _time(match["start"])
    return Product(
        name=name,
        collection="S2",
        product_type=f"S2MSI{match['level']}",
        platform=match["platform"],
        start=start,
        stop=start,
        relative_orbit=int(match["track"]),
        properties={"tile": match["tile"]},
    )


def _terrasar(name: str, match: re.Match[str]) -> Product:
    return Product(
        name=name,
        collection="TSX",
        product_type=match["type"],
        mode=match["mode"],
        platform=match["platform"],
        start=_time(match["start"]),
        stop=_time(match["stop"]),
    )


def _cosmo(name: str, match: re.Match[str]) -> Product:
    return Product(
        name=name,
        collection="CSK",
        product_type=match["type"],
        mode=match["mode"],
        polarisation=match["polarisation"],
        platform=match["platform"],
        start=_time(match["start"]),
        stop=_time(match["stop"]),
        direction=_DIRECTIONS[match["direction"]],
    )


def _ortho(name: str, match: re.Match[str]) -> Product:
    tile, digits = match["tile"].upper(), match["start"].lower()
    start = _time(digits.partition("x")[0])
    return Product(
        name=name,
        collection=ORTHO_COLLECTION,
        product_type="FILTERED" if "filtered" in match["rest"].lower() else "ORTHO",
        polarisation=polarisation_names(match["polarisation"]),
        platform=match["platform"].upper(),
        start=start,
        stop=start,
        relative_orbit=int(match["track"]),
        direction=_DIRECTIONS[match["direction"][0].upper()],
        footprint=tile_outline(tile),
        properties={"tile": tile},
    )


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Product]], ...] = (
    (_S1, _sentinel1),
    (_S2, _sentinel2),
    (_TSX, _terrasar),
    (_CSK, _cosmo),
    (_ORTHO, _ortho),
)
