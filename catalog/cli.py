"""Finding and fetching products from the command line.

Exit codes: 0 done (also where nothing was found), 1 products failed for several reasons, 2 the
question or the configuration breaks a rule, 3 no such product, 4 a server does not answer or
answers nonsense, 5 no access, 6 not staged in time, 7 what arrived is damaged, 8 the disk cannot
hold it, 130 stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from catalog.areas import area_of
from catalog.chain import CatalogChain
from catalog.cli_supplies import (
    add_supply_options,
    bring_elevation,
    bring_orbits,
    supplies_of,
)
from catalog.errors import CatalogError, QueryError
from catalog.exits import exit_code
from catalog.fetching import (
    add_download_options,
    add_network_options,
    download_products,
    stage_products,
)
from catalog.index import ProductIndex
from catalog.listing import (
    as_geojson,
    as_json,
    lines,
    pair_json,
    pair_table,
    plain,
    table,
    write_beside,
)
from catalog.local import LocalCatalog
from catalog.maps import write_map
from catalog.model import Product, Query
from catalog.names import bare_name
from catalog.opening import open_chain
from catalog.options import add_search_options, query_of
from catalog.pairs import possible_pairs
from catalog.scanning import scan
from catalog.settings import SettingsError, read_catalog_settings
from catalog.supplies import read_places, read_supplies
from catalog.wording import one_line

CHECKOUT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.

    Returns
    -------
    int
        Exit code; the reason of a failure is one line on the error stream.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except CatalogError as error:
        _say(f"catalog: {one_line(str(error))}")
        return exit_code(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m catalog", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    search = _command(commands, "search", _search, "find products")
    pairs = _command(commands, "pairs", _pairs, "list possible interferometric pairs")
    download = _command(commands, "download", _download, "find products and fetch them")
    staging = _command(commands, "stage", _stage, "find products and have them come from tape")
    for command in (search, pairs, download, staging):
        add_search_options(command)
        command.add_argument("--windows", action="store_true", help="has no meaning any more")
    for command in (search, pairs, staging):
        command.add_argument(
            *("-n", "--no_download"), action="store_true", help="tell the addresses of the searches"
        )
    for command in (search, pairs):
        command.add_argument(*("-w", "--write_dir"), type=Path, default=Path(), help="of files")
    for command in (search, pairs, download):
        command.add_argument("--json", nargs="?", const="-", metavar="FILE", help="as JSON")
    search.add_argument("--geojson", nargs="?", const="-", metavar="FILE", help="as GeoJSON")
    search.add_argument("--map", type=Path, metavar="FILE", help="draw into FILE.png or FILE.html")
    search.add_argument("--table", action="store_true", help="as a table")
    pairs.add_argument("--longest_days", type=float, default=48.0, help="between both [days]")
    pairs.add_argument(
        *("--orbits",), action="append", type=Path, metavar="FOLDER", help="of orbit files"
    )
    pairs.set_defaults(product_type="SLC")
    add_download_options(download)
    for word in ("--trials", "--wait"):
        download.add_argument(word, help="has no meaning any more: see --staging-timeout")
    orbits = _command(commands, "orbits", _orbits, "choose orbit files, and fetch what is missing")
    elevation = _command(commands, "elevation", _elevation, "the same of elevation tiles")
    add_supply_options(orbits, with_box=False)
    add_supply_options(elevation, with_box=True)
    show = _command(commands, "show", _show, "tell all that is known of products")
    show.add_argument("names", nargs="+", metavar="NAME")
    index = _command(commands, "index", _index, "look through the folders of local catalogues")
    index.add_argument("roots", nargs="*", type=Path, metavar="FOLDER", help="instead of these")
    index.add_argument("--index", type=Path, metavar="FILE", help="for folders that are named")
    index.add_argument("--troubled", action="store_true", help="list what is not whole")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: object,
    text: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(command=command)
    parser.add_argument(
        *("-a", "--auth"), type=Path, metavar="FILE", help="user and password, a blank between"
    )
    parser.add_argument(
        *("--catalog",), action="append", default=[], metavar="NAME", help="ask only this one"
    )
    parser.add_argument(
        *("--config",), action="append", type=Path, metavar="FILE", help="configuration file"
    )
    add_network_options(parser)
    return parser


def _chain(options: argparse.Namespace) -> CatalogChain:
    settings = read_catalog_settings(_configuration_files(options))
    return open_chain(
        settings,
        names=options.catalog,
        login_file=options.auth,
        ca_bundle=options.ca_bundle,
        proxy=options.proxy or "",
    )


def _configuration_files(options: argparse.Namespace) -> list[Path]:
    if options.config:
        missing = [file for file in options.config if not file.is_file()]
        if missing:
            raise SettingsError(f"config must name a file, got {missing[0].name}")
        return list(options.config)
    named = os.environ.get("PYWPS_CFG")
    return [CHECKOUT / "pywps.cfg", *([Path(named)] if named else [])]


def _found(options: argparse.Namespace, chain: CatalogChain, query: Query) -> list[Product]:
    if options.no_download:
        _tell_searches(chain, query)
    products = list(chain.search(query))
    for problem in chain.problems:
        _say(f"catalog: {one_line(str(problem))}")
    return products


def _tell_searches(chain: CatalogChain, query: Query) -> None:
    """Tell the addresses that are asked; they hold no secret."""
    for catalog in chain.catalogs:
        addresses = getattr(catalog, "addresses", None)
        if addresses is not None:
            for address in addresses(query):
                _say(f"search {address}")


def _search(options: argparse.Namespace) -> int:
    query, chain = query_of(options), _chain(options)
    products = _found(options, chain, query)
    written = False
    for text, target in ((as_json, options.json), (as_geojson, options.geojson)):
        if target is not None:
            written |= target == "-"
            _put(options.write_dir, target, text(products))
    if options.map is not None:
        write_map(options.write_dir / options.map, products, area_of(query))
    if options.table:
        print(table(products, master=bare_name(Path(options.master or "").name)))
    elif not written:
        print(lines(products))
    return 0


def _put(folder: Path, target: str, text: str) -> None:
    if target == "-":
        print(text)
    else:
        write_beside(folder / target, f"{text}\n".encode())


def _pairs(options: argparse.Namespace) -> int:
    query, chain = query_of(options), _chain(options)
    pairs = possible_pairs(_found(options, chain, query), longest_days=options.longest_days)
    master = bare_name(Path(options.master or "").name)
    if master:
        pairs = [pair for pair in pairs if master in (pair.reference.name, pair.secondary.name)]
    from catalog.baselines import pair_baselines  # noqa: PLC0415  half a second for this alone

    baselines = pair_baselines(pairs, _orbit_folders(options))
    if options.json is None:
        print(pair_table(pairs, baselines))
    else:
        _put(options.write_dir, options.json, pair_json(pairs, baselines))
    for reason, count in Counter(b.reason for b in baselines if b.reason).items():
        _say(f"catalog: no baseline of {count} pairs: {reason}")
    return 0


def _orbit_folders(options: argparse.Namespace) -> list[Path]:
    if options.orbits:
        return list(options.orbits)
    files = _configuration_files(options)
    return list(read_supplies(files, **read_places(files)).orbit_folders)


def _show(options: argparse.Namespace) -> int:
    chain = _chain(options)
    for name in options.names:
        print(json.dumps(plain(chain.product(bare_name(Path(name).name)), bulky=True), indent=1))
    return 0


def _index(options: argparse.Namespace) -> int:
    for index, root in _folders(options):
        report = scan(index, root, tell=lambda now: _say(f"{now.added + now.changed} read"))
        print(
            f"{root}: {report.added} new, {report.changed} changed, {report.unchanged} unchanged, "
            f"{report.removed} gone; {report.partial} partial and {report.corrupt} corrupt of these"
        )
        for folder in report.unreadable:
            _say(f"cannot be listed: {folder}")
        if options.troubled:
            for path, state, reason in index.troubled():
                print(f"{path} {state}: {reason}")
    return 0


def _folders(options: argparse.Namespace) -> list[tuple[ProductIndex, Path]]:
    if bool(options.roots) != bool(options.index):
        raise QueryError("index", "given together with folders", options.index or "folders only")
    if options.roots:
        index = ProductIndex(options.index)
        return [(index, root) for root in options.roots]
    catalogs = [one for one in _chain(options).catalogs if isinstance(one, LocalCatalog)]
    if not catalogs:
        raise SettingsError("no local catalogue is configured")
    return [(catalog.index, root) for catalog in catalogs for root in catalog.roots]


def _download(options: argparse.Namespace) -> int:
    query, chain = query_of(options), _chain(options)
    products = _found(options, chain, query)
    _say(lines(products))
    if options.json is not None:
        _put(options.write_dir, options.json, as_json(products))
    for product in products:
        if product.path is not None:
            print(product.path)
    wanted = [one for one in products if one.path is None]
    return download_products(wanted, chain, options, arrived=chain.add)


def _stage(options: argparse.Namespace) -> int:
    query, chain = query_of(options), _chain(options)
    products = _found(options, chain, query)
    if options.no_download:
        print(lines(products))
        return 0
    return stage_products(products, chain, options)


def _orbits(options: argparse.Namespace) -> int:
    return bring_orbits(options, supplies_of(options, _configuration_files(options)))


def _elevation(options: argparse.Namespace) -> int:
    supplies = supplies_of(options, _configuration_files(options))
    return bring_elevation(options, supplies, lambda: _chain(options))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
