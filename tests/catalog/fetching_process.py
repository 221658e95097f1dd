"""``python -m tests.catalog.fetching_process FOLDER``: fetch a product as another process does.

What to fetch comes as JSON on the standard input, and with it the key: the command line of a
process can be read by everybody.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path

from catalog.download import Downloader, Form
from catalog.errors import CatalogError
from catalog.model import Checksum, Source
from catalog.requesting import OnTape
from tests.catalog.fetching import NAME, QUICK, Key


def main(folder: Path) -> None:
    """Fetch, and print what became of it as JSON."""
    asked = json.load(sys.stdin)
    if asked.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"], resource.RLIM_INFINITY))
    source = Source(
        address=asked["address"],
        size=asked["size"],
        checksum=Checksum("md5", asked["md5"]),
        credentials=Key(asked["key"]) if asked.get("key") else None,
        connections=asked.get("connections", 2),
    )
    slots = Path(asked["slots"]) if asked.get("slots") else None
    network = replace(QUICK, connections_folder=slots)
    try:
        found = Downloader(network).fetch_product(
            source, folder, asked.get("name", NAME), Form(margin=0)
        )
    except CatalogError as error:
        print(json.dumps({"error": type(error).__name__, "text": str(error)}))
    else:
        assert not isinstance(found, OnTape)
        print(json.dumps({"path": str(found[0]), "was_there": found[1]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
