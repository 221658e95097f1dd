"""What the products of a job need beside themselves: orbits and elevation, also from stores."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalog.buckets import LISTING_ENDING
from catalog.describing import Kind, describe
from catalog.download import Downloader
from catalog.elevation import boxes_around, elevation_for
from catalog.elevation_tiles import ElevationModel, corners_in, tiles_of
from catalog.errors import CatalogError
from catalog.geoid_file import geoid_file_for
from catalog.mgrs import tile_outline
from catalog.model import Box, Product
from catalog.orbit_choice import orbit_files_for
from catalog.progress import Progress as News
from catalog.progress import Stage
from catalog.supplies import Supplies, read_supplies
from catalog.wording import one_line
from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo, Request
from kernels.engine.progress import Progress
from kernels.engine.workspace import scratch_folder
from processes.catalogue.asking import told_as_ours
from processes.catalogue.bringing import network_of
from processes.settings import ConfigurationError, Settings, configuration_files

GEOID_SETTING = "FOURNAISE_GEOID"
GEOID_FILE = "egm96_15.gtx"

_AROUND_A_PRODUCT = 0.2
"""Elevation around a footprint [degrees of latitude]: summits of 8 km lie over by 0.1."""
_AROUND_A_TILE = 0.06
"""The same around a tile: more than the ground around it whose relief matters."""
_WHOLE_TILES = 1.1
"""The same around a product whose tiles are all to have elevation, also where it does not reach."""
_RASTERS = (".tif", ".tiff", ".vrt")
_KINDS = {".SAFE": Kind.SAFE, ".zip": Kind.ZIP, ".h5": Kind.COSMO, ".xml": Kind.TERRASAR}
_SENSORS = {"S1", "TSX", "CSK"}
_SHARE = 0.1
"""Of a job for which something may be fetched."""


def configured_supplies(settings: Settings) -> Supplies:
    """Return where orbits and elevation come from, as the operator has configured it.

    Parameters
    ----------
    settings : Settings
        Of the server.

    Returns
    -------
    Supplies
        What is fetched goes below the datalake.

    Raises
    ------
    ConfigurationError
        A section breaks a rule.
    """
    try:
        return read_supplies(
            configuration_files(),
            datalake=settings.datalake,
            orbits=settings.orbits_folder,
            elevation=settings.dem_path,
        )
    except CatalogError as error:
        raise ConfigurationError(str(error)) from error


def default_for(info: OptionInfo, settings: Settings) -> Path | int | tuple[Path, ...] | None:
    """Return the value of the server for an option that a request leaves out.

    Parameters
    ----------
    info : OptionInfo
        The option.
    settings : Settings
        Of the server.

    Returns
    -------
    Path, int, tuple of Path or None
        What the operator has set, else the folder that orbits or elevation are fetched into; None
        where neither is configured.

    Raises
    ------
    ConfigurationError
        A section of stores breaks a rule.
    """
    value = settings.default_for(info)
    if value is not None or info.role not in {"dem", "orbits"}:
        return value
    supplies = configured_supplies(settings)
    if info.role == "dem":
        return supplies.elevation_folders[0] if supplies.elevation_providers else None
    return supplies.orbit_folders[0] if supplies.orbit_providers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """What was brought for a run.

    Attributes
    ----------
    fetched : list of str
        Names of files.
    notes : list of str
        What a reader of the result should know.
    """

    fetched: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, *texts: str) -> None:
        """Add notes, each once."""
        self.notes.extend(text for text in dict.fromkeys(texts) if text not in self.notes)


@contextmanager
def supplied(
    chain: Chain, request: Request, settings: Settings, folder: Path, progress: Progress
) -> Iterator[tuple[Request, Supplied, Progress]]:
    """Find orbits and elevation for the products of a request, and fetch what is missing.

    Orbits that the request looks for in a folder are chosen from there and from the datalake, and
    those of the datalake's stores; elevation that it takes from folders of tiles is completed in
    the same way. Files that the request names, it takes as they are.

    Parameters
    ----------
    chain : Chain
        That the request is of.
    request : Request
        Whose products are here.
    settings : Settings
        Of the server.
    folder : Path
        Where the chosen orbits are gathered while the block runs.
    progress : Progress
        Told what is waited for; its wish to stop is heard within a second.

    Yields
    ------
    tuple of (Request, Supplied, Progress)
        What the chain is to run; what was brought; and what is left of the progress.

    Raises
    ------
    InputError
        A store of elevation does not answer, or the disk cannot hold a file.
    Cancelled
        The job is to stop; what has arrived stays for the next one.
    """
    work = _Work(chain, request, configured_supplies(settings))
    if not (work.wants_orbits or work.wants_elevation or work.wants_geoid):
        yield request, Supplied(), progress
        return
    with scratch_folder(folder) as scratch:
        rest = progress
        part = progress.part(0.0, 0.0)
        if work.may_fetch:
            part, rest = progress.part(0.0, _SHARE), progress.part(_SHARE, 1.0)
        teller = _Teller(part)
        downloader = Downloader(network_of(settings), cancel=progress.cancelled, report=teller.hear)
        with told_as_ours():
            changed = work.bring(downloader, teller, scratch)
        yield changed, work.told, rest


class _Work:
    """What one request needs."""

    def __init__(self, chain: Chain, request: Request, supplies: Supplies) -> None:
        self.told = Supplied()
        self._chain = chain
        self._request: Any = request
        self._supplies = supplies
        names = {info.role: info.name for info in request.describe()}
        self._orbits: Path | None = getattr(request, names.get("orbits", ""), None)
        self._dem: tuple[Path, ...] = getattr(request, names.get("dem", ""), ())
        self._names = names
        self.wants_orbits = self._orbits is not None and not self._orbits.is_file()
        self.wants_elevation = bool(supplies.elevation_providers and self._dem) and all(
            map(_holds_tiles_only, self._dem)
        )
        self.wants_geoid = bool(
            supplies.geoid_address
            and self._dem
            and getattr(request, "dem_heights", "") == "egm96"
            and GEOID_SETTING not in os.environ
        )

    @property
    def may_fetch(self) -> bool:
        """Whether anything can take time."""
        asked = self.wants_orbits and self._supplies.orbit_providers
        return bool(asked or self.wants_elevation or self.wants_geoid)

    def bring(self, downloader: Downloader, teller: _Teller, scratch: Path) -> Request:
        """Bring it, and name it in the request."""
        products = self._products(teller.progress)
        changes: dict[str, Any] = {}
        if self._orbits is not None and self.wants_orbits:
            teller.begin("looking for orbit files", len(products), start=0.0, stop=0.3)
            with_orbits = [one for one in products if one.collection == "S1"]
            folder = self._bring_orbits(self._orbits, with_orbits, downloader, scratch / "orbits")
            changes[self._names["orbits"]] = folder
        if self.wants_elevation:
            boxes = self._boxes(products)
            corners = {c for box in boxes for c in tiles_of(box, ElevationModel.SRTM)}
            teller.begin("looking for elevation tiles", len(corners), start=0.3, stop=0.95)
            changes[self._names["dem"]] = self._bring_elevation(boxes, downloader)
        if self.wants_geoid:
            teller.begin("looking for the geoid", 1, start=0.95, stop=1.0)
            path = self._supplies.elevation_folders[0] / GEOID_FILE
            geoid_file_for(path, address=self._supplies.geoid_address, downloader=downloader)
            os.environ[GEOID_SETTING] = str(path)  # of this job's own process
        changed: Request = replace(self._request, **changes)
        return changed

    def _products(self, progress: Progress) -> list[Product]:
        """Describe the products that the run takes; what cannot be used, it tells itself."""
        if self._chain.products is not None:
            paths = self._chain.products(self._request, progress)
        else:
            paths = tuple(_paths_of(self._request, roles=("slc", "product")))
        # products without an ending are folders of TerraSAR-X
        found = [describe(path, _KINDS.get(path.suffix, Kind.TERRASAR)) for path in paths]
        return [one.product for one in found if one.product.collection in _SENSORS]

    def _bring_orbits(
        self, own: Path, products: Sequence[Product], downloader: Downloader, links: Path
    ) -> Path | None:
        if not products:
            return own if own.is_dir() else None
        folders = dict.fromkeys((*self._supplies.orbit_folders[:1], own))
        chosen = orbit_files_for(
            products, tuple(folders), self._supplies.orbit_providers, downloader=downloader
        )
        links.mkdir()
        for path in {one.path for one in chosen if one.path is not None}:
            (links / path.name).symlink_to(path.resolve())
        self.told.fetched.extend(
            sorted({one.path.name for one in chosen if one.fetched and one.path})
        )
        self.told.note(*(note for one in chosen for note in one.notes))
        return links

    def _boxes(self, products: Sequence[Product]) -> tuple[Box, ...]:
        """Return where elevation is needed: the tiles that are asked for, or the products."""
        tiles = getattr(self._request, "tiles", None)
        if tiles:
            boxes = [b for name in tiles for b in boxes_around(tile_outline(name), _AROUND_A_TILE)]
            return tuple(dict.fromkeys(boxes))
        sea_elsewhere = tiles is None or getattr(self._request, "dem_missing", "") == "sea"
        margin = _AROUND_A_PRODUCT if sea_elsewhere else _WHOLE_TILES
        footprints = [one.footprint for one in products if one.footprint is not None]
        boxes = [box for footprint in footprints for box in boxes_around(footprint, margin)]
        return tuple(dict.fromkeys(boxes))

    def _bring_elevation(self, boxes: Sequence[Box], downloader: Downloader) -> tuple[Path, ...]:
        store = self._supplies.elevation_folders[0].resolve()
        store.mkdir(parents=True, exist_ok=True)
        own: tuple[Path, ...] = tuple(path.resolve() for path in self._dem)
        used = False
        for box in boxes:
            chosen = elevation_for(
                box,
                tuple(dict.fromkeys((store, *own))),
                self._supplies.elevation_providers,
                missing="note",  # what the run needs of the box is for its own policy to tell
                downloader=downloader,
            )
            used = used or any(path.is_relative_to(store) for path in chosen.paths)
            self.told.fetched.extend(sorted(path.name for path in chosen.fetched))
            self.told.note(*chosen.notes)
        return own if store in own or not used else (*own, store)


def _paths_of(request: Request, *, roles: Sequence[str]) -> Iterator[Path]:
    for info in request.describe():
        value = getattr(request, info.name)
        if info.role in roles and value is not None:
            yield from value if isinstance(value, tuple) else (value,)


def _holds_tiles_only(path: Path) -> bool:
    """Tell whether a source of elevation is a folder whose rasters are all named as tiles.

    Any other raster may be all the elevation that there is to be.
    """
    if not path.is_dir():
        return not path.exists()
    rasters = (one.name for one in path.iterdir() if one.suffix.lower() in _RASTERS)
    return all(corners_in(name) for name in rasters)


class _Teller:
    """Turns the news of files into the status of a job."""

    def __init__(self, progress: Progress) -> None:
        self._whole = self.progress = progress
        self._step = ""
        self._count = 1
        self._names: dict[str, int] = {}
        self._told = 0.0
        self._lock = threading.Lock()

    def begin(self, step: str, count: int, *, start: float, stop: float) -> None:
        """Begin a step that may fetch so many files; `start` and `stop` are its shares."""
        self.progress = self._whole.part(start, stop)
        self._step, self._count, self._told = step, count, 0.0
        self._names.clear()
        self.progress.update(0.0, step)

    def hear(self, news: News) -> None:
        """Take news of one file; a wish to stop is left to the downloader."""
        with self._lock:
            if self.progress.cancelled.is_set():
                return
            if news.name.endswith(LISTING_ENDING):
                self.progress.update(self._told, self._step)
                return
            number = self._names.setdefault(news.name, len(self._names) + 1)
            share = (number - 1 + (news.share or 0.0)) / max(self._count, number)
            self._told = max(self._told, share)
            word = "fetching" if news.stage is Stage.FETCHING else "waiting for"
            why = f": {one_line(news.text)}" if news.text else ""
            self.progress.update(self._told, f"{word} {news.name}{why}")
