"""A data take of detected lines with known content, cut into GRD products by hand.

Line n of the take is at START + n / 2 s, so slices of 50 lines are 25 s long, as real ones are;
the first slice passes midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from tests.products import samples

START = samples.START
LINE_INTERVAL = 0.5
SPACING = 10.0
SLICE_LINES, SAMPLES = 50, 30
ORIGIN = 800_000.0
REFERENCE_TIME = 5.350012e-3
RECORD_INTERVAL = 5.0
PROCESSED = "2023-04-06T01:00:00"


def slant_to_ground(seconds: float) -> tuple[float, float]:
    """Conversion of a record at a time after START: ground range grows by 1.5 and a little."""
    return (0.0, 1.5 + 1e-4 * seconds)


def file_stem(first_line: int, lines: int, polarisation: str) -> str:
    """Name of the files of one image."""
    start, stop = times(first_line, lines)
    return (
        f"s1a-iw-grd-{polarisation.lower()}-{start:%Y%m%dt%H%M%S}-{stop:%Y%m%dt%H%M%S}"
        f"-047965-05c3a1-00{1 if polarisation == 'VV' else 2}"
    )


def product_name(first_line: int, lines: int, unique: str) -> str:
    """Name of a product, whose times are those of its lines."""
    start, stop = times(first_line, lines)
    return f"S1A_IW_GRDH_1SDV_{start:%Y%m%dT%H%M%S}_{stop:%Y%m%dT%H%M%S}_047965_05C3A1_{unique}"


def times(first_line: int, lines: int) -> tuple[datetime, datetime]:
    """First and last line of a slice."""
    first = START + timedelta(seconds=first_line * LINE_INTERVAL)
    return first, first + timedelta(seconds=(lines - 1) * LINE_INTERVAL)


def annotation(
    first_line: int = 0,
    lines: int = SLICE_LINES,
    *,
    width: int = SAMPLES,
    polarisation: str = "VV",
    mode: str = "IW",
    swath: str = "IW",
    origin: float = ORIGIN,
    orbit: str | None = None,
    conversions: str | None = None,
    tie_points: str | None = None,
    late: float = 0.0,
    orbit_number: int = 47965,
) -> str:
    """Annotation of a slice; late moves it against the take's raster [s]."""
    start, stop = (t + timedelta(seconds=late) for t in times(first_line, lines))
    begin = first_line * LINE_INTERVAL + late
    head = samples.header(product_type="GRD", mode=mode, swath=swath)
    head = head.replace(">VV<", f">{polarisation}<").replace(">47965<", f">{orbit_number}<")
    return f"""<?xml version="1.0" encoding="UTF-8"?><product>{head}
    <generalAnnotation><productInformation><pass>Ascending</pass>
    <radarFrequency>5.405000454334350e+09</radarFrequency></productInformation>
    {orbit or orbit_list(begin)}</generalAnnotation>
    <imageAnnotation><imageInformation>
    <productFirstLineUtcTime>{samples.iso(start)}</productFirstLineUtcTime>
    <productLastLineUtcTime>{samples.iso(stop)}</productLastLineUtcTime>
    <azimuthTimeInterval>{LINE_INTERVAL}</azimuthTimeInterval>
    <rangePixelSpacing>{SPACING}</rangePixelSpacing>
    <numberOfSamples>{width}</numberOfSamples><numberOfLines>{lines}</numberOfLines>
    </imageInformation></imageAnnotation>
    {_tie_points(begin, lines) if tie_points is None else tie_points}
    {_conversions(begin, lines, origin) if conversions is None else conversions}</product>"""


def orbit_list(begin: float, *, offset: float = 0.0) -> str:
    """17 vectors at whole 10 s around a slice, on a straight line at 7500 m/s."""
    first = 10.0 * round(begin / 10.0) - 70.0
    entries = "".join(
        f"""<orbit><time>{samples.at(first + 10.0 * k)}</time>
        <position><x>{7e6 + offset}</x><y>{7500.0 * (first + 10.0 * k)}</y><z>{1e5}</z></position>
        <velocity><x>0</x><y>7500.0</y><z>0</z></velocity></orbit>"""
        for k in range(17)
    )
    return f"<orbitList>{entries}</orbitList>"


