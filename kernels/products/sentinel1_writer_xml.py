"""Annotation, calibration and noise files of Sentinel-1 SLC images, written from metadata.

Elements follow the Sentinel-1 Product Specification, S1-RS-MDA-52-7441; lists that only the
instrument could fill are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    CalibrationLut,
    GrdProduct,
    RangePolynomial,
    SlcProduct,
)

Content = str | int | float | bool | datetime | NDArray[np.generic] | list["Node"]
Node = tuple[str, Content]
ImageProduct = SlcProduct | GrdProduct

_NOISE_POWER = 600.0
NODE_PERIOD = timedelta(seconds=5924.57)


def product_type(product: ImageProduct) -> str:
    """SLC or GRD."""
    return "SLC" if isinstance(product, SlcProduct) else "GRD"


def swath_name(product: ImageProduct) -> str:
    """Swath as annotations carry it; detected images hold all swaths of their mode."""
    return product.swath if isinstance(product, SlcProduct) else product.mode


def annotation_xml(product: SlcProduct, number: int) -> bytes:
    """Annotation of an image; `number` counts the images of the product from 1."""
    return document(
        "product",
        [
            ("adsHeader", header(product, number)),
            ("qualityInformation", [("productQualityIndex", 0.0), listing("qualityDataList", [])]),
            ("generalAnnotation", _general(product)),
            (
                "imageAnnotation",
                [("imageInformation", _image(product)), ("processingInformation", _how(product))],
            ),
            ("dopplerCentroid", [listing("dcEstimateList", _dopplers(product))]),
            ("antennaPattern", [listing("antennaPatternList", [])]),
            ("swathTiming", _swath_timing(product)),
            ("geolocationGrid", [listing("geolocationGridPointList", tie_points(product))]),
            ("coordinateConversion", [listing("coordinateConversionList", [])]),
            ("swathMerging", [listing("swathMergeList", [])]),
        ],
    )


def calibration_xml(product: ImageProduct, number: int) -> bytes:
    """Calibration file of an image; raises ProductError if it has no calibration."""
    lut = _calibration(product)
    vectors: list[Node] = [
        (
            "calibrationVector",
            [
                ("azimuthTime", instant(product, float(lut.times[k]))),
                ("line", int(lut.lines[k])),
                ("pixel", lut.pixels),
                ("sigmaNought", lut.sigma_nought[k]),
                ("betaNought", lut.beta_nought[k]),
                ("gamma", lut.gamma[k]),
                ("dn", lut.digital_number[k]),
            ],
        )
        for k in range(lut.times.size)
    ]
    return document(
        "calibration",
        [
            ("adsHeader", header(product, number)),
            ("calibrationInformation", [("absoluteCalibrationConstant", 1.0)]),
            listing("calibrationVectorList", vectors),
        ],
    )


def noise_xml(product: SlcProduct, number: int) -> bytes:
    """Noise file of an image: a constant level; raises ProductError without calibration."""
    lut = _calibration(product)
    level = np.full(lut.pixels.size, _NOISE_POWER)
    ranges: list[Node] = [
        (
            "noiseRangeVector",
            [
                ("azimuthTime", instant(product, float(time))),
                ("line", int(line)),
                ("pixel", lut.pixels),
                ("noiseRangeLut", level),
            ],
        )
        for time, line in zip(lut.times, lut.lines, strict=True)
    ]
    lines, samples = product.grid.shape
    ends = np.array([0, lines - 1])
    azimuth: Node = (
        "noiseAzimuthVector",
        [
            ("swath", product.swath),
            ("firstAzimuthLine", 0),
            ("firstRangeSample", 0),
            ("lastAzimuthLine", lines - 1),
            ("lastRangeSample", samples - 1),
            ("line", ends),
            ("noiseAzimuthLut", np.ones(2)),
        ],
    )
    return document(
        "noise",
        [
            ("adsHeader", header(product, number)),
            listing("noiseRangeVectorList", ranges),
            listing("noiseAzimuthVectorList", [azimuth]),
        ],
    )


def _calibration(product: ImageProduct) -> CalibrationLut:
    if product.calibration is None:
        raise ProductError(f"{product.name}: calibration must be there to be written")
    return product.calibration


def header(product: ImageProduct, number: int) -> list[Node]:
    """Contents of the header of an image's file; `number` counts from 1."""
    # StripMap annotations carry the beam for the mode.
    mode = swath_name(product) if product.mode == "SM" else product.mode
    return [
        ("missionId", product.platform),
        ("productType", product_type(product)),
        ("polarisation", product.polarisation),
        ("mode", mode),
        ("swath", swath_name(product)),
        ("startTime", product.start),
        ("stopTime", product.stop),
        ("absoluteOrbitNumber", product.absolute_orbit),
        ("missionDataTakeId", product.absolute_orbit * 7),
        ("imageNumber", f"{number:03d}"),
    ]


