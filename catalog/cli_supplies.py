"""The commands of ``python -m catalog`` that bring what products need: orbits and elevation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from catalog.areas import read_box
from catalog.chain import CatalogChain
from catalog.describing import Kind, State, describe
from catalog.download import Downloader
from catalog.elevation import ChosenElevation, boxes_around, elevation_for
from catalog.elevation_tiles import corners_in, has_tile
from catalog.errors import CancelledError, IntegrityError, NotFoundError, QueryError
from catalog.fetching import STOPPED, Display, interruptible, network_of
from catalog.model import Box, Product
from catalog.names import bare_name, product_of_name
from catalog.orbit_choice import orbit_files_for
from catalog.orbit_files import OrbitSource, is_better
from catalog.supplies import Supplies, read_places, read_supplies

AROUND_A_PRODUCT = 0.2
"""Elevation that is fetched around the footprint of a product [degrees of latitude]: summits of
8 km lie over by 0.1."""
_KINDS = {".SAFE": Kind.SAFE, ".zip": Kind.ZIP}


def add_supply_options(parser: argparse.ArgumentParser, *, with_box: bool) -> None:
    """Offer what is supplied with orbits or elevation, and where these go.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of `orbits` or `elevation`.
    with_box : bool
        Whether a box may take the place of products.
    """
    parser.add_argument(
        "products",
        nargs="*" if with_box else "+",
        metavar="PRODUCT",
        help="Sentinel-1 product: SAFE folder, zip, or name",
    )
    if with_box:
        parser.add_argument("--box", metavar="W,S,E,N", help="instead of products [degrees]")
    parser.add_argument(
        *("-w", "--write_dir", "--write-dir"),
        type=Path,
        metavar="DIR",
        help="searched, and where files go (default: below the datalake of the configuration)",
    )
    parser.add_argument(
        *("-n", "--no_download", "--no-download"),
        action="store_true",
        help="fetch nothing; tell what is there and what is not",
    )


def supplies_of(options: argparse.Namespace, files: Sequence[Path]) -> Supplies:
    """Read which stores and folders are configured, those of the options first.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_supply_options`.
    files : sequence of Path
        Configuration files.

    Returns
    -------
    Supplies
        Their first folder takes what is fetched.

    Raises
    ------
    SettingsError
        The configuration breaks a rule.
    QueryError
        No folder is known, neither of the options nor of the configuration.
    """
    configured = read_supplies(files, **read_places(files))
    folder = options.write_dir
    if folder is None:
        if not configured.orbit_folders and not configured.elevation_folders:
            raise QueryError("write_dir", "given where the configuration has no datalake", "none")
        return configured
    return replace(
        read_supplies(files, datalake=folder),
        orbit_folders=(folder, *configured.orbit_folders),
        elevation_folders=(folder, *configured.elevation_folders),
    )


def bring_orbits(options: argparse.Namespace, supplies: Supplies) -> int:
    """Choose the orbit of each product, and fetch what is missing.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_supply_options`.
    supplies : Supplies
        Folders and stores.

    Returns
    -------
    int
        Exit status: 0, 1 where a product has only the orbit of its annotation, 130 after an
        interruption.

    Raises
    ------
    CatalogError
        A product cannot be read, or the disk cannot hold a file.
    """
    products = [described(text) for text in options.products]
    providers = () if options.no_download else supplies.orbit_providers
    with interruptible() as cancel, Display(len(products)) as display:
        downloader = Downloader(network_of(options), cancel=cancel, report=display.hear)
        try:
            chosen = orbit_files_for(
                products, supplies.orbit_folders, providers, downloader=downloader
            )
        except CancelledError:
            return STOPPED
    for one in chosen:
        print(f"{one.product} {one.source} {one.path or '-'}")
        for note in one.notes:
            _say(note)
        if options.no_download and is_better(OrbitSource.PRECISE, one.source):
            names = [provider.name for provider in supplies.orbit_providers]
            _say(f"{one.product}: would ask {', '.join(names) or 'nobody'} for a better one")
    return int(any(one.path is None for one in chosen))


def bring_elevation(
    options: argparse.Namespace, supplies: Supplies, open_chain: Callable[[], CatalogChain]
) -> int:
    """Find the elevation tiles of a box or of products, and fetch what is missing.

    Parameters
    ----------
    options : argparse.Namespace
        Of `add_supply_options`.
    supplies : Supplies
        Folders and stores.
    open_chain : callable
        Opens the catalogues, which know the footprints of products that are not here.

    Returns
    -------
    int
        Exit status: 0, 1 where a dry run lacks tiles, 130 after an interruption.

    Raises
    ------
    CatalogError
        Tiles are missing, a store fails, or a product is not known.
    """
    boxes = _boxes(options, open_chain)
    with interruptible() as cancel, Display(len(boxes)) as display:
        downloader = Downloader(network_of(options), cancel=cancel, report=display.hear)
        try:
            chosen = [
                elevation_for(
                    box,
                    supplies.elevation_folders,
                    () if options.no_download else supplies.elevation_providers,
                    missing="note" if options.no_download else "fail",
                    downloader=downloader,
                )
                for box in boxes
            ]
        except CancelledError:
            return STOPPED
    for path in dict.fromkeys(path for one in chosen for path in one.paths):
        print(path)
    for note in dict.fromkeys(note for one in chosen for note in one.notes):
        _say(note)
    if not options.no_download:
        return 0
    return _tell_missing(chosen, supplies)


def _tell_missing(chosen: Sequence[ChosenElevation], supplies: Supplies) -> int:
    """Tell where missing tiles would be fetched from; whether there are any."""
    names = " ".join(dict.fromkeys(name for one in chosen for name in one.missing))
    for corner in sorted(corners_in(names)):
        for provider in supplies.elevation_providers:
            if provider.address and has_tile(provider.model, corner):
                _say(f"would ask for {provider.source(provider.key(corner)).address}")
                break
    return int(bool(names))


def _boxes(options: argparse.Namespace, open_chain: Callable[[], CatalogChain]) -> tuple[Box, ...]:
    if bool(options.box) == bool(options.products):
        raise QueryError("box", "given, or products", "both" if options.box else "neither")
    if options.box:
        return (read_box(options.box, argument="box"),)
    found: list[Box] = []
    for text in options.products:
        product = described(text)
        if product.footprint is None:
            product = open_chain().product(product.name)
        if product.footprint is None:
            raise NotFoundError(f"it is not known where {product.name} is")
        found += boxes_around(product.footprint, AROUND_A_PRODUCT)
    return tuple(dict.fromkeys(found))


def described(text: str) -> Product:
    """Describe a product from its manifest, or from its name where it is not here.

    Parameters
    ----------
    text : str
        Path of a SAFE folder or of a zip archive, or a name.

    Returns
    -------
    Product
        Of Sentinel-1.

    Raises
    ------
    QueryError
        It is no product of Sentinel-1.
    IntegrityError
        It is here, and cannot be read.
    """
    path = Path(text)
    if path.exists() and path.suffix in _KINDS:
        found = describe(path, _KINDS[path.suffix])
        if found.state is State.CORRUPT:
            raise IntegrityError(f"{path.name} cannot be used: {found.reason}")
        product = found.product
    else:
        product = product_of_name(bare_name(path.name))
    if product.collection != "S1" or product.start is None:
        raise QueryError("product", "a product of Sentinel-1: its SAFE, zip or name", text)
    return product


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
