"""Write kernels/geometry/sentinel2_tiles.txt: which 100 km squares are tiles of Sentinel-2.

The names are facts that ESA published as a list with corners. The source archive of s1tiling
(Apache-2.0) carries that list as a GeoPackage, which is read here; nothing else of the archive is
used. Of every tile the corner in the list is projected to UTM and the rule of
`kernels.geometry.mgrs` is checked against it, and what was written is read back and compared.

    .venv/bin/python scripts/make_tile_list.py [s1tiling-VERSION.tar.gz]

Without an argument pip downloads the archive.
"""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray

from kernels.geometry import mgrs

SOURCE = "s1tiling==1.4.2"
MEMBER = "s1tiling/resources/shapefile/MGRS.gpkg"
TOLERANCE = 0.01  # m; the list has 1e-10 degrees, which the far ends of wide zones magnify
HEADER = f"""\
# The tiles of Sentinel-2: which 100 km squares of MGRS they are.
# ESA's published facts, from the list in the source archive of {SOURCE} (Apache-2.0);
# written by scripts/make_tile_list.py, do not edit.
# A line holds whole rows: of every zone named, from the first to the last row and column.
# Rows are the northing of the square's south edge from the equator, columns the easting of its
# west edge, in 100 km.
# zones band rows columns
"""


def downloaded(folder: Path) -> Path:
    """Let pip download the source archive into a folder."""
    command = ["pip", "download", "--no-deps", "--no-binary", "s1tiling", "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", *command, SOURCE], check=True)
    return next(folder.glob("*.tar.gz"))


def extracted(archive: Path, folder: Path) -> Path:
    """Take the GeoPackage out of the archive."""
    target = folder / "tiles.gpkg"
    with tarfile.open(archive) as tar:
        member = next(m for m in tar if m.name.endswith(MEMBER))
        content = tar.extractfile(member)
        if content is None:
            raise SystemExit(f"{MEMBER} is no file")
        target.write_bytes(content.read())
    return target


def vertices(geometry: bytes) -> NDArray[np.float64]:
    """Longitudes and latitudes of a GeoPackage polygon of one ring with heights, shape (n, 2)."""
    ring = 8 + (0, 32, 48, 48, 64)[geometry[3] >> 1 & 7]
    kind, rings, count = struct.unpack_from("<III", geometry, ring + 1)
    if (kind, rings) != (1003, 1):
        raise SystemExit(f"polygon of kind {kind} with {rings} rings")
    return np.frombuffer(geometry, "<f8", 3 * count, ring + 13).reshape(count, 3)[:, :2]


def published(package: Path) -> dict[str, NDArray[np.float64]]:
    """Corners of every tile; those that the antimeridian cuts stand in the list in two parts."""
    parts = defaultdict(list)
    connection = sqlite3.connect(package)
    for name, geometry in connection.execute("select Name, geom from Features"):
        corners = vertices(geometry)
        parts[name].append(corners[np.abs(corners[:, 0]) < 180.0])
    connection.close()
    return {name: np.concatenate(found) for name, found in parts.items()}


def squares(
    tiles: dict[str, NDArray[np.float64]],
) -> dict[int, dict[tuple[int, str], list[int]]]:
    """Columns of the tiles in each row and band of each zone, from their published corners."""
    found: dict[int, dict[tuple[int, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for name, corners in tiles.items():
        west, north = north_west(name, corners)
        row, column = round(north / mgrs.SQUARE) - 1, round(west / mgrs.SQUARE)
        found[int(name[:2])][row, name[2]].append(column)
    return found


@cache
def utm(zone: int) -> pyproj.Transformer:
    """From longitude and latitude to a zone."""
    return pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{32600 + zone}", always_xy=True)


def north_west(name: str, corners: NDArray[np.float64]) -> tuple[float, float]:
    """Easting and northing from the equator [m] of the published north-west corner."""
    x, y = utm(int(name[:2])).transform(corners[:, 0], corners[:, 1])
    return float(min(x)), float(max(y))


def blocks(rows: dict[tuple[int, str], list[int]]) -> Iterator[str]:
    """Lines without their zones: rows that follow each other with the same band and columns."""
    ranges: list[tuple[int, int, str, int, int]] = []
    for (row, band), columns in sorted(rows.items()):
        first, last = min(columns), max(columns)
        if sorted(columns) != list(range(first, last + 1)):
            raise SystemExit(f"columns {columns} of row {row} leave a gap")
        if ranges and ranges[-1][1:] == (row - 1, band, first, last):
            begin = ranges.pop()[0]
        else:
            begin = row
        ranges.append((begin, row, band, first, last))
    for begin, end, band, first, last in ranges:
        yield f"{band} {begin}:{end} {first}:{last}"


def numbers(zones: list[int]) -> str:
    """Write zones as ranges."""
    starts = [zone for zone in zones if zone - 1 not in zones]
    ends = [zone for zone in zones if zone + 1 not in zones]
    return ",".join(f"{a}:{b}" if a != b else f"{a}" for a, b in zip(starts, ends, strict=True))


def table(tiles: dict[str, NDArray[np.float64]]) -> str:
    """Return the list, zones with the same tiles together."""
    alike = defaultdict(list)
    for zone, rows in sorted(squares(tiles).items()):
        alike[tuple(blocks(rows))].append(zone)
    lines = [f"{numbers(zones)} {block}" for found, zones in alike.items() for block in found]
    return HEADER + "\n".join(lines) + "\n"


def check(tiles: dict[str, NDArray[np.float64]]) -> None:
    """Compare what the kernels make of the list with what was published."""
    if set(mgrs.all_tiles()) != set(tiles):
        raise SystemExit("the names read back are not those of the source")
    for name, corners in tiles.items():
        _, west, north = mgrs.tile_corner(name)
        expected = (west, north - 1e7 if name[2] < "N" else north)
        if not np.allclose(north_west(name, corners), expected, rtol=0.0, atol=TOLERANCE):
            raise SystemExit(f"{name} lies elsewhere than published")


def main() -> None:
    """Write the list and check it."""
    target = Path(mgrs.__file__).with_name("sentinel2_tiles.txt")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = Path(sys.argv[1]) if len(sys.argv) > 1 else downloaded(folder)
        tiles = published(extracted(archive, folder))
    beside = target.with_suffix(".part")
    beside.write_text(table(tiles), encoding="ascii")
    beside.replace(target)
    check(tiles)
    print(f"{len(tiles)} tiles in {target.stat().st_size} bytes: {target.name}")


if __name__ == "__main__":
    main()
