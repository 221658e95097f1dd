"""Write Sentinel-1 SLC products as SAFE folders.

A product is complete once its annotation, its measurement files and, last, its manifest are
written; see simulated products for the one user of this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from kernels.errors import ProcessingError
from kernels.model import SlcProduct
from kernels.products.gdal_access import gdal_module
from kernels.products.sentinel1_writer_xml import (
    ImageProduct,
    annotation_xml,
    calibration_xml,
    noise_xml,
    product_type,
    swath_name,
)

_SAFE = "http://www.esa.int/safe/sentinel-1.0"
_SPACES = {
    "xfdu": "urn:ccsds:schema:xfdu:1",
    "gml": "http://www.opengis.net/gml",
    "safe": _SAFE,
    "s1": f"{_SAFE}/sentinel-1",
    "s1sarl1": f"{_SAFE}/sentinel-1/sar/level-1",
}
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
_IDENTIFIERS = {"S1A": "2014-016A", "S1B": "2016-025A", "S1C": "2024-235A", "S1D": "2025-249A"}


def image_stem(product: ImageProduct, number: int) -> str:
    """Name of an image's files, without ending; `number` counts the images from 1."""
    orbit, take = product.name.split("_")[-3:-1]
    return (
        f"{product.platform}-{swath_name(product)}-{product_type(product)}-{product.polarisation}"
        f"-{product.start:%Y%m%dT%H%M%S}-{product.stop:%Y%m%dT%H%M%S}-{orbit}-{take}-{number:03d}"
    ).lower()


def write_annotation(safe: Path, images: Sequence[SlcProduct]) -> tuple[Path, ...]:
    """Write annotation, calibration and noise files of all images of a product.

    Parameters
    ----------
    safe : Path
        The SAFE folder; made if missing.
    images : sequence of SlcProduct
        In the order of their numbers, each with its calibration.

    Returns
    -------
    tuple of Path
        Where the measurement file of each image belongs.

    Raises
    ------
    ProductError
        An image has no calibration.
    """
    calibration = safe / "annotation" / "calibration"
    calibration.mkdir(parents=True, exist_ok=True)
    (safe / "measurement").mkdir(exist_ok=True)
    measurements = []
    for number, image in enumerate(images, start=1):
        stem = image_stem(image, number)
        (safe / "annotation" / f"{stem}.xml").write_bytes(annotation_xml(image, number))
        (calibration / f"calibration-{stem}.xml").write_bytes(calibration_xml(image, number))
        (calibration / f"noise-{stem}.xml").write_bytes(noise_xml(image, number))
        measurements.append(safe / "measurement" / f"{stem}.tiff")
    return tuple(measurements)


class MeasurementWriter:
    """Takes the lines of a measurement file, in any order; made by `create_measurement`."""

    def __init__(self, dataset: Any, path: Path) -> None:
        self._dataset = dataset
        self._path = path

    def write(self, first_line: int, pixels: NDArray[np.int16]) -> None:
        """Write whole lines.

        Parameters
        ----------
        first_line : int
            Row of the file.
        pixels : ndarray of int16, shape (lines, samples, 2)
            Real and imaginary parts.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        lines, samples, _ = pixels.shape
        band = self._dataset.GetRasterBand(1)
        with writing(self._path):
            band.WriteRaster(
                0, first_line, samples, lines, pixels.tobytes(), buf_type=gdal_module().GDT_CInt16
            )
            band.FlushCache()


@contextmanager
def create_measurement(path: Path, image: SlcProduct) -> Iterator[MeasurementWriter]:
    """Create the measurement TIFF of an image; lines that are never written read as 0.

    Parameters
    ----------
    path : Path
        Of the file.
    image : SlcProduct
        Gives shape, tie points and tags.

    Yields
    ------
    MeasurementWriter
        Used from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    with writing(path):
        dataset = _create(path, image)
    yield MeasurementWriter(dataset, path)
    with writing(path):
        dataset.FlushCache()


