"""The processes as commands.

Exit codes: 0 done, 2 the request or the configuration breaks a rule, 3 input data cannot be
used, 4 no result is possible (or cannot be written), 130 cancelled.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from kernels.chains.dry_run import plan_report
from kernels.chains.planning import DRY_RUN
from kernels.chains.registry import Chain
from kernels.chains.request import OptionInfo, Request
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, FournaiseError, InputError, RequestError
from processes.declared import declared_chains
from processes.diapotb import PAIR, SERIES, read_diapotb, region_of_corners
from processes.listed_products import ListedProducts
from processes.preparing import Preparation
from processes.resolve import FoldersOfServer, NamesOnServer, PathsOfOperator
from processes.settings import ConfigurationError, Settings, check_address, read_settings
from processes.texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_DIAPOTB = (PAIR, SERIES)
"""Take what configurations of DiapOTB ask for."""
_OF_QUICK_LOOK = {("quick-look", "image"): ("-in",), ("quick-look", "ml"): ("-ml",)}
EXIT_REQUEST, EXIT_INPUT, EXIT_PROCESSING, EXIT_CANCELLED = 2, 3, 4, 130


def main(arguments: Sequence[str], chains: Mapping[str, Chain] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.
    chains : mapping of str to Chain, optional
        The processes, by name; the declared ones by default.

    Returns
    -------
    int
        Exit code; the reason of a failure is one line on the error stream.
    """
    found = declared_chains() if chains is None else chains
    options = _parser(found).parse_args(arguments)
    try:
        options.command(options, found)
    except (FournaiseError, OSError) as error:
        print(f"fournaise: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


def exit_code(error: Exception) -> int:
    """Return the exit code of a command that failed with an error."""
    if isinstance(error, RequestError | ConfigurationError):
        return EXIT_REQUEST
    if isinstance(error, InputError):
        return EXIT_INPUT
    return EXIT_CANCELLED if isinstance(error, Cancelled) else EXIT_PROCESSING


def _parser(chains: Mapping[str, Chain]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m processes", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a process on this machine")
    names = run.add_subparsers(required=True, metavar="NAME", dest="name")
    for chain in chains.values():
        _add_chain(names.add_parser(chain.name, help=chain.title, allow_abbrev=False), chain)
    listing = commands.add_parser("list", help="list the processes")
    listing.set_defaults(command=_list)
    describe = commands.add_parser("describe", help="describe inputs and outputs of a process")
    describe.add_argument("name", choices=list(chains), metavar="NAME")
    describe.set_defaults(command=_describe)
    for name, command, text in (
        ("serve", _serve, "serve the processes over WPS, with a worker that runs the jobs"),
        ("web", _web, "serve the processes over WPS; workers run elsewhere"),
    ):
        server = commands.add_parser(name, help=text)
        where = server.add_mutually_exclusive_group()
        where.add_argument("--address", metavar="HOST:PORT", help="to listen on")
        where.add_argument("--port", help="to listen on, on this machine only")
        server.set_defaults(command=command)
    return parser


def _add_chain(parser: argparse.ArgumentParser, chain: Chain) -> None:
    parser.set_defaults(command=_run)
    parser.add_argument("--config", type=Path, metavar="FILE", help="JSON object of options")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: outputs")
    if chain.name in _OF_DIAPOTB:
        parser.add_argument(
            "--diapotb", type=Path, metavar="FILE", help="configuration of a chain of DiapOTB"
        )
        parser.add_argument(
            "--roi",
            metavar="ULX,ULY,LRX,LRY",
            help="region of interest by its upper left and lower right corners in degrees",
        )
    if chain.plan is not None:
        parser.add_argument(
            _flag(DRY_RUN), action="store_true", help="print the plan as JSON and compute nothing"
        )
    for info in chain.request.describe():
        parser.add_argument(
            *_flags(chain, info),
            dest=f"option {info.name}",
            action="append",
            metavar="PATH" if info.kind is Path else info.kind.__name__.upper(),
            help=_help(info).replace("%", "%%"),
        )


def _flags(chain: Chain, info: OptionInfo) -> tuple[str, ...]:
    """Return the names of an option, those of QuickMlView too."""
    return (_flag(info), *_OF_QUICK_LOOK.get((chain.name, info.name), ()))


def _flag(info: OptionInfo) -> str:
    return "--" + info.name.replace("_", "-")


def _help(info: OptionInfo) -> str:
    notes = []
    if info.required:
        notes.append("required")
    elif info.default not in (None, ()):
        notes.append(f"default: {info.default}")
    if info.many:
        notes.append("may be repeated")
    return info.title + (f" [{', '.join(notes)}]" if notes else "")


def _run(options: argparse.Namespace, chains: Mapping[str, Chain]) -> None:
    chain = chains[options.name]
    values = _read_values(chain.request, options)
    folder = options.output
    if getattr(options, "roi", None):
        if "region" in values:
            raise RequestError("roi", "left out where region is given", options.roi)
        values["region"] = region_of_corners("roi", options.roi)
    if getattr(options, "diapotb", None):
        found = read_diapotb(options.diapotb)
        if found.chain != chain.name:
            rule = f"a configuration for {chain.name}; run {found.chain} with this one"
            raise RequestError("diapotb", rule, options.diapotb.name)
        for line in found.warnings:
            print(f"fournaise: warning: {line}", file=sys.stderr)
        values, folder = found.values | values, folder or found.folder
    _run_prepared(chain, _prepare(chain, values), folder or Path("outputs"), options)


def _run_prepared(
    chain: Chain, preparation: Preparation, folder: Path, options: argparse.Namespace
) -> None:
    if chain.plan is not None and options.dry_run:
        report = plan_report(chain, preparation.plan_request())
        print(json.dumps(report, indent=2, ensure_ascii=False))
        return
    with _progress_on_terminal() as progress:
        result = preparation.run(folder, progress)
    for artefact in result.artefacts:
        print(artefact.path)


def _prepare(chain: Chain, values: Mapping[str, Any]) -> Preparation:
    """Find names as the server does, after any path of this machine."""
    settings = read_settings()
    folders = FoldersOfServer(settings.data_roots, ListedProducts(settings.data_roots))
    names = NamesOnServer(folders=PathsOfOperator(folders), settings=settings)
    return Preparation(chain=chain, settings=settings, values=values, names=names, by_user=True)


def _read_values(kind: type[Request], options: argparse.Namespace) -> dict[str, Any]:
    """Combine configuration file and command line, the latter over the former."""
    infos = kind.describe()
    values = _read_config(options.config) if options.config else {}
    given = {info.name: getattr(options, f"option {info.name}") or () for info in infos}
    return values | read_texts(infos, given)


def _read_config(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError("config", "a readable JSON file", f"{file}: {error}") from error
    if not isinstance(values, dict):
        raise RequestError("config", "a file with one JSON object", file)
    return values


@contextmanager
def _progress_on_terminal() -> Iterator[Progress]:
    """Show progress on the error stream; the first Ctrl-C cancels, the second one kills."""
    with tqdm(
        total=100, unit="%", bar_format="{percentage:3.0f}% |{bar}| {desc} [{elapsed}]"
    ) as bar:

        def show(share: float, step: str) -> None:
            bar.update(100 * share - bar.n)
            if step != bar.desc:
                bar.set_description_str(step)

        progress = Progress.to(show)

        def cancel(number: int, _frame: FrameType | None) -> None:
            signal.signal(number, signal.default_int_handler)
            progress.cancelled.set()

        before = {n: signal.signal(n, cancel) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield progress
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _list(_options: argparse.Namespace, chains: Mapping[str, Chain]) -> None:
    for chain in chains.values():
        print(f"{chain.name}  {chain.title}")


def _describe(options: argparse.Namespace, chains: Mapping[str, Chain]) -> None:
    chain = chains[options.name]
    print(f"{chain.name} {chain.version}: {chain.title}")
    print(textwrap.fill(chain.abstract, 96))
    print("\nInputs:")
    for info in chain.inputs:
        _print_entry(_flag(info), _help(info), info.abstract)
    print("\nOutputs:")
    for output in chain.outputs:
        _print_entry(output.name, f"{output.title} [{output.media_type}]", output.abstract)


def _print_entry(name: str, title: str, abstract: str) -> None:
    print(f"  {name}\n      {title}")
    if abstract:
        print(textwrap.fill(abstract, 96, initial_indent=" " * 6, subsequent_indent=" " * 6))


def _serve(options: argparse.Namespace, _chains: Mapping[str, Chain]) -> None:
    from processes.server import serve  # noqa: PLC0415 - only the server needs the web

    serve(_server_settings(options))


def _web(options: argparse.Namespace, _chains: Mapping[str, Chain]) -> None:
    from processes.server import serve_web  # noqa: PLC0415 - only the server needs the web

    serve_web(_server_settings(options))


def _server_settings(options: argparse.Namespace) -> Settings:
    settings = read_settings()
    address = options.address or (f"127.0.0.1:{options.port}" if options.port else None)
    if address:
        settings = dataclasses.replace(settings, listen_address=check_address(address))
    return settings
