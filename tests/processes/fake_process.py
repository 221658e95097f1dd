"""The fake chain as a process that a server can be told to offer."""

from __future__ import annotations

from processes.chain_process import ChainProcess
from tests.processes.fake_chain import CHAIN


class Fake(ChainProcess):
    chain = CHAIN