def _conversions(begin: float, lines: int, origin: float) -> str:
    """Records every 5 s of the take, from before the first to after the last line; unsorted."""
    first = int(begin // RECORD_INTERVAL)
    last = int((begin + lines * LINE_INTERVAL) // RECORD_INTERVAL) + 1
    entries = []
    for number in reversed(range(first, last + 1)):
        seconds = number * RECORD_INTERVAL
        ground = slant_to_ground(seconds)
        entries.append(
            f"""<coordinateConversion><azimuthTime>{samples.at(seconds)}</azimuthTime>
            <slantRangeTime>0</slantRangeTime><sr0>{origin}</sr0>
            <srgrCoefficients count="2">{ground[0]} {ground[1]}</srgrCoefficients>
            <gr0>0</gr0><grsrCoefficients>{origin} {1 / ground[1]}</grsrCoefficients>
            </coordinateConversion>"""
        )
    return f"""<coordinateConversion><coordinateConversionList>{"".join(entries)}
    </coordinateConversionList></coordinateConversion>"""


def _tie_points(begin: float, lines: int) -> str:
    """Six rows of points whose zero-Doppler times differ from their lines' by the bistatic term."""
    points = []
    for line in np.linspace(0, lines - 1, 6).astype(int):
        for pixel in range(0, SAMPLES, 3):
            # a wide fictitious swath, so that the term is much larger than 1 us
            tau = 5.337e-3 + 20.37e-6 * pixel
            time = begin + line * LINE_INTERVAL + 0.5 * (tau - REFERENCE_TIME)
            points.append(
                f"""<geolocationGridPoint><azimuthTime>{samples.at(time)}</azimuthTime>
                <slantRangeTime>{tau}</slantRangeTime><line>{line}</line><pixel>{pixel}</pixel>
                <latitude>46.5</latitude><longitude>7.5</longitude><height>500</height>
                <incidenceAngle>39.0</incidenceAngle></geolocationGridPoint>"""
            )
    return f"""<geolocationGrid><geolocationGridPointList>{"".join(points)}
    </geolocationGridPointList></geolocationGrid>"""


def calibration(first_line: int, lines: int, width: int = SAMPLES) -> str:
    """Vectors every 20 lines, from the first line to beyond the last; values tell take's line."""
    entries = "".join(
        f"""<calibrationVector>
        <azimuthTime>{samples.at((first_line + line) * LINE_INTERVAL)}</azimuthTime>
        <line>{line}</line><pixel>0 {width - 1}</pixel>
        <sigmaNought>{first_line + line} {first_line + line + width - 1}</sigmaNought>
        <betaNought>237 237</betaNought><gamma>300 300</gamma><dn>1 1</dn></calibrationVector>"""
        for line in range(0, lines + 20, 20)
    )
    return f"""<?xml version="1.0"?><calibration><calibrationVectorList>{entries}
    </calibrationVectorList></calibration>"""


def noise(lines: int = SLICE_LINES, width: int = SAMPLES) -> str:
    """Noise of the new style: vectors on lines 20 and 0, two blocks."""

    def vector(line: int) -> str:
        return f"""<noiseRangeVector><azimuthTime>{samples.at(0.0)}</azimuthTime>
        <line>{line}</line><pixel count="2">0 {width - 1}</pixel>
        <noiseRangeLut count="2">{100 + line} 50.5</noiseRangeLut></noiseRangeVector>"""

    def block(swath: str, first: int, last: int) -> str:
        return f"""<noiseAzimuthVector><swath>{swath}</swath>
        <firstAzimuthLine>0</firstAzimuthLine><firstRangeSample>{first}</firstRangeSample>
        <lastAzimuthLine>{lines - 1}</lastAzimuthLine><lastRangeSample>{last}</lastRangeSample>
        <line count="3">0 10 {lines - 1}</line>
        <noiseAzimuthLut count="3">1.25 1.5 1.0</noiseAzimuthLut></noiseAzimuthVector>"""

    return f"""<?xml version="1.0"?><noise><noiseRangeVectorList>{vector(20)}{vector(0)}
    </noiseRangeVectorList><noiseAzimuthVectorList>{block("IW1", 0, 14)}
    {block("IW2", 15, width - 1)}</noiseAzimuthVectorList></noise>"""


def manifest(*, processed: str = PROCESSED, version: str = "003.52") -> str:
    """Manifest with the end of the processing."""
    return samples.MANIFEST.replace(
        '<safe:processing name="SLC Post Processing">',
        f'<safe:processing name="GRD Post Processing" start="{PROCESSED}" stop="{processed}">',
    ).replace("003.52", version)


def pixels(first_line: int, lines: int, width: int = SAMPLES) -> NDArray[np.uint16]:
    """Pixels whose values tell their place: 100 times the take's line, plus sample, plus 1."""
    line, sample = np.mgrid[first_line : first_line + lines, :width]
    return (100 * line + sample + 1).astype(np.uint16)


def write_slice(
    parent: Path,
    first_line: int = 0,
    lines: int = SLICE_LINES,
    *,
    unique: str = "1F2E",
    polarisations: Sequence[str] = ("VV", "VH"),
    width: int = SAMPLES,
    manifest_text: str | None = None,
    orbit: str | None = None,
    late: float = 0.0,
    origin: float = ORIGIN,
    orbit_number: int = 47965,
) -> Path:
    """Write a whole product; returns the SAFE folder."""
    folder = parent / f"{product_name(first_line, lines, unique)}.SAFE"
    tables = folder / "annotation" / "calibration"
    tables.mkdir(parents=True)
    (folder / "measurement").mkdir()
    (folder / "manifest.safe").write_text(manifest_text or manifest())
    for polarisation in polarisations:
        stem = file_stem(first_line, lines, polarisation)
        (folder / "annotation" / f"{stem}.xml").write_text(
            annotation(
                first_line,
                lines,
                width=width,
                polarisation=polarisation,
                orbit=orbit,
                late=late,
                origin=origin,
                orbit_number=orbit_number,
            )
        )
        (tables / f"calibration-{stem}.xml").write_text(calibration(first_line, lines, width))
        (tables / f"noise-{stem}.xml").write_text(noise(lines, width))
        samples.write_tiff(
            folder / "measurement" / f"{stem}.tiff",
            pixels(first_line, lines, width),
            kind=gdal.GDT_UInt16,
        )
    return folder