def _general(product: SlcProduct) -> list[Node]:
    grid = product.grid
    downlink: list[Node] = [
        ("swath", product.swath),
        ("azimuthTime", product.start),
        ("prf", 1.0 / grid.line_interval if product.mode == "SM" else 1717.128973878037),
    ]
    chirp_rate = product.bursts[0].range_chirp_rate
    if chirp_rate is not None:
        downlink.append(("downlinkValues", [("txPulseRampRate", chirp_rate)]))
    rates = [
        _polynomial(product, b.fm_rate, "azimuthFmRate", "azimuthFmRatePolynomial")
        for b in product.bursts
    ]
    heights: list[Node] = [
        ("terrainHeight", [("azimuthTime", product.start), ("value", mean_height(product))])
    ]
    facts: list[Node] = [
        ("pass", "Ascending" if product.ascending else "Descending"),
        ("timelinessCategory", "Fast-24h"),
        ("platformHeading", -14.0 if product.ascending else -166.0),
        ("projection", "Slant Range"),
        ("rangeSamplingRate", 0.5 * SPEED_OF_LIGHT / grid.slant_range_spacing),
        ("radarFrequency", SPEED_OF_LIGHT / grid.wavelength),
        ("azimuthSteeringRate", float(np.degrees(product.bursts[0].steering_rate))),
    ]
    return [
        ("productInformation", facts),
        listing("downlinkInformationList", [("downlinkInformation", downlink)]),
        listing("orbitList", orbits(product)),
        listing("attitudeList", []),
        listing("rawDataAnalysisList", []),
        listing("replicaInformationList", []),
        listing("noiseList", []),
        listing("terrainHeightList", heights),
        listing("azimuthFmRateList", rates),
    ]


def orbits(product: ImageProduct) -> list[Node]:
    """Entries of the list of state vectors."""
    vectors = product.state_vectors
    return [
        (
            "orbit",
            [
                ("time", vectors.epoch + timedelta(seconds=float(time))),
                ("frame", "Earth Fixed"),
                ("position", _xyz(position)),
                ("velocity", _xyz(velocity)),
            ],
        )
        for time, position, velocity in zip(
            vectors.times, vectors.positions, vectors.velocities, strict=True
        )
    ]


def mean_height(product: ImageProduct) -> float:
    """Mean height of the tie points [m]."""
    return float(product.geolocation.heights.mean())


def _image(product: SlcProduct) -> list[Node]:
    grid = product.grid
    speed = float(np.linalg.norm(product.state_vectors.velocities, axis=1).mean())
    ground_speed = 0.9 * speed
    middle = float(np.median(product.geolocation.incidence_angles))
    node = product.start - 0.1 * NODE_PERIOD
    return [
        ("productFirstLineUtcTime", product.start),
        ("productLastLineUtcTime", product.stop),
        ("ascendingNodeTime", node),
        ("anchorTime", product.start),
        ("productComposition", "Individual"),
        ("sliceNumber", 0),
        listing("sliceList", []),
        ("slantRangeTime", 2.0 * grid.first_slant_range / SPEED_OF_LIGHT),
        ("pixelValue", "Complex"),
        ("outputPixels", "16 bit Signed Integer"),
        ("rangePixelSpacing", grid.slant_range_spacing),
        ("azimuthPixelSpacing", ground_speed * grid.line_interval),
        ("azimuthTimeInterval", grid.line_interval),
        ("azimuthFrequency", 1.0 / grid.line_interval),
        ("numberOfSamples", grid.shape.samples),
        ("numberOfLines", grid.shape.lines),
        ("zeroDopMinusAcqTime", 0.0),
        ("incidenceAngleMidSwath", float(np.degrees(middle))),
    ]


