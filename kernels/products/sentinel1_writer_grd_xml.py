"""Annotation and noise files of Sentinel-1 GRD images, written from metadata.

Elements follow the Sentinel-1 Product Specification, S1-RS-MDA-52-7441; lists that only the
instrument could fill are empty.
"""

from __future__ import annotations

import numpy as np

from kernels.errors import ProductError
from kernels.model import SPEED_OF_LIGHT, GrdProduct, GroundRangeRecord, NoiseLut
from kernels.products.sentinel1_writer_xml import (
    NODE_PERIOD,
    Node,
    document,
    header,
    instant,
    listing,
    mean_height,
    orbits,
    tie_points,
)

_EARTH_RADIUS = 6_371_000.0


def grd_annotation_xml(product: GrdProduct, number: int, *, slice_number: int = 0) -> bytes:
    """Annotation of an image.

    Parameters
    ----------
    product : GrdProduct
        The image.
    number : int
        Counts the images of the product from 1.
    slice_number : int
        Place of the product in its data take, counted from 1; 0: it is no slice.

    Returns
    -------
    bytes
        The XML file.
    """
    information: Node = ("imageInformation", _image(product, slice_number))
    return document(
        "product",
        [
            ("adsHeader", header(product, number)),
            ("qualityInformation", [("productQualityIndex", 0.0), listing("qualityDataList", [])]),
            ("generalAnnotation", _general(product)),
            ("imageAnnotation", [information, ("processingInformation", _how())]),
            ("dopplerCentroid", [listing("dcEstimateList", [])]),
            ("antennaPattern", [listing("antennaPatternList", [])]),
            (
                "swathTiming",
                [("linesPerBurst", 0), ("samplesPerBurst", 0), listing("burstList", [])],
            ),
            ("geolocationGrid", [listing("geolocationGridPointList", tie_points(product))]),
            (
                "coordinateConversion",
                [listing("coordinateConversionList", _conversions(product))],
            ),
            ("swathMerging", [listing("swathMergeList", _merging(product))]),
        ],
    )


def grd_noise_xml(product: GrdProduct, number: int) -> bytes:
    """Noise file of an image; raises ProductError if it has no noise."""
    noise = _noise(product)
    grid = product.grid
    ranges: list[Node] = [
        (
            "noiseRangeVector",
            [
                (
                    "azimuthTime",
                    instant(product, grid.first_line_time + vector.line * grid.line_interval),
                ),
                ("line", vector.line),
                ("pixel", vector.pixels),
                ("noiseRangeLut", vector.values),
            ],
        )
        for vector in noise.vectors
    ]
    blocks: list[Node] = [
        (
            "noiseAzimuthVector",
            [
                ("swath", block.swath),
                ("firstAzimuthLine", block.first_line),
                ("firstRangeSample", block.first_sample),
                ("lastAzimuthLine", block.last_line),
                ("lastRangeSample", block.last_sample),
                ("line", block.lines),
                ("noiseAzimuthLut", block.values),
            ],
        )
        for block in noise.blocks
    ]
    return document(
        "noise",
        [
            ("adsHeader", header(product, number)),
            listing("noiseRangeVectorList", ranges),
            listing("noiseAzimuthVectorList", blocks),
        ],
    )


