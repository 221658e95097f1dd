"""What tags and names of GeoTIFFs tell of an acquisition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kernels.errors import InputError

POLARISATIONS = ("VV", "VH", "HH", "HV")

_NAME = re.compile(
    r"(?P<platform>s1[a-d])_(?:sig_|gam_|bet_)?(?P<tile>\d{2}[c-x][a-z]{2})_"
    r"(?P<polarisations>(?:vv|vh|hh|hv){1,2})_(?P<direction>asc|des)_(?P<orbit>\d{1,3})_"
    r"(?P<time>\d{8}(?:t[\dx]{6})?)",
    re.IGNORECASE,
)


class Description(NamedTuple):
    """What a file says of its acquisition.

    Attributes
    ----------
    polarisations : tuple of str
        Of the bands.
    relative_orbit : int
        1 to 175.
    time : str
        Digits of the time, from the year to the second; shorter where less is known.
    tile, direction : str
        Name of the tile, and ASC or DES; empty where neither name nor tags tell.
    calibration : str
        Of the CALIBRATION tag; empty without one.
    """

    polarisations: tuple[str, ...]
    relative_orbit: int
    time: str
    tile: str
    direction: str
    calibration: str


def describe(path: Path, tags: Mapping[str, str]) -> Description:
    """Find out what a file is from its tags, else from its name.

    Parameters
    ----------
    path : Path
        Named for example ``s1b_31TGL_vv_DES_139_20180720t060000.tif`` (one polarisation) or
        ``s1b_sig_31TGL_vvvh_DES_139_20180720txxxxxx.tif`` (a band each).
    tags : mapping of str to str
        Metadata of the raster: RELATIVE_ORBIT_NUMBER, POLARIZATION, ACQUISITION_DATETIME,
        S2_TILE_CORRESPONDING_CODE, ORBIT_DIRECTION.

    Returns
    -------
    Description
        Complete.

    Raises
    ------
    InputError
        Neither tags nor name tell the relative orbit, the polarisation or the time.
    """
    match = _NAME.match(path.name)
    named = match.groupdict() if match else {}
    letters = (tags.get("POLARIZATION") or tags.get("POLARISATION") or "").upper()
    if not _pairs(letters):
        letters = named.get("polarisations", "").upper()
    orbit = tags.get("RELATIVE_ORBIT_NUMBER", "").strip()
    if not orbit.isdecimal():
        orbit = named.get("orbit", "")
    time = re.sub(r"\D", "", tags.get("ACQUISITION_DATETIME", "").lower().partition("x")[0])[:14]
    if len(time) < 8:
        time = re.sub(r"\D", "", named.get("time", ""))
    for value, what in (
        (_pairs(letters), "polarisation by the tag POLARIZATION"),
        (orbit, "relative orbit by the tag RELATIVE_ORBIT_NUMBER"),
        (time, "time by the tag ACQUISITION_DATETIME"),
    ):
        if not value:
            raise InputError(f"{path.name} must tell its {what} or by a name of S1Tiling or PEPS")
    return Description(
        polarisations=_pairs(letters),
        relative_orbit=int(orbit),
        time=time,
        tile=(tags.get("S2_TILE_CORRESPONDING_CODE") or named.get("tile", "")).upper(),
        direction=(named.get("direction") or tags.get("ORBIT_DIRECTION", ""))[:3].upper(),
        calibration=tags.get("CALIBRATION", ""),
    )


def tile_of(name: str) -> str:
    """Return the tile that the name of a file tells; empty where it tells none."""
    match = _NAME.match(name)
    return match["tile"].upper() if match else ""


def _pairs(letters: str) -> tuple[str, ...]:
    """Split VVVH, VV-VH or VV VH into polarisations; empty where it is no such text."""
    plain = re.sub(r"[^A-Z]", "", letters)
    found = tuple(plain[k : k + 2] for k in range(0, len(plain), 2))
    return found if found and all(f in POLARISATIONS for f in found) else ()


def filtered_name(path: Path, polarisation: str) -> str:
    """Name the filtered version of a file; of a file with two bands, by its polarisation."""
    stem = re.sub(
        r"_(?:vv|vh|hh|hv){2}_", f"_{polarisation.lower()}_", path.stem, flags=re.IGNORECASE
    )
    return f"{stem}_filtered.tif"
