"""``python -m processes``: run, list and describe processes, and serve them."""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__":
    try:
        from processes.command_line import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # before anything has begun, or the second one
        print("fournaise: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
