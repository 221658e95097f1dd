"""The official schemas, from files, by the addresses that they have on the web."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

_LOCAL = {
    "http://schemas.opengis.net/": "ogc/",
    "http://www.w3.org/1999/xlink.xsd": "w3c/xlink.xsd",
    "http://www.w3.org/2001/xml.xsd": "w3c/xml.xsd",
}


_OCCURS = """<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="http://www.w3.org/2001/XMLSchema">
  <attributeGroup name="occurs">
    <attribute name="minOccurs" type="xs:nonNegativeInteger" default="1"/>
    <attribute name="maxOccurs" type="xs:string" default="1"/>
  </attributeGroup>
</schema>"""
"""What WPS 2.0 takes of the schema of schemas, which libxml2 cannot load as a whole."""


class _FromFolder(etree.Resolver):
    """Finds in a folder what the schemas import from the web."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resolve(self, url: str, _public_id: str, context: object) -> object:
        if url == "http://www.w3.org/2001/XMLSchema.xsd":
            return self.resolve_string(_OCCURS, context)
        for start, local in _LOCAL.items():
            if url.startswith(start):
                path = f"{self.folder}/{local}{url.removeprefix(start)}"
                return self.resolve_filename(path, context)
        return None


def load_schema(shared_data: Path, name: str) -> etree.XMLSchema:
    """Load for example ``wps/1.0.0/wpsExecute_response.xsd``."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_FromFolder(shared_data / "schemas"))
    return etree.XMLSchema(etree.parse(str(shared_data / "schemas" / "ogc" / name), parser))
