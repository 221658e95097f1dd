"""``make demo-catalog``: find, stage, fetch and index products of a provider on this machine.

The provider is that of the tests, with three small products, one of them on tape; everything lies
in a folder that goes afterwards.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.catalog.scripted import ScriptedResto, archive, serving  # noqa: E402

NAME = "S1A_IW_{kind}_1SDV_201901{day:02d}T171515_201901{day:02d}T171542_{orbit:06d}_02CC09_0A0B"
CONFIGURATION = """[catalog:lake]
type = local
roots = lake
index = index.sqlite

[catalog:demo]
type = resto
url = {address}/resto
credentials = login.txt
"""


def main() -> None:
    """Show the commands and what they print."""
    products = [
        archive(NAME.format(kind="SLC_", day=1, orbit=25287), size=20_000_000),
        archive(
            NAME.format(kind="SLC_", day=13, orbit=25462),
            size=20_000_000,
            storage="tape",
            polls_to_stage=1,
        ),
        archive(NAME.format(kind="GRDH", day=1, orbit=25287), size=2_000_000),
    ]
    with serving(ScriptedResto(products)) as server, tempfile.TemporaryDirectory() as folder:
        server.provider.users = {"demo@example.org": "demo"}
        server.provider.milliseconds_to_wait = 2_000
        place = Path(folder)
        (place / "lake").mkdir()
        (place / "login.txt").write_text("demo@example.org demo\n")
        (place / "login.txt").chmod(0o600)
        (place / "demo.cfg").write_text(CONFIGURATION.format(address=server.address))
        for words in (
            "search -d 2019-01-01 --until 2019-01-31 --lat 43.5 --lon 1.4",
            "search -p SLC --table",
            "pairs",
            "download -p SLC -w lake",
            "index",
            "search -p SLC",
        ):
            _run(place, words)


def _run(place: Path, words: str) -> None:
    print(f"\n$ python -m catalog {words}", flush=True)
    command = [sys.executable, "-m", "catalog", *shlex.split(words), "--config", "demo.cfg"]
    subprocess.run(command, cwd=place, env={"PYTHONPATH": str(ROOT)}, check=True)


if __name__ == "__main__":
    main()
