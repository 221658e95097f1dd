"""A server's folders, and the service over the fake chain in this process."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from owslib.wps import SYNC, WPSExecution
from werkzeug.test import Client, TestResponse

from processes.settings import read_settings
from tests.processes.fake_server import make_fake

OWS = {"ows": "http://www.opengis.net/ows/1.1"}
GOOD = [("product", "S1A_X"), ("dem", "dem")]


def make_configuration(folder: Path, **options: str) -> Path:
    """Make data roots with a product, an elevation model and ways out of them."""
    for name in ("lake/S1A_X.SAFE", "lake/dem", "lake-secret", "elsewhere"):
        (folder / name).mkdir(parents=True)
    (folder / "lake/S1B_Y.zip").touch()
    (folder / "elsewhere/secret.tif").touch()
    (folder / "lake-secret/dem").touch()
    (folder / "lake/link").symlink_to(folder / "elsewhere")
    lines = {"state_folder": "var", "data_roots": "lake", "job_threads": "1"} | options
    configuration = folder / "pywps.cfg"
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    configuration.write_text(f"[fournaise]\n{text}[server]\nparallelprocesses = 1\n")
    return configuration


def processes_of(configuration: Path) -> list[int]:
    """Find the processes of a server, its jobs too, by the environment that they share."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            if f"PYWPS_CFG={configuration}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


@dataclass(frozen=True)
class Service:
    """The service without a network, and its folders."""

    client: Client
    state: Path

    def execute(self, inputs: list[tuple[str, str]], **options: object) -> TestResponse:
        """Post what owslib would post."""
        options = {"output": [], "mode": SYNC} | options
        document = WPSExecution().buildRequest("fake", inputs, **options)
        return self.post(etree.tostring(document))

    def post(self, body: bytes) -> TestResponse:
        return self.client.post("/wps", data=body, content_type="text/xml")

    def leftovers(self) -> list[str]:
        """What refused or failed requests left behind."""
        folders = (self.state / "work", self.state / "outputs")
        return [str(path) for folder in folders for path in folder.rglob("*")]


@dataclass(frozen=True)
class Refusal:
    """The parts of an ExceptionReport."""

    code: str
    locator: str
    text: str


def read_refusal(response: TestResponse) -> Refusal:
    assert response.status_code == 400
    root = etree.fromstring(response.data)
    (found,) = root.findall("ows:Exception", OWS)
    text = found.findtext("ows:ExceptionText", namespaces=OWS)
    return Refusal(found.get("exceptionCode"), found.get("locator"), text)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    settings = read_settings([make_configuration(tmp_path)])
    return Service(Client(make_fake(settings)), settings.state_folder)
