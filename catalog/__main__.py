"""``python -m catalog``: find, show, index, pair and fetch products."""

from __future__ import annotations

import sys

from catalog.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
