"""The real command line over the fake chain."""

from __future__ import annotations

import sys

from processes.command_line import main
from tests.processes.fake_chain import CHAIN

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], {CHAIN.name: CHAIN}))
