"""The demonstration of the catalogue: a provider on this machine, with a tape and a bad connection.

Simulates three small Sentinel-1 products of two tracks, offers them as PEPS would (two of them on
tape, the third behind a connection that breaks off halfway), and then runs ``python -m catalog`` as
a user would: search by area and time, stage, download a track, index, pairs, table, and a map of
the footprints. Nothing leaves this machine. Exit code 0 if the two products of the track have
arrived whole, one of them in two parts.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from catalog.describing import Kind, describe
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.simulation import Acquisition, TopsMode, Track, demo_scene, simulate
from processes.settings import CHECKOUT

sys.path.insert(0, str(CHECKOUT))  # a script finds its own folder, not the one around it

from tests.catalog.scripted import Fault, ScriptedProduct, ScriptedResto, Server, serving

FOLDER = CHECKOUT / "demo" / "catalogue"
USER, PASSWORD = "demo@example.org", "demo"
QUESTION = ["--area", "55.6,-21.1,55.8,-20.9", "-d", "2024-06-01", "--until", "2024-06-30"]
TRACK = ["-o", "151"]
MAP = "footprints.png"
SMALL = TopsMode(bursts=2, samples=1000, burst_lines=300)
FIRST = datetime(2024, 6, 1, 1, 45, 0)
_WAIT_MS = 2_000
"""After which the provider asks to come back while its tape turns."""


class DemoError(Exception):
    """A step did not do what it is to show."""


def simulate_archives(folder: Path) -> list[Path]:
    """Simulate two dates of one track and one of another, packed as a provider keeps them."""
    tracks = {
        Track(): (
            Acquisition(centre=FIRST),
            Acquisition(centre=FIRST + timedelta(days=12), perpendicular_baseline=60.0),
        ),
        Track(longitude=55.73, ascending=True, relative_orbit=64): (
            Acquisition(centre=FIRST + timedelta(days=6, hours=13)),
        ),
    }
    archives = []
    with tqdm(total=100, bar_format="{percentage:3.0f}% |{bar:30}| {desc} [{elapsed}]") as bar:

        def show(share: float, step: str) -> None:
            bar.update(100 * share - bar.n)
            bar.set_description_str(f"simulating {step}", refresh=False)

        progress = Progress.to(show)
        for number, (track, dates) in enumerate(tracks.items()):
            part = progress.part(number / len(tracks), (number + 1) / len(tracks))
            place = folder / f"scene{number}"
            made = simulate(demo_scene(), dates, place, track=track, mode=SMALL, progress=part)
            archives += [pack(product, folder / "provider") for product in made.products]
        bar.update(100 - bar.n)
    return archives


def pack(product: Path, folder: Path) -> Path:
    """Pack a SAFE folder into a zip archive of its name."""
    folder.mkdir(exist_ok=True)
    archive = folder / f"{product.stem}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(product.rglob("*")):
            packed.write(file, Path(product.name, file.relative_to(product)))
    return archive


@contextmanager
def provider_of(archives: Sequence[Path]) -> Iterator[Server]:
    """Serve archives: all but the second one are on tape, and that one breaks off once."""
    products = []
    for number, archive in enumerate(archives):
        known = describe(archive, Kind.ZIP).product
        products.append(
            ScriptedProduct(
                name=archive.stem,
                body=archive.read_bytes(),
                storage="disk" if number == 1 else "tape",
                polls_to_stage=3,
                footprint=known.footprint or {},
                properties={"orbitDirection": known.direction},
            )
        )
    resto = ScriptedResto(products)
    resto.users = {USER: PASSWORD}
    resto.milliseconds_to_wait = _WAIT_MS
    resto.faults.plan(archives[1].stem, Fault("truncate", share=0.6))
    with serving(resto) as server:
        yield server


def write_configuration(folder: Path, server: Server) -> Path:
    """Write what an operator would: the provider, its password, the datalake and its index."""
    (folder / "lake").mkdir()
    secret = folder / "peps.txt"
    secret.touch(0o600)
    secret.write_text(f"{USER} {PASSWORD}\n", encoding="utf-8")
    file = folder / "catalogues.cfg"
    file.write_text(
        f"[catalog:peps]\nurl = {server.address}/resto\ncredentials = peps.txt\n\n"
        "[catalog:lake]\ntype = local\nroots = lake\nindex = lake.sqlite\n",
        encoding="utf-8",
    )
    return file


def run(folder: Path, *words: str) -> str:
    """Show a command and what it prints; returns the latter."""
    print(f"\n$ python -m catalog {shlex.join(words)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "catalog", *words, "--config", "catalogues.cfg"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise DemoError(f"python -m catalog {words[0]} ended with {done.returncode}")
    return done.stdout


def show(folder: Path, server: Server) -> None:
    """Find, stage, fetch, index, list and draw."""
    run(folder, "search", *QUESTION)
    run(folder, "stage", *QUESTION, *TRACK)
    fetched = run(folder, "download", *QUESTION, *TRACK, "-w", "lake").splitlines()
    tell_arrived(server, folder / "lake", [Path(line).stem for line in fetched])
    run(folder, "index")
    run(folder, "pairs", *QUESTION)
    table = run(folder, "search", *QUESTION, "--table", "--map", MAP)
    if table.count(" local ") != len(fetched):
        raise DemoError("the index does not know what was fetched")


def tell_arrived(server: Server, lake: Path, names: Sequence[str]) -> None:
    """Tell where the broken download went on, and compare all that came with what was sent."""
    parts = [seen for seen in server.downloads() if seen.headers.get("range")]
    if not parts:
        raise DemoError("no download went on where it had broken off")
    for seen in parts:
        first = seen.headers["range"].removeprefix("bytes=").removesuffix("-")
        whole = len(server.provider.products[seen.product].body)
        print(f"provider: {seen.product} went on at byte {first} of {whole}")
    for name in names:
        if (lake / f"{name}.zip").read_bytes() != server.provider.products[name].body:
            raise DemoError(f"{name} is not what was sent")
    print(f"{len(names)} products are here, byte for byte what was sent")


def main() -> int:
    """Run the demonstration; a failure is one line."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        archives = simulate_archives(FOLDER)
        with provider_of(archives) as server:
            print(f"provider: {server.address}/resto")
            write_configuration(FOLDER, server)
            show(FOLDER, server)
    except (DemoError, FournaiseError, OSError) as error:
        print(f"the demonstration failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("the demonstration was interrupted", file=sys.stderr)
        return 130
    print(f"\nmap: {FOLDER / MAP}\nresults: {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
