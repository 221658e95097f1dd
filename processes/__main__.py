"""``python -m processes``: run, list and describe processes, and serve them."""

from __future__ import annotations

import sys

from processes.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