def azimuth_spacing(product: GrdProduct) -> float:
    """Distance on the ground between lines [m], from the tie points of the middle column."""
    points = product.geolocation
    column = np.unique(points.pixels)
    middle = points.pixels == column[column.size // 2]
    order = np.argsort(points.lines[middle])[[0, -1]]
    lon, lat = (np.radians(v[middle][order]) for v in (points.longitudes, points.latitudes))
    chord = np.sin(0.5 * np.diff(lat)) ** 2
    chord += np.cos(lat[0]) * np.cos(lat[1]) * np.sin(0.5 * np.diff(lon)) ** 2
    lines = float(np.diff(points.lines[middle][order])[0])
    return float(2.0 * _EARTH_RADIUS * np.arcsin(np.sqrt(chord[0]))) / lines


def _noise(product: GrdProduct) -> NoiseLut:
    if product.noise is None:
        raise ProductError(f"{product.name}: noise must be there to be written")
    return product.noise


def _general(product: GrdProduct) -> list[Node]:
    heights: list[Node] = [
        ("terrainHeight", [("azimuthTime", product.start), ("value", mean_height(product))])
    ]
    facts: list[Node] = [
        ("pass", "Ascending" if product.ascending else "Descending"),
        ("timelinessCategory", "Fast-24h"),
        ("platformHeading", -14.0 if product.ascending else -166.0),
        ("projection", "Ground Range"),
        ("rangeSamplingRate", 6.434523812571428e07),
        ("radarFrequency", SPEED_OF_LIGHT / product.grid.wavelength),
        ("azimuthSteeringRate", 1.590368784),
    ]
    return [
        ("productInformation", facts),
        listing("downlinkInformationList", []),
        listing("orbitList", orbits(product)),
        listing("attitudeList", []),
        listing("rawDataAnalysisList", []),
        listing("replicaInformationList", []),
        listing("noiseList", []),
        listing("terrainHeightList", heights),
        listing("azimuthFmRateList", []),
    ]


def _image(product: GrdProduct, slice_number: int) -> list[Node]:
    grid = product.grid
    middle = float(np.median(product.geolocation.incidence_angles))
    near = min(record.ground_to_slant[0] for record in grid.records)
    return [
        ("productFirstLineUtcTime", product.start),
        ("productLastLineUtcTime", product.stop),
        ("ascendingNodeTime", product.start - 0.1 * NODE_PERIOD),
        ("anchorTime", product.start),
        ("productComposition", "Slice" if slice_number else "Individual"),
        ("sliceNumber", slice_number),
        listing("sliceList", []),
        ("slantRangeTime", 2.0 * near / SPEED_OF_LIGHT),
        ("pixelValue", "Detected"),
        ("outputPixels", "16 bit Unsigned Integer"),
        ("rangePixelSpacing", grid.ground_range_spacing),
        ("azimuthPixelSpacing", azimuth_spacing(product)),
        ("azimuthTimeInterval", grid.line_interval),
        ("azimuthFrequency", 486.4863102995529),
        ("numberOfSamples", grid.shape.samples),
        ("numberOfLines", grid.shape.lines),
        ("zeroDopMinusAcqTime", 0.0),
        ("incidenceAngleMidSwath", float(np.degrees(middle))),
    ]


def _how() -> list[Node]:
    return [
        ("dcMethod", "Data Analysis"),
        ("detectionPerformed", True),
        ("srgrConversionApplied", True),
        ("thermalNoiseCorrectionPerformed", False),
        listing("swathProcParamsList", []),
        ("ellipsoidName", "WGS84"),
        ("ellipsoidSemiMajorAxis", 6378137.0),
        ("ellipsoidSemiMinorAxis", 6356752.314245),
        ("bistaticDelayCorrectionApplied", True),
        ("topsFilterConvention", "Only Echo Lines"),
        ("orbitSource", "Auxiliary"),
    ]


def _conversions(product: GrdProduct) -> list[Node]:
    return [
        ("coordinateConversion", _conversion(product, record)) for record in product.grid.records
    ]


def _conversion(product: GrdProduct, record: GroundRangeRecord) -> list[Node]:
    return [
        ("azimuthTime", instant(product, record.azimuth_time)),
        ("slantRangeTime", 2.0 * record.slant_range_origin / SPEED_OF_LIGHT),
        ("sr0", record.slant_range_origin),
        ("srgrCoefficients", np.array(record.slant_to_ground)),
        ("gr0", record.ground_range_origin),
        ("grsrCoefficients", np.array(record.ground_to_slant)),
    ]


def _merging(product: GrdProduct) -> list[Node]:
    """Parts of the image by swath: those of the noise."""
    return [
        (
            "swathMerge",
            [
                ("swath", block.swath),
                listing(
                    "swathBoundsList",
                    [
                        (
                            "swathBounds",
                            [
                                ("azimuthTime", product.start),
                                ("firstAzimuthLine", block.first_line),
                                ("firstRangeSample", block.first_sample),
                                ("lastAzimuthLine", block.last_line),
                                ("lastRangeSample", block.last_sample),
                            ],
                        )
                    ],
                ),
            ],
        )
        for block in _noise(product).blocks
    ]
