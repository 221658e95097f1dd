"""Documents against the official schemas."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from processes.dinsar_pair import DinsarPair
from processes.service import make_application
from processes.settings import Settings
from tests.processes.fake_server import Fake

_LOCAL = {
    "http://schemas.opengis.net/": "ogc/",
    "http://www.w3.org/1999/xlink.xsd": "w3c/xlink.xsd",
    "http://www.w3.org/2001/xml.xsd": "w3c/xml.xsd",
}


class _FromFolder(etree.Resolver):
    """Finds in a folder what the schemas import from the web."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, url: str, _public_id: str, context: object) -> object:
        for start, local in _LOCAL.items():
            if url.startswith(start):
                path = f"{self.folder}/{local}{url.removeprefix(start)}"
                return self.resolve_filename(path, context)
        return None


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("request=GetCapabilities", "wpsGetCapabilities_response.xsd"),
        (
            "request=DescribeProcess&version=1.0.0&identifier=all",
            "wpsDescribeProcess_response.xsd",
        ),
    ],
)
def test_documents_are_valid(shared_data: Path, tmp_path: Path, query: str, name: str) -> None:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_FromFolder(shared_data / "schemas"))
    file = shared_data / "schemas" / "ogc" / "wps" / "1.0.0" / name
    schema = etree.XMLSchema(etree.parse(str(file), parser))
    settings = Settings(state_folder=tmp_path, dem_path=tmp_path)
    client = Client(make_application(settings, [Fake, DinsarPair]))
    schema.assertValid(etree.fromstring(client.get(f"/wps?service=WPS&{query}").data))
