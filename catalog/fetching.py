"""The fetching commands of ``python -m catalog``: download and stage."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tqdm import tqdm

from catalog.download import Downloader, Form
from catalog.errors import CancelledError, QueryError
from catalog.exits import common_exit_code
from catalog.model import Catalog, Product, Storage
from catalog.progress import Progress, Stage
from catalog.requesting import Network
from catalog.staging import StagingPolicy, fetch, stage

_POLARISATIONS = ("HH", "HV", "VH", "VV")
STOPPED = 130
"""Exit status of a program that was interrupted."""
_QUIET = frozenset({Stage.FETCHING, Stage.EXTRACTING})


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Offer how to speak to servers.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of a command.
    """
    group = parser.add_argument_group("network")
    group.add_argument(
        "--ca-bundle", type=Path, metavar="FILE", help="certificates to trust (always checked)"
    )
    group.add_argument("--proxy", metavar="ADDRESS", help="for all hosts (else the environment's)")


def add_download_options(parser: argparse.ArgumentParser) -> None:
    """Offer where and in which form products are wanted.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of `download`.
    """
    parser.add_argument(
        *("-w", "--write_dir", "--write-dir"),
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where products go; made where it is missing (default: here)",
    )
    parser.add_argument(
        *("-x", "--extract"), action="store_true", help="unpack into NAME.SAFE, drop the archive"
    )
    parser.add_argument(
        "--keep-polarisation",
        type=str.upper,
        choices=_POLARISATIONS,
        nargs="+",
        default=[],
        metavar="PP",
        help="with -x: unpack measurement and annotation of these only (HH HV VH VV)",
    )
    parser.add_argument(
        *("-n", "--no_download", "--no-download"),
        action="store_true",
        help="fetch nothing; print one command for each product",
    )
    parser.add_argument(
        "--threads", type=int, default=4, help="products at once, from all hosts (default: 4)"
    )
    parser.add_argument(
        "--speed", type=float, metavar="MB", help="per second at most, of all together"
    )
    parser.add_argument(
        "--staging-timeout",
        type=float,
        default=24.0,
        metavar="HOURS",
        help="wait so long for products on tape (default: 24)",
    )


def download_products(
    products: Sequence[Product],
    catalog: Catalog,
    options: argparse.Namespace,
    *,
    arrived: Callable[[Path], None] = lambda _path: None,
) -> int:
    """Fetch products, and tell what becomes of them.

    Parameters
    ----------
    products : sequence of Product
        As the catalogue found them.
    catalog : Catalog
        That found them.
    options : argparse.Namespace
        Of `add_download_options` and `add_network_options`.
    arrived : callable
        Hears of each product that has come.

    Returns
    -------
    int
        Exit status: 0 where all are there, else that of the cause, 130 after an interruption.

    Raises
    ------
    QueryError
        An option breaks a rule.
    """
    if options.no_download:
        for product in products:
            print(download_command(product, options.write_dir))
        return 0
    if options.keep_polarisation and not options.extract:
        raise QueryError("keep_polarisation", "given together with -x", "no -x")
    form = Form(extracted=options.extract, polarisations=tuple(options.keep_polarisation))
    policy = StagingPolicy(timeout_s=options.staging_timeout * 3600.0, threads=options.threads)
    with interruptible() as cancel, Display(len(products)) as display:
        downloader = Downloader(network_of(options), cancel=cancel, report=display.hear)
        try:
            results = fetch(
                products,
                catalog,
                options.write_dir,
                downloader=downloader,
                form=form,
                policy=policy,
            )
        except CancelledError:
            display.say("stopped; the same command goes on where it was")
            return STOPPED
    for result in results:
        if result.path is not None:
            arrived(result.path)
            print(result.path)
    return common_exit_code(result.error for result in results)


def stage_products(
    products: Sequence[Product], catalog: Catalog, options: argparse.Namespace
) -> int:
    """Let products come from tape, and tell where they are.

    Parameters
    ----------
    products : sequence of Product
        As the catalogue found them.
    catalog : Catalog
        That found them.
    options : argparse.Namespace
        Of `add_network_options`.

    Returns
    -------
    int
        Exit status: 0, that of the cause where one could not be asked for, 130 after an
        interruption.
    """
    with interruptible() as cancel:
        try:
            downloader = Downloader(network_of(options), cancel=cancel)
            results = stage(products, catalog, downloader=downloader)
        except CancelledError:
            return STOPPED
    for result in results:
        print(f"{result.product.name} {result.error or result.storage}")
    return common_exit_code(result.error for result in results)


def download_command(product: Product, folder: Path) -> str:
    """Write a command that fetches a product without this program.

    Parameters
    ----------
    product : Product
        With its address.
    folder : Path
        Where it goes.

    Returns
    -------
    str
        For a shell; curl takes user and password from the netrc file, they are never shown.
    """
    if product.storage is Storage.LOCAL and product.path is not None:
        return f"ls -d {shlex.quote(str(product.path))}"
    target = shlex.quote(str(Form().path(folder, product.name)))
    return (
        f"curl --fail --location --netrc --continue-at - --output {target}"
        f" {shlex.quote(product.address)}"
    )


def network_of(options: argparse.Namespace) -> Network:
    """Return how to speak to servers, as the options of `add_network_options` have it."""
    proxies = {"http": options.proxy, "https": options.proxy} if options.proxy else {}
    return Network(
        ca_bundle=options.ca_bundle,
        proxies=proxies,
        largest_speed=None if getattr(options, "speed", None) is None else options.speed * 1e6,
        connections_folder=_connections_folder(),
    )


def _connections_folder() -> Path | None:
    """Return where commands that run at once share the limits of hosts, if there is a place."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fournaise", "hosts")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and SIGTERM set, so that what has arrived is kept in order."""
    cancel = threading.Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        cancel.set()

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Display:
    """Tells of the progress: a line for each change, and a bar of all bytes in a terminal."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._done = 0
        self._stages: dict[str, tuple[Stage, str]] = {}
        self._received: dict[str, int] = {}
        self._lock = threading.Lock()
        self._bar = tqdm(unit="B", unit_scale=True, disable=None, file=sys.stderr, leave=False)

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.close()

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        tqdm.write(text, file=sys.stderr)

    def hear(self, progress: Progress) -> None:
        """Take news of one product."""
        with self._lock:
            if progress.stage is Stage.FETCHING:
                before = self._received.get(progress.name, 0)
                self._received[progress.name] = progress.received
                self._bar.update(progress.received - before)
            news = (progress.stage, progress.text)
            if progress.stage in _QUIET or self._stages.get(progress.name) == news:
                return
            self._stages[progress.name] = news
            self._done += progress.stage in (Stage.FETCHED, Stage.THERE, Stage.FAILED)
            text = f": {progress.text}" if progress.text else ""
            self.say(f"[{self._done}/{self._count}] {progress.name} {progress.stage}{text}")
