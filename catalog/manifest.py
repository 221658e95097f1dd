"""What the manifest of a SAFE says: when, where, on which orbit, and which files belong to it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from lxml import etree

from catalog.errors import AnswerError, IntegrityError
from catalog.model import Geometry, Product
from catalog.reading import whole_or_none
from catalog.times import parse_time

LARGEST = 20_000_000
"""Bytes that a manifest may have; real ones have some 50 000."""


class ListedFile(NamedTuple):
    """Path within the SAFE, and size [bytes] where it is told."""

    path: str
    size: int | None


class Manifest(NamedTuple):
    """What it says of the product, and its files."""

    product: Product
    files: tuple[ListedFile, ...]


def parse_manifest(content: bytes, named: Product) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    content : bytes
        XML.
    named : Product
        What the product's name says; kept where the manifest is silent.

    Returns
    -------
    Manifest
        The product, more exactly.

    Raises
    ------
    IntegrityError
        It is no XML, or a coordinate or a time is none.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
        texts = _texts(root)
        product = replace(
            named,
            start=parse_time(texts.get("startTime"), origin=named.name) or named.start,
            stop=parse_time(texts.get("stopTime"), origin=named.name) or named.stop,
            absolute_orbit=whole_or_none(texts.get("orbitNumber")) or named.absolute_orbit,
            relative_orbit=whole_or_none(texts.get("relativeOrbitNumber")) or named.relative_orbit,
            direction=texts.get("pass", named.direction).lower(),
            footprint=_footprint(texts.get("coordinates", "")) or named.footprint,
        )
    except (etree.XMLSyntaxError, ValueError, AnswerError) as error:
        raise IntegrityError(f"the manifest of {named.name} cannot be read") from error
    return Manifest(product, tuple(_files(root)))


def _texts(root: etree._Element) -> dict[str, str]:
    """Return the first text of each element by its name without namespace."""
    wanted = {
        *("startTime", "stopTime", "orbitNumber", "relativeOrbitNumber"),
        *("pass", "coordinates"),
    }
    found: dict[str, str] = {}
    for element in root.iter("{*}*"):
        name = etree.QName(element).localname
        if name in wanted and element.text:
            found.setdefault(name, element.text.strip())
    return found


def _footprint(text: str) -> Geometry | None:
    """Read corners as latitude,longitude pairs, or as numbers one after the other."""
    numbers = [float(word) for word in text.replace(",", " ").split()]
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    ring = [[numbers[k + 1], numbers[k]] for k in range(0, len(numbers), 2)]
    if any(abs(longitude) > 180.0 or abs(latitude) > 90.0 for longitude, latitude in ring):
        raise ValueError("coordinates out of range")
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    return {"type": "Polygon", "coordinates": [ring]}


def _files(root: etree._Element) -> list[ListedFile]:
    found = []
    for stream in root.iter("byteStream", "{*}byteStream"):
        for place in stream.iter("fileLocation", "{*}fileLocation"):
            path = str(place.get("href", "")).removeprefix("./")
            if path and ".." not in path.split("/") and not path.startswith("/"):
                found.append(ListedFile(path, whole_or_none(stream.get("size"))))
    return found
