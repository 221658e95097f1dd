"""Options of the command line that say what is searched for, as those of peps_download.py."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from catalog.areas import checked_box
from catalog.errors import QueryError
from catalog.model import Box, Query
from catalog.names import product_of_name
from catalog.query import checked_query, read_query
from catalog.times import read_start

_SIDES = ("lonmin", "latmin", "lonmax", "latmax")
_TEXTS = (
    *("collection", "product_type", "mode", "polarisation", "platform", "area", "place", "tile"),
    *("start", "absolute_orbit", "relative_orbit", "direction", "largest_cloud_cover"),
    *("names", "most"),
)
_LARGEST_OUTLINE = 1_000_000


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is searched for.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of a command.
    """
    _add_what(parser.add_argument_group("what"))
    _add_where(parser.add_argument_group("where"))
    when = parser.add_argument_group("when")
    when.add_argument("-d", "--start_date", dest="start", help="first day (2016-08-15) or instant")
    when.add_argument(
        "-f",
        "--end_date",
        dest="before",
        help="day or instant that the search ends before, as at PEPS",
    )
    when.add_argument("--until", help="last day or instant, included")


def _add_what(what: argparse._ArgumentGroup) -> None:
    what.add_argument(
        "-c",
        "--collection",
        default="S1",
        help="S1 (usual), S2, S2ST, S3, CSK, TSX, S1-ORTHO or any other",
    )
    what.add_argument(
        "-p", "--product_type", help="GRD, SLC, OCN; S2MSI1C, S2MSI2A, S2MSI2Ap; SPOT4 ..."
    )
    what.add_argument("-m", "--sensor_mode", dest="mode", help="IW, EW, SM, WV; INS-NOBS, INS-RAW")
    what.add_argument(
        "-o", "--orbit", dest="relative_orbit", help="relative orbit: 1 to 175 for Sentinel-1"
    )
    what.add_argument("--absolute_orbit", help="absolute orbit")
    what.add_argument("--direction", help="ascending or descending")
    what.add_argument("--polarisation", help="VV, VH, HH or HV, or two of them: VV,VH")
    what.add_argument("--sat", "--satellite", dest="platform", help="S1A, S1B, S1C, S2A ...")
    what.add_argument(
        "--cc", "--clouds", dest="largest_cloud_cover", help="largest cloud cover [percent]"
    )
    what.add_argument("--names", metavar="NAME,...", help="names of products")
    what.add_argument(
        "--M",
        "--master",
        dest="master",
        metavar="NAME",
        help="master image: only products of its track, mode and type",
    )
    what.add_argument("--most", help="number of products at most")


def _add_where(where: argparse._ArgumentGroup) -> None:
    where.add_argument(
        "-l",
        "--location",
        dest="place",
        help="name of a town, found by PEPS and other resto servers",
    )
    where.add_argument("-t", "--tile", help="MGRS tile: 31TCJ or T31TCJ")
    where.add_argument("--lat", help="latitude of a point [degrees]")
    where.add_argument("--lon", help="longitude of a point [degrees]")
    where.add_argument("--radius", help="around the point [m], 10000 where missing")
    for side in ("latmin", "latmax", "lonmin", "lonmax"):
        where.add_argument(f"--{side}", help="of a box [degrees]")
    where.add_argument("--area", help="west,south,east,north; or GeoJSON or WKT")
    where.add_argument("--shape", type=Path, metavar="FILE", help="file with GeoJSON or WKT")


def query_of(options: argparse.Namespace) -> Query:
    """Make a query of options.

    Parameters
    ----------
    options : argparse.Namespace
        As parsed.

    Returns
    -------
    Query
        Checked.

    Raises
    ------
    QueryError
        An option breaks its rule, or two do not go together.
    """
    texts = {name: getattr(options, name) or "" for name in _TEXTS}
    texts["stop"] = options.until or ""
    texts["radius_m"] = options.radius or ""
    if (options.lat is None) != (options.lon is None):
        raise QueryError("lat", "given together with lon", options.lat or options.lon)
    if options.lat is not None:
        texts["point"] = f"{options.lon},{options.lat}"
    if options.shape is not None:
        texts["area"] = _outline(options.shape, texts["area"])
    sides = [getattr(options, side) for side in _SIDES]
    if any(side is not None for side in sides):
        texts["area"] = _box(sides, texts["area"])
    query = read_query(**texts)
    platform = query.platform or ""
    sentinel = query.collection[:2].upper() in {"S1", "S2", "S3"}
    if platform and sentinel and not platform.startswith(query.collection[:2].upper()):
        raise QueryError("satellite", f"one of collection {query.collection}", platform)
    if options.before:
        if options.until:
            raise QueryError("until", "left out where end_date is given", options.until)
        before = read_start(options.before, argument="end_date")
        query = checked_query(replace(query, stop=before - timedelta(microseconds=1)))
    return of_master(query, options.master) if options.master else query


def _outline(file: Path, area: str) -> str:
    if area:
        raise QueryError("shape", "left out where area is given", file.name)
    try:
        if file.stat().st_size > _LARGEST_OUTLINE:
            raise QueryError("shape", f"a file of at most {_LARGEST_OUTLINE} bytes", file.name)
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError("shape", "a file with GeoJSON or WKT", file.name) from error


def _box(sides: list[str | None], area: str) -> str:
    shown = ",".join(side or "?" for side in sides)
    if area:
        raise QueryError("lonmin", "left out where area is given", shown)
    if None in sides:
        raise QueryError("lonmin", "given with latmin, lonmax and latmax", shown)
    try:
        box = Box(*(float(side or "") for side in sides))
    except ValueError as error:
        raise QueryError("lonmin", "a number, and so the other sides", shown) from error
    checked_box(box, argument="lonmin")
    return shown


def of_master(query: Query, text: str) -> Query:
    """Narrow a query to the track, mode and type of a master image.

    Parameters
    ----------
    query : Query
        Any.
    text : str
        Name of the master image, or its path.

    Returns
    -------
    Query
        For images that make interferograms with it.

    Raises
    ------
    QueryError
        It is no Sentinel-1 product, or the query asks for another track or mode.
    """
    master = product_of_name(Path(text).name)
    if master.relative_orbit is None or master.collection != "S1":
        raise QueryError("M", "the name of a Sentinel-1 product", text)
    narrowed: dict[str, Any] = {
        "relative_orbit": master.relative_orbit,
        "mode": master.mode,
        "product_type": master.product_type,
    }
    for argument, value in narrowed.items():
        asked = getattr(query, argument)
        if asked not in (None, value):
            raise QueryError(argument, f"that of the master image, {value}", asked)
    return replace(query, **narrowed)
