"""Regions of interest, as users write them."""

from __future__ import annotations

from kernels.errors import RequestError
from kernels.model import GeographicBox

_RULE = "west,south,east,north in degrees, south below north"


def read_region(text: str, *, argument: str = "region") -> GeographicBox:
    """Read a box.

    Parameters
    ----------
    text : str
        ``west,south,east,north`` [degrees]; west is larger than east where the box crosses the
        antimeridian.
    argument : str
        Name of the option, for errors.

    Returns
    -------
    GeographicBox
        Whose east may pass 180.

    Raises
    ------
    RequestError
        If it is none.
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise RequestError(argument, _RULE, text) from error
    known = -180.0 <= west <= 180.0 and -180.0 <= east <= 180.0 and west != east
    if not (known and -90.0 <= south < north <= 90.0):
        raise RequestError(argument, _RULE, text)
    return GeographicBox(west, south, east + (360.0 if east < west else 0.0), north)


def read_point(text: str, *, argument: str) -> tuple[float, float]:
    """Read a place.

    Parameters
    ----------
    text : str
        ``longitude,latitude`` [degrees].
    argument : str
        Name of the option, for errors.

    Returns
    -------
    tuple of float
        Longitude and latitude [degrees].

    Raises
    ------
    RequestError
        If it is none.
    """
    rule = "longitude,latitude in degrees"
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise RequestError(argument, rule, text) from error
    if not (-180.0 <= longitude <= 180.0 and -90.0 <= latitude <= 90.0):
        raise RequestError(argument, rule, text)
    return longitude, latitude


def common_box(one: GeographicBox, other: GeographicBox) -> GeographicBox | None:
    """Return what two boxes have in common, near the first one's longitudes; None if nothing.

    Parameters
    ----------
    one, other : GeographicBox
        [degrees].

    Returns
    -------
    GeographicBox or None
        With an area.
    """
    turn = 360.0 * round((one.west + one.east - other.west - other.east) / 720.0)
    found = GeographicBox(
        max(one.west, other.west + turn),
        max(one.south, other.south),
        min(one.east, other.east + turn),
        min(one.north, other.north),
    )
    return found if found.west < found.east and found.south < found.north else None
