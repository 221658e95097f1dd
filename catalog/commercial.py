"""Metadata of TerraSAR-X and COSMO-SkyMed products.

Sources: TX-GS-DD-3302 (level 1b product format, the main annotation); COSMO-SkyMed SAR products
handbook (attributes of the HDF5 file).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lxml import etree

from catalog.errors import AnswerError, IntegrityError
from catalog.model import Geometry, Product
from catalog.reading import whole_or_none
from catalog.times import parse_time

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CORNERS = ("Top_Left", "Top_Right", "Bottom_Right", "Bottom_Left")
_CORNER = "_Geodetic_Coordinates"


def describe_terrasar(content: bytes, named: Product) -> tuple[Product, tuple[str, ...]]:
    """Read the main annotation of a TerraSAR-X or TanDEM-X product.

    Parameters
    ----------
    content : bytes
        XML.
    named : Product
        What the product's name says.

    Returns
    -------
    Product
        The product.
    tuple of str
        Paths of its images, within its folder.

    Raises
    ------
    IntegrityError
        It is no such annotation.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
        info = root.find("productInfo")
        if info is None:
            raise ValueError("no productInfo")
        corners = [
            (float(corner.findtext("lon", "")), float(corner.findtext("lat", "")))
            for corner in info.findall("sceneInfo/sceneCornerCoord")
        ]
        layers = [
            layer.text or "" for layer in info.findall("acquisitionInfo/polarisationList/polLayer")
        ]
        product = replace(
            named,
            product_type=info.findtext("productVariantInfo/productVariant") or named.product_type,
            mode=info.findtext("acquisitionInfo/imagingMode") or named.mode,
            polarisation=" ".join(layers),
            start=parse_time(info.findtext("sceneInfo/start/timeUTC"), origin=named.name),
            stop=parse_time(info.findtext("sceneInfo/stop/timeUTC"), origin=named.name),
            absolute_orbit=whole_or_none(info.findtext("missionInfo/absOrbit")),
            relative_orbit=whole_or_none(info.findtext("missionInfo/relOrbit")),
            direction=(info.findtext("missionInfo/orbitDirection") or "").lower(),
            footprint=_outline(corners) if len(corners) == 4 else None,
        )
    except (etree.XMLSyntaxError, ValueError, AnswerError) as error:
        raise IntegrityError(f"the annotation of {named.name} cannot be read") from error
    images = []
    for file in root.findall("productComponents/imageData/file/location"):
        words = (file.findtext("path") or "", file.findtext("filename") or "")
        images.append("/".join(word for word in words if word))
    return product, tuple(images)


def _outline(corners: list[tuple[float, float]]) -> Geometry:
    """Put corners, told line by line, in the order of a ring."""
    first, second, third, fourth = corners
    ring = [list(corner) for corner in (first, second, fourth, third, first)]
    return {"type": "Polygon", "coordinates": [ring]}


def describe_cosmo(path: Path, named: Product) -> Product:
    """Read the corners of a COSMO-SkyMed product.

    Parameters
    ----------
    path : Path
        HDF5 file.
    named : Product
        What the product's name says, which is all but the corners.

    Returns
    -------
    Product
        With its footprint, where GDAL can read it.

    Raises
    ------
    IntegrityError
        It is no HDF5 file.
    OSError
        It cannot be read.
    """
    with path.open("rb") as stream:
        if stream.read(len(_HDF5)) != _HDF5:
            raise IntegrityError(f"{path.name} is no HDF5 file")
    try:
        from osgeo import gdal  # noqa: PLC0415  the only format here that needs it
    except ImportError:
        return named
    gdal.UseExceptions()
    try:
        told = gdal.OpenEx(str(path), gdal.OF_READONLY, ["HDF5"]).GetMetadata()
    except RuntimeError as error:
        raise IntegrityError(f"{path.name} is no readable HDF5 file") from error
    corners = []
    for corner in _CORNERS:
        texts = [text for key, text in told.items() if key.endswith(corner + _CORNER)]
        if texts:
            latitude, longitude = map(float, texts[0].split()[:2])
            corners.append([longitude, latitude])
    if len(corners) < len(_CORNERS):
        return named
    return replace(named, footprint={"type": "Polygon", "coordinates": [[*corners, corners[0]]]})
