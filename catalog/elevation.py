"""The elevation tiles that a box needs: on disk before the network, sea told from gaps.

Tiles that are not there are fetched only from the providers that the operator names.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Literal

from catalog.areas import boxes_of
from catalog.buckets import address_of
from catalog.download import Downloader
from catalog.elevation_tiles import (
    Corner,
    ElevationModel,
    TileFile,
    corners_in,
    find_tiles,
    has_tile,
    tile_name,
    tiles_of,
)
from catalog.errors import AnswerError, NotFoundError, QueryError, StagingError
from catalog.model import Box, Credentials, Geometry, Source
from catalog.requesting import OnTape
from catalog.wording import one_line

PUBLIC_GLO30 = "https://copernicus-dem-30m.s3.amazonaws.com"
PUBLIC_GLO90 = "https://copernicus-dem-90m.s3.amazonaws.com"
"""Stores of Copernicus tiles, open to all; asked only where an operator names them."""

MissingPolicy = Literal["fail", "note"]

_TEMPLATES = {
    ElevationModel.GLO30: "{tile}/{tile}.tif",
    ElevationModel.GLO90: "{tile}/{tile}.tif",
    ElevationModel.SRTM: "{tile}.SRTMGL1.hgt.zip",
}
_RANKS = {model: rank for rank, model in enumerate(ElevationModel)}
_TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_FETCHED = 400
"""Tiles for one box: ten times those of the largest product."""
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationProvider:
    """Where tiles of one model come from.

    Attributes
    ----------
    name : str
        For notes, and of the copy of its list of tiles.
    model : ElevationModel
        That it has.
    address : str
        Of its files, for example PUBLIC_GLO30; empty: nothing is fetched.
    template : str
        Of a file below the address, with ``{tile}`` (N43E001, or the long name of Copernicus),
        ``{north}`` (N43) and ``{east}`` (E001); empty: as the public stores have it.
    tile_list : str or Path
        List of all tiles there are: a file below the address (``tileList.txt``), or one on this
        disk. What no list has is sea. Empty: there is none.
    credentials : Credentials or None
        For its host only.
    connections : int
        At once with its host.
    """

    name: str
    model: ElevationModel
    address: str = ""
    template: str = ""
    tile_list: str | Path = ""
    credentials: Credentials | None = None
    connections: int = 2

    def key(self, corner: Corner) -> str:
        """Return the path of a tile below the address."""
        return (self.template or _TEMPLATES[self.model]).format(
            tile=tile_name(self.model, corner), north=corner.north_name, east=corner.east_name
        )

    def source(self, key: str) -> Source:
        """Tell how to fetch a file."""
        return Source(
            address=address_of(self.address, key),
            credentials=self.credentials,
            connections=self.connections,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenElevation:
    """The elevation of a box.

    Attributes
    ----------
    paths : tuple of Path
        Files, those of the preferred model first.
    fetched : tuple of Path
        Those of them that have been brought now.
    sea : tuple of str
        Corners of tiles that lists say do not exist, for example N43W010.
    missing : tuple of str
        Corners of tiles that nobody has, as far as is known.
    notes : tuple of str
        What a reader of the result should know.
    """

    paths: tuple[Path, ...]
    fetched: tuple[Path, ...] = ()
    sea: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def boxes_around(footprint: Geometry, margin: float) -> tuple[Box, ...]:
    """Return the boxes whose elevation a footprint needs.

    Parameters
    ----------
    footprint : Geometry
        Of a product or of a tile.
    margin : float
        Around it [degrees of latitude]; the same length from west to east.

    Returns
    -------
    tuple of Box
        One for each polygon, on each side of the antimeridian.
    """
    return tuple(_grown(box, margin) for box in boxes_of(footprint))


def _grown(box: Box, margin: float) -> Box:
    south, north = max(box.south - margin, -90.0), min(box.north + margin, 90.0)
    farthest = min(max(abs(south), abs(north)), 85.0)
    wide = margin / math.cos(math.radians(farthest))
    if box.east - box.west + 2.0 * wide >= 360.0:
        return Box(-180.0, south, 180.0, north)
    turn = 360.0 if box.west - wide < -180.0 else 0.0
    return Box(box.west - wide + turn, south, box.east + wide + turn, north)


def elevation_for(
    box: Box,
    folders: Sequence[Path],
    providers: Sequence[ElevationProvider] = (),
    *,
    missing: MissingPolicy = "fail",
    downloader: Downloader | None = None,
) -> ChosenElevation:
    """Find the elevation tiles of a box, and fetch what is missing where that is allowed.

    A tile on disk is taken before any is fetched, GLO-30 before SRTM before GLO-90. Providers
    are asked in turn for what the ones before do not have; a provider that fails is an error,
    since heights of another model, or of sea, would take the place of its own.

    Parameters
    ----------
    box : Box
        [degrees]; across the antimeridian west is larger than east, or east larger than 180.
    folders : sequence of Path
        Of tiles; the first one takes what is fetched.
    providers : sequence of ElevationProvider
        The preferred one first; nothing is fetched where there are none.
    missing : "fail" or "note"
        What to do about tiles that nobody has and that no list tells to be sea.
    downloader : Downloader, optional
        Fetches, tells of the progress and hears the wish to stop.

    Returns
    -------
    ChosenElevation
        Files, and what is sea or missing.

    Raises
    ------
    QueryError
        It is no box, or would need too many tiles.
    NotFoundError
        Tiles are missing under "fail".
    CatalogError
        A provider fails; see `catalog.download`.
    """
    there = find_tiles(folders, {tile for model in ElevationModel for tile in tiles_of(box, model)})
    search = _Search(there, folders, providers, downloader or Downloader())
    # posts on all edges: what is needed whatever the model
    search.add(tiles_of(box, ElevationModel.SRTM))
    for model in search.models():
        search.add(tiles_of(box, model))
    gaps = tuple(map(str, search.missing))
    if gaps and missing == "fail":
        raise NotFoundError(f"elevation tiles are missing: {_named(gaps)}")
    sea = tuple(map(str, search.sea))
    notes = [f"no elevation tiles, open sea: {_named(sea)}"] if sea else []
    notes += [f"elevation tiles are missing: {_named(gaps)}"] if gaps else []
    if len(models := search.models()) > 1:
        notes.append(f"elevation is of {' and '.join(models)}")
    tiles = sorted(search.found.values(), key=lambda tile: (_RANKS[tile.model], tile.path.name))
    return ChosenElevation(
        paths=tuple(tile.path for tile in tiles),
        fetched=tuple(tile.path for tile in tiles if tile.path in search.fetched),
        sea=sea,
        missing=gaps,
        notes=tuple(notes),
    )


@dataclass
class _Search:
    """What is known of the tiles of one box."""

    there: InitVar[Iterable[TileFile]]
    folders: Sequence[Path]
    providers: Sequence[ElevationProvider]
    downloader: Downloader
    found: dict[Corner, TileFile] = field(default_factory=dict)
    fetched: set[Path] = field(default_factory=set)
    sea: list[Corner] = field(default_factory=list)
    missing: list[Corner] = field(default_factory=list)

    def __post_init__(self, there: Iterable[TileFile]) -> None:
        self._there: dict[Corner, TileFile] = {}
        for tile in there:
            known = self._there.setdefault(tile.corner, tile)
            if _RANKS[tile.model] < _RANKS[known.model]:
                self._there[tile.corner] = tile
        self._lists: dict[str, frozenset[Corner]] = {}

    def models(self) -> list[ElevationModel]:
        """Return the models that tiles were found of, the preferred one first."""
        there = {tile.model for tile in self.found.values()}
        return [model for model in ElevationModel if model in there]

    def add(self, corners: Iterable[Corner]) -> None:
        """Look for tiles, each once."""
        new = [corner for corner in corners if corner not in self._known()]
        wanted = [corner for corner in new if corner not in self._there]
        if self.providers and len(wanted) > _MOST_FETCHED:
            rule = f"so small that at most {_MOST_FETCHED} tiles are to be fetched"
            raise QueryError("box", rule, len(wanted))
        for corner in new:
            tile = self._there.get(corner) or self._fetched(corner)
            if tile is not None:
                self.found[corner] = tile
            elif self._is_sea(corner):
                self.sea.append(corner)
            else:
                self.missing.append(corner)

    def _known(self) -> set[Corner]:
        return {*self.found, *self.sea, *self.missing}

    def _fetched(self, corner: Corner) -> TileFile | None:
        """Fetch a tile from the first provider that has it."""
        for provider in self.providers:
            listed = self._list(provider)
            may_have = has_tile(provider.model, corner) and (listed is None or corner in listed)
            if not (provider.address and may_have and self.folders):
                continue
            key = provider.key(corner)
            target = self.folders[0] / Path(key).name
            try:
                self._bring(provider, key, target, _fault_of(target))
            except NotFoundError:
                continue
            self.fetched.add(target)
            return TileFile(provider.model, corner, target)
        return None

    def _bring(
        self, provider: ElevationProvider, key: str, target: Path, fault: Callable[[Path], str]
    ) -> None:
        brought = self.downloader.fetch_file(provider.source(key), target, fault)
        if isinstance(brought, OnTape):
            raise StagingError(one_line(f"{provider.name} has {target.name} on tape"))

    def _list(self, provider: ElevationProvider) -> frozenset[Corner] | None:
        """Return the tiles that a provider says it has; its list is fetched once for all."""
        if not provider.tile_list or not self.folders:
            return None
        if provider.name not in self._lists:
            path = self._list_file(provider)
            corners = _read_list(path) if path.is_file() else None
            if not corners:
                raise AnswerError(one_line(f"the list of tiles of {provider.name} names none"))
            self._lists[provider.name] = corners
        return self._lists[provider.name]

    def _list_file(self, provider: ElevationProvider) -> Path:
        if isinstance(provider.tile_list, Path):
            return provider.tile_list
        path = self.folders[0] / f"{one_line(provider.name).replace('/', '-')}.tiles.txt"
        if provider.address:  # once: a list that is there is not asked for
            self._bring(provider, provider.tile_list, path, _no_list)
        return path

    def _is_sea(self, corner: Corner) -> bool:
        lists = [
            self._list(provider) for provider in self.providers if has_tile(provider.model, corner)
        ]
        known = [listed for listed in lists if listed is not None]
        return bool(known) and not any(corner in listed for listed in known)


def _named(corners: Sequence[str]) -> str:
    more = len(corners) - _MOST_NAMED
    return ", ".join(corners[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _read_list(path: Path) -> frozenset[Corner]:
    return corners_in(path.read_text(encoding="utf-8", errors="replace"))


def _no_list(path: Path) -> str:
    return "" if _read_list(path) else "it names no tiles"


def _fault_of(target: Path) -> Callable[[Path], str]:
    """Return what tells whether a file can be one of heights, by the ending of its name."""
    return {".tif": _no_tiff, ".hgt": _no_square, ".zip": _no_zipped_square}.get(
        target.suffix.lower(), _no_tiff
    )


def _no_tiff(path: Path) -> str:
    with path.open("rb") as stream:
        beginning = stream.read(4)
    return "" if beginning in _TIFF_BEGINNINGS else "it is no GeoTIFF"


def _no_square(path: Path) -> str:
    return "" if _is_square(path.stat().st_size) else "it is no square of heights"


def _no_zipped_square(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:  # its checksums are right
        sizes = [
            member.file_size
            for member in archive.infolist()
            if member.filename.lower().endswith(".hgt")
        ]
    return "" if len(sizes) == 1 and _is_square(sizes[0]) else "it holds no square of heights"


def _is_square(size: int) -> bool:
    posts = math.isqrt(size // 2)
    return posts >= 2 and 2 * posts * posts == size