def write_manifest(safe: Path, images: Sequence[ImageProduct]) -> Path:
    """Write the manifest of a product whose other files are complete.

    Parameters
    ----------
    safe : Path
        The SAFE folder, with annotation and measurement files.
    images : sequence of SlcProduct or of GrdProduct
        In the order of their numbers.

    Returns
    -------
    Path
        The manifest.
    """
    first = images[0]
    product = product_type(first)
    kind = f"{safe_mode(first).lower()}{'d' if len({i.polarisation for i in images}) > 1 else 's'}p"
    root = etree.Element(
        _tag("xfdu:XFDU"),
        nsmap=_SPACES,
        version=f"esa/safe/sentinel-1.0/sentinel-1/sar/level-1/{product.lower()}/standard/{kind}",
    )
    package = _add(root, "informationPackageMap")
    unit = _add(
        package,
        "xfdu:contentUnit",
        unitType="SAFE Archive Information Package",
        textInfo=f"Sentinel-1 {safe_mode(first)} Level-1 {product} Product",
    )
    metadata = _add(root, "metadataSection")
    objects = _add(root, "dataObjectSection")
    for number, image in enumerate(images, start=1):
        _add_image(unit, metadata, objects, safe=safe, stem=image_stem(image, number))
    _add_facts(metadata, images)
    target = safe / "manifest.safe"
    partial = target.with_suffix(".partial")
    etree.ElementTree(root).write(
        str(partial), xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return partial.replace(target)


def safe_mode(image: ImageProduct) -> str:
    """Mode as product names carry it: IW, or the beam for StripMap."""
    return swath_name(image) if image.mode == "SM" else image.mode


def _create(path: Path, image: SlcProduct) -> Any:
    gdal = gdal_module()
    lines, samples = image.grid.shape
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), samples, lines, 1, gdal.GDT_CInt16, ["SPARSE_OK=TRUE", "BLOCKYSIZE=1"]
    )
    set_tie_points(dataset, image, description=f"{safe_mode(image)} SLC L1")
    return dataset


def set_tie_points(dataset: Any, image: ImageProduct, *, description: str) -> None:
    """Give a measurement TIFF its tags and ground control points.

    Parameters
    ----------
    dataset : gdal.Dataset
        Open for writing.
    image : SlcProduct or GrdProduct
        Gives tie points and times.
    description : str
        Of mode and product type.
    """
    points = image.geolocation
    dataset.SetMetadata(
        {
            # OTB takes a file as Sentinel-1 only if its description begins like this.
            "TIFFTAG_IMAGEDESCRIPTION": f"Sentinel-1{image.platform[-1]} {description}",
            "TIFFTAG_DATETIME": f"{image.start:%Y:%m:%d %H:%M:%S}",
            "TIFFTAG_SOFTWARE": image.processor,
        }
    )
    dataset.SetGCPs(
        [
            gdal_module().GCP(*(float(v) for v in values))
            for values in zip(
                points.longitudes,
                points.latitudes,
                points.heights,
                points.pixels + 0.5,
                points.lines + 0.5,
                strict=True,
            )
        ],
        _WGS84,
    )


def _add_image(
    unit: etree._Element,
    metadata: etree._Element,
    objects: etree._Element,
    *,
    safe: Path,
    stem: str,
) -> None:
    """Name the four files of an image in the three sections of the manifest."""
    plain = stem.replace("-", "")
    files = (
        ("Product", f"product{plain}", f"annotation/{stem}.xml"),
        ("Noise", f"noise{plain}", f"annotation/calibration/noise-{stem}.xml"),
        ("Calibration", f"calibration{plain}", f"annotation/calibration/calibration-{stem}.xml"),
        ("Measurement", plain, f"measurement/{stem}.tiff"),
    )
    for kind, identifier, name in files:
        schema = f"s1Level1{kind}Schema"
        measured = kind == "Measurement"
        part = _add(
            unit,
            "xfdu:contentUnit",
            unitType="Measurement Data Unit" if measured else "Metadata Unit",
            repID=schema,
        )
        if measured:
            part.set("dmdID", " ".join(f"{other}Annotation" for _, other, _ in files[:3]))
        else:
            described = _add(
                metadata,
                "metadataObject",
                ID=f"{identifier}Annotation",
                classification="DESCRIPTION",
                category="DMD",
            )
            _add(described, "dataObjectPointer", dataObjectID=identifier)
        _add(part, "dataObjectPointer", dataObjectID=identifier)
        path = safe / name
        data = _add(objects, "dataObject", ID=identifier, repID=schema)
        stream = _add(
            data,
            "byteStream",
            mimeType="application/octet-stream" if measured else "text/xml",
            size=str(path.stat().st_size),
        )
        _add(stream, "fileLocation", locatorType="URL", href=f"./{name}")
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "md5").hexdigest()
        _add(stream, "checksum", digest, checksumName="MD5")


