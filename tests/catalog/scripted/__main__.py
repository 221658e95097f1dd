"""``python -m tests.catalog.scripted FOLDER [PORT]``: offer a folder of zip archives for a demo."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.catalog.scripted.archives import ScriptedProduct
from tests.catalog.scripted.resto import ScriptedResto
from tests.catalog.scripted.server import serving


def main(words: list[str]) -> None:
    """Serve until interrupted; every second product, by name, is on tape."""
    folder, port = Path(words[0]), int(words[1]) if words[1:] else 0
    provider = ScriptedResto(
        ScriptedProduct(
            name=path.name.removesuffix(".zip").removesuffix(".SAFE"),
            body=path.read_bytes(),
            storage="tape" if number % 2 else "disk",
        )
        for number, path in enumerate(sorted(folder.glob("*.zip")))
    )
    provider.users = {"demo@example.org": "demo"}
    provider.milliseconds_to_wait = 2_000
    with serving(provider, port=port) as server:
        print(f"{server.address}/resto user demo@example.org password demo", flush=True)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
