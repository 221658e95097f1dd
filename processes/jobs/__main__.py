"""``python -m processes.jobs``: run a worker, see and steer the queue."""

from __future__ import annotations

import sys

from processes.jobs.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
