"""The real server, gunicorn and all, over the fake chain."""

from __future__ import annotations

from processes.chain_process import ChainProcess
from processes.server import serve
from processes.service import Application, make_application
from processes.settings import Settings, read_settings
from tests.processes.fake_chain import CHAIN


class Fake(ChainProcess):
    chain = CHAIN


def make_fake(settings: Settings) -> Application:
    return make_application(settings, [Fake])


if __name__ == "__main__":
    serve(read_settings(), make_fake)
