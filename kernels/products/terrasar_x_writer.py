"""Write SSC products of TerraSAR-X, TanDEM-X and PAZ: annotation and COSAR file.

DLR, TX-GS-DD-3307 "Level 1b product format specification". The annotation holds what readers of
images need; what only the instrument could fill is left out. See simulated products for the one
user of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from kernels.errors import ProcessingError
from kernels.model import SPEED_OF_LIGHT, RangePolynomial, SlcProduct
from kernels.products.beam_steering import doppler_per_turn
from kernels.products.cosar import ANNOTATION_LINES, HEADER, MAGIC

Node = tuple[str, "str | int | float | datetime | list[Node]"]

_IMAGES = "IMAGEDATA"
_VERSION = 1
"""Of the COSAR format: pairs of 16 bit integers."""
_MISSIONS = {"TSX1": "TSX-1", "TDX1": "TDX-1", "PAZ1": "PAZ-1"}


def write_terrasar_x(folder: Path, image: SlcProduct) -> Path:
    """Write the annotation of a product of one image.

    Parameters
    ----------
    folder : Path
        Of the product; made if missing. The annotation gets its name.
    image : SlcProduct
        One burst; its name is that of the product.

    Returns
    -------
    Path
        Where the COSAR file belongs.
    """
    file = f"IMAGE_{image.polarisation}_SRA_{image.swath.lower()}.cos"
    (folder / _IMAGES).mkdir(parents=True, exist_ok=True)
    root = _element(("level1Product", _product(image, file)))
    # no declaration: GDAL knows the format by its first letters
    (folder / f"{folder.name}.xml").write_bytes(etree.tostring(root, pretty_print=True))
    return folder / _IMAGES / file


def _product(image: SlcProduct, file: str) -> list[Node]:
    return [
        ("generalHeader", _header(image)),
        ("productComponents", [("imageData", _component(image, file))]),
        ("productInfo", _info(image)),
        ("productSpecific", [("complexImageInfo", _complex_image(image))]),
        ("platform", [("orbit", _orbit(image))]),
        ("instrument", [("radarParameters", [("centerFrequency", _carrier(image))])]),
        ("processing", _processing(image)),
        ("calibration", _calibration(image)),
    ]


def _header(image: SlcProduct) -> list[Node]:
    name, _, version = image.processor.rpartition(" ")
    return [
        ("itemName", "Level 1B Product"),
        ("mission", _MISSIONS[image.platform]),
        ("source", "simulation"),
        (f"generationSystem version={version}", name or version),
        ("generationTime", image.stop),
        ("referenceDocument", "TX-GS-DD-3307"),
    ]


def _component(image: SlcProduct, file: str) -> list[Node]:
    place: list[Node] = [("host", "."), ("path", _IMAGES), ("filename", file)]
    return [("polLayer", image.polarisation), ("file", [("location", place)])]


def _info(image: SlcProduct) -> list[Node]:
    return [
        ("generationInfo", [("logicalProductID", image.name)]),
        (
            "missionInfo",
            [
                ("mission", _MISSIONS[image.platform]),
                ("absOrbit", image.absolute_orbit),
                ("relOrbit", image.relative_orbit),
                ("orbitDirection", "ASCENDING" if image.ascending else "DESCENDING"),
            ],
        ),
        (
            "acquisitionInfo",
            [
                ("sensor", "SAR"),
                ("imagingMode", image.mode),
                ("lookDirection", image.grid.look_side.value.upper()),
                ("antennaReceiveConfiguration", "SRA"),
                ("polarisationMode", "SINGLE"),
                ("polarisationList", [("polLayer", image.polarisation)]),
                ("elevationBeamConfiguration", image.swath.lower()),
            ],
        ),
        (
            "productVariantInfo",
            [
                ("productType", f"SSC____{image.mode}_S"),
                ("productVariant", "SSC"),
                ("projection", "SLANTRANGE"),
                ("resolutionVariant", "UNDEFINED"),
                ("radiometricCorrection", "CALIBRATED"),
            ],
        ),
        ("imageDataInfo", _raster(image)),
        ("sceneInfo", _scene(image)),
    ]


def _raster(image: SlcProduct) -> list[Node]:
    grid = image.grid
    return [
        ("pixelValueID", "RADAR BRIGHTNESS"),
        ("imageDataType", "COMPLEX"),
        ("imageDataFormat", "COSAR"),
        ("numberOfLayers", 1),
        ("imageDataDepth", 32),
        ("imageStorageOrder", "ROWBYROW"),
        ("rowContent", "RANGELINES"),
        ("columnContent", "AZIMUTHLINES"),
        (
            "imageRaster",
            [
                ("numberOfRows", grid.shape.lines),
                ("numberOfColumns", grid.shape.samples),
                ("rowSpacing", 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT),
                ("columnSpacing", grid.line_interval),
                ("azimuthLooks", 1.0),
                ("rangeLooks", 1.0),
            ],
        ),
    ]


def _scene(image: SlcProduct) -> list[Node]:
    grid, points = image.grid, image.geolocation
    last = grid.shape.lines - 1, grid.shape.samples - 1
    first_time = 2.0 * grid.first_slant_range / SPEED_OF_LIGHT
    span = 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT * last[1]

    def corner(line: int, sample: int) -> list[Node]:
        k = int(np.argmin(np.hypot(points.lines - line, points.pixels - sample)))
        return [
            ("refRow", int(points.lines[k]) + 1),
            ("refColumn", int(points.pixels[k]) + 1),
            ("lat", float(points.latitudes[k])),
            ("lon", float(points.longitudes[k])),
            ("azimuthTimeUTC", _instant(image, float(points.zero_doppler_times[k]))),
            ("rangeTime", float(points.slant_range_times[k])),
            ("incidenceAngle", float(np.degrees(points.incidence_angles[k]))),
        ]

    return [
        ("sceneID", image.name),
        ("start", [("timeUTC", _instant(image, grid.first_line_time))]),
        ("stop", [("timeUTC", image.stop)]),
        ("rangeTime", [("firstPixel", first_time), ("lastPixel", first_time + span)]),
        ("sceneCenterCoord", corner(last[0] // 2, last[1] // 2)),
        ("sceneAverageHeight", float(points.heights.mean())),
        *(
            ("sceneCornerCoord", corner(line, sample))
            for line in (0, last[0])
            for sample in (0, last[1])
        ),
    ]


def _complex_image(image: SlcProduct) -> list[Node]:
    return [
        ("commonPRF", 1.0 / image.grid.line_interval),
        ("commonRSF", 0.5 * SPEED_OF_LIGHT / image.grid.slant_range_spacing),
        ("imageCoordinateType", "ZERODOPPLER"),
        ("imageDataStartWith", "EARLYAZNEARRG"),
    ]


def _orbit(image: SlcProduct) -> list[Node]:
    vectors = image.state_vectors
    return [
        ("orbitHeader", [("numStateVectors", vectors.times.size)]),
        *(
            (
                "stateVec",
                [
                    ("timeUTC", vectors.epoch + timedelta(seconds=float(time))),
                    *_xyz("pos", position),
                    *_xyz("vel", velocity),
                ],
            )
            for time, position, velocity in zip(
                vectors.times, vectors.positions, vectors.velocities, strict=True
            )
        ),
    ]


def _xyz(kind: str, vector: NDArray[np.float64]) -> list[Node]:
    return [(f"{kind}{axis}", float(value)) for axis, value in zip("XYZ", vector, strict=True)]


def _processing(image: SlcProduct) -> list[Node]:
    """Doppler centroids of both ends and the middle: a beam that turns makes them drift."""
    burst = image.bursts[0]
    half = burst.mid_line * burst.grid.line_interval
    middle = burst.grid.first_line_time + half
    drift = burst.steering_rate * doppler_per_turn(
        image.state_vectors, time=middle, wavelength=burst.grid.wavelength
    )
    constant, *others = burst.doppler.coefficients
    estimates: list[Node] = []
    for time in (round(middle + since, 6) for since in (-half, 0.0, half)):
        moved = RangePolynomial(
            azimuth_time=time,
            origin=burst.doppler.origin,
            coefficients=(constant + drift * (time - middle), *others),
        )
        estimates.append(("dopplerEstimate", _polynomial(image, moved, "combinedDoppler")))
    return [
        (
            "geometry",
            [("dopplerRate", _polynomial(image, burst.fm_rate, "dopplerRatePolynomial"))],
        ),
        (
            "doppler",
            [
                (
                    "dopplerCentroid",
                    [
                        ("polLayer", image.polarisation),
                        ("numberOfDopplerRecords", 3),
                        *estimates,
                    ],
                )
            ],
        ),
        (
            "processingParameter",
            [
                ("processingInfoCoordinateType", "RAW"),
                ("totalProcessedRangeBandwidth", image.range_bandwidth),
                ("totalProcessedAzimuthBandwidth", image.azimuth_bandwidth),
            ],
        ),
    ]


def _polynomial(image: SlcProduct, polynomial: RangePolynomial, name: str) -> list[Node]:
    return [
        ("timeUTC", _instant(image, polynomial.azimuth_time)),
        (
            name,
            [
                ("referencePoint", polynomial.origin),
                ("polynomialDegree", len(polynomial.coefficients) - 1),
                *(
                    (f"coefficient exponent={k}", value)
                    for k, value in enumerate(polynomial.coefficients)
                ),
            ],
        ),
    ]


def _calibration(image: SlcProduct) -> list[Node]:
    if image.calibration is None:
        return []
    factor = float(image.calibration.beta_nought.mean()) ** -2.0
    constant: list[Node] = [("polLayer", image.polarisation), ("calFactor", factor)]
    return [("calibrationConstant", constant)]


def _carrier(image: SlcProduct) -> float:
    return SPEED_OF_LIGHT / image.grid.wavelength


def _instant(image: SlcProduct, seconds: float) -> datetime:
    return image.grid.epoch + timedelta(seconds=seconds)


def _element(node: Node) -> etree._Element:
    """Make an element; a blank in its name parts it from an attribute."""
    (tag, _, attribute), content = node[0].partition(" "), node[1]
    key, _, value = attribute.partition("=")
    element = etree.Element(tag, {key: value} if key else {})
    if isinstance(content, list):
        element.extend([_element(child) for child in content])
    elif isinstance(content, datetime):
        element.text = f"{content.isoformat(timespec='microseconds')}Z"
    elif isinstance(content, float):
        element.text = f"{content:.17E}"
    else:
        element.text = str(content)
    return element


class CosarWriter:
    """Takes the lines of a COSAR file, in any order; made by `create_cosar`."""

    def __init__(self, path: Path, samples: int) -> None:
        self._path = path
        self._samples = samples
        self._width = _line_bytes(samples)

    def write(self, first_line: int, pixels: NDArray[np.int16]) -> None:
        """Write whole lines.

        Parameters
        ----------
        first_line : int
            Line of the image.
        pixels : ndarray of int16, shape (lines, samples, 2)
            Real and imaginary parts.

        Raises
        ------
        ProcessingError
            The file system did not take them.
        """
        lines = np.empty(
            pixels.shape[0], np.dtype([("valid", ">i4", 2), ("pixels", ">i2", (self._samples, 2))])
        )
        lines["valid"] = 1, self._samples
        lines["pixels"] = pixels
        with _writing(self._path), self._path.open("r+b") as file:
            file.seek((ANNOTATION_LINES + first_line) * self._width)
            file.write(lines.tobytes())


@contextmanager
def create_cosar(path: Path, image: SlcProduct) -> Iterator[CosarWriter]:
    """Create the COSAR file of an image; lines that are never written read as 0.

    Parameters
    ----------
    path : Path
        Of the file.
    image : SlcProduct
        Gives its size.

    Yields
    ------
    CosarWriter
        Used from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    lines, samples = image.grid.shape
    width, total = _line_bytes(samples), lines + ANNOTATION_LINES
    header = HEADER.pack(width * total, 1, samples, lines, 1, width, total, MAGIC)
    with _writing(path), path.open("wb") as file:
        file.write(header + _VERSION.to_bytes(4, "big"))
        # azimuth index of the first, then first and last valid line, of every column
        for row, value in enumerate((1, 1, lines), start=1):
            file.seek(row * width + 8)
            file.write(np.full(samples, value, ">i4").tobytes())
        # GDAL refuses lines without valid samples
        marks = np.array([1, samples], ">i4").tobytes()
        for row in range(ANNOTATION_LINES, total):
            file.seek(row * width)
            file.write(marks)
        file.truncate(width * total)
    yield CosarWriter(path, samples)


def _line_bytes(samples: int) -> int:
    """Bytes of a line: first and last valid sample, and the pixels."""
    return 8 + 4 * samples


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written, is the disk full?") from error