def _how(product: SlcProduct) -> list[Node]:
    def filtering(bandwidth: float) -> list[Node]:
        return [
            ("windowType", "Hamming"),
            ("windowCoefficient", 0.75),
            ("totalBandwidth", bandwidth),
            ("processingBandwidth", bandwidth),
            ("lookBandwidth", bandwidth),
            ("numberOfLooks", 1),
            ("lookOverlap", 0.0),
        ]

    parameters: Node = (
        "swathProcParams",
        [
            ("swath", product.swath),
            ("rangeProcessing", filtering(product.range_bandwidth)),
            ("azimuthProcessing", filtering(product.azimuth_bandwidth)),
            ("processorScalingFactor", 1.0),
        ],
    )
    return [
        ("dcMethod", "Data Analysis"),
        ("detectionPerformed", False),
        ("thermalNoiseCorrectionPerformed", False),
        listing("swathProcParamsList", [parameters]),
        ("ellipsoidName", "WGS84"),
        ("ellipsoidSemiMajorAxis", 6378137.0),
        ("ellipsoidSemiMinorAxis", 6356752.314245),
        ("bistaticDelayCorrectionApplied", True),
        ("topsFilterConvention", "Only Echo Lines"),
        ("orbitSource", "Auxiliary"),
    ]


def _dopplers(product: SlcProduct) -> list[Node]:
    estimates = []
    for burst in product.bursts:
        name, content = _polynomial(product, burst.doppler, "dcEstimate", "dataDcPolynomial")
        geometric = np.array(burst.doppler.coefficients)
        estimates.append((name, [*content, ("geometryDcPolynomial", geometric)]))
    return [(name, content) for name, content in estimates]


def _polynomial(
    product: SlcProduct, polynomial: RangePolynomial, entry: str, element: str
) -> tuple[str, list[Node]]:
    return entry, [
        ("azimuthTime", instant(product, polynomial.azimuth_time)),
        ("t0", polynomial.origin),
        (element, np.array(polynomial.coefficients)),
    ]


def _swath_timing(product: SlcProduct) -> list[Node]:
    tops = product.mode != "SM"
    lines, samples = product.bursts[0].grid.shape if tops else (0, 0)
    bursts = product.bursts if tops else ()
    return [
        ("linesPerBurst", lines),
        ("samplesPerBurst", samples),
        listing("burstList", [_burst(product, burst) for burst in bursts]),
    ]


def _burst(product: SlcProduct, burst: Burst) -> Node:
    middle = burst.grid.first_line_time + burst.mid_line * burst.grid.line_interval
    return (
        "burst",
        [
            ("azimuthTime", instant(product, burst.grid.first_line_time)),
            ("azimuthAnxTime", burst.grid.first_line_time + 0.1 * NODE_PERIOD.total_seconds()),
            ("sensingTime", instant(product, middle)),
            ("byteOffset", 4 * burst.first_line * burst.grid.shape.samples),
            ("firstValidSample", burst.first_valid_sample),
            ("lastValidSample", burst.last_valid_sample),
        ],
    )


def tie_points(product: ImageProduct) -> list[Node]:
    """Entries of the geolocation grid."""
    grid = product.geolocation
    points: list[Node] = []
    for k in range(grid.lines.size):
        content: list[Node] = [
            ("azimuthTime", instant(product, float(grid.zero_doppler_times[k]))),
            ("slantRangeTime", float(grid.slant_range_times[k])),
            ("line", int(grid.lines[k])),
            ("pixel", int(grid.pixels[k])),
            ("latitude", float(grid.latitudes[k])),
            ("longitude", float(grid.longitudes[k])),
            ("height", float(grid.heights[k])),
            ("incidenceAngle", float(np.degrees(grid.incidence_angles[k]))),
            ("elevationAngle", float(np.degrees(grid.incidence_angles[k])) - 3.5),
        ]
        points.append(("geolocationGridPoint", content))
    return points


def _xyz(vector: NDArray[np.float64]) -> list[Node]:
    return [(axis, float(value)) for axis, value in zip("xyz", vector, strict=True)]


def instant(product: ImageProduct, seconds: float) -> datetime:
    """Instant of a time [s from the epoch of the product]."""
    return product.grid.epoch + timedelta(seconds=seconds)


def listing(tag: str, entries: Sequence[Node]) -> Node:
    """Make a list of entries."""
    return tag, list(entries)


def document(tag: str, content: list[Node]) -> bytes:
    """Serialise a file."""
    root = _element(tag, content)
    document: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return document


def _element(tag: str, content: Content) -> etree._Element:
    element = etree.Element(tag)
    if isinstance(content, list):
        if tag.endswith("List"):
            element.set("count", str(len(content)))
        for child_tag, child in content:
            element.append(_element(child_tag, child))
        return element
    if isinstance(content, np.ndarray):
        element.set("count", str(content.size))
        element.text = " ".join(_text(value) for value in content.tolist())
    else:
        element.text = _text(content)
    return element


def _text(value: str | int | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, float):
        return f"{value:.15e}"
    return str(value)