def _add_facts(metadata: etree._Element, images: Sequence[ImageProduct]) -> None:
    first = images[0]
    processing = _wrapped(metadata, "processing", "PROVENANCE", "PDI")
    step = _add(processing, "safe:processing", name=f"{product_type(first)} Post Processing")
    name, _, version = first.processor.rpartition(" ")
    facility = _add(step, "safe:facility", name="Fournaise simulation")
    _add(facility, "safe:software", name=name, version=version)
    platform = _add(_wrapped(metadata, "platform"), "safe:platform")
    _add(platform, "safe:nssdcIdentifier", _IDENTIFIERS[first.platform])
    _add(platform, "safe:familyName", "SENTINEL-1")
    _add(platform, "safe:number", first.platform[-1])
    instrument = _add(platform, "safe:instrument")
    _add(instrument, "safe:familyName", "Synthetic Aperture Radar", abbreviation="SAR")
    mode = _add(_add(instrument, "safe:extension"), "s1sarl1:instrumentMode")
    _add(mode, "s1sarl1:mode", first.mode)
    for swath in sorted({swath_name(image) for image in images}):
        _add(mode, "s1sarl1:swath", swath)
    _add_orbit(metadata, first)
    general = _wrapped(metadata, "generalProductInformation")
    general = _add(general, "s1sarl1:standAloneProductInformation")
    for polarisation in sorted({image.polarisation for image in images}, reverse=True):
        _add(general, "s1sarl1:transmitterReceiverPolarisation", polarisation)
    _add(general, "s1sarl1:productType", product_type(first))
    period = _add(_wrapped(metadata, "acquisitionPeriod"), "safe:acquisitionPeriod")
    start, stop = min(i.start for i in images), max(i.stop for i in images)
    _add(period, "safe:startTime", start.isoformat(timespec="microseconds"))
    _add(period, "safe:stopTime", stop.isoformat(timespec="microseconds"))
    frame = _add(_wrapped(metadata, "measurementFrameSet"), "safe:frameSet")
    print_ = _add(_add(frame, "safe:frame"), "safe:footPrint")
    print_.set("srsName", "http://www.opengis.net/gml/srs/epsg.xml#4326")
    _add(print_, "gml:coordinates", _footprint(images))


def _add_orbit(metadata: etree._Element, image: ImageProduct) -> None:
    orbit = _add(_wrapped(metadata, "measurementOrbitReference"), "safe:orbitReference")
    for end in ("start", "stop"):
        _add(orbit, "safe:orbitNumber", str(image.absolute_orbit), type=end)
    for end in ("start", "stop"):
        _add(orbit, "safe:relativeOrbitNumber", str(image.relative_orbit), type=end)
    properties = _add(_add(orbit, "safe:extension"), "s1:orbitProperties")
    _add(properties, "s1:pass", "ASCENDING" if image.ascending else "DESCENDING")


def _footprint(images: Sequence[ImageProduct]) -> str:
    """Corners as latitude,longitude: early far, early near, late near, late far."""
    grids = [image.geolocation for image in images]
    near = min(grids, key=lambda grid: float(grid.slant_range_times.min()))
    far = max(grids, key=lambda grid: float(grid.slant_range_times.max()))
    corners = [(far, min, max), (near, min, min), (near, max, min), (far, max, max)]
    texts = []
    for grid, choose_line, choose_pixel in corners:
        row = grid.lines == choose_line(grid.lines)
        k = np.flatnonzero(row & (grid.pixels == choose_pixel(grid.pixels[row])))[0]
        texts.append(f"{grid.latitudes[k]:.6f},{grid.longitudes[k]:.6f}")
    return " ".join(texts)


def _wrapped(
    metadata: etree._Element,
    identifier: str,
    classification: str = "DESCRIPTION",
    category: str = "DMD",
) -> etree._Element:
    part = _add(
        metadata, "metadataObject", ID=identifier, classification=classification, category=category
    )
    wrap = _add(part, "metadataWrap", mimeType="text/xml", vocabularyName="SAFE")
    return _add(wrap, "xmlData")


def _add(
    parent: etree._Element, tag: str, text: str | None = None, **values: str
) -> etree._Element:
    child = etree.SubElement(parent, _tag(tag), values)
    child.text = text
    return child


def _tag(name: str) -> str:
    prefix, _, local = name.rpartition(":")
    return f"{{{_SPACES[prefix]}}}{local}" if prefix else local


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn GDAL's errors into a ProcessingError that names the file."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessingError(f"{path.name} could not be written, is the disk full?") from error
