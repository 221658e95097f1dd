"""Small products, orbit files and elevation tiles with known content, written by hand."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal, osr

gdal.UseExceptions()

PRODUCT = "S1A_IW_SLC__1SDV_20230405T235950_20230406T000010_047965_05C3A1_1F2E"
IMAGE = "s1a-iw2-slc-vv-20230405t235958-20230406t000008-047965-05c3a1-005"
START = datetime(2023, 4, 5, 23, 59, 58, 250000)
RELATIVE_ORBIT = 118
LINES_PER_BURST, SAMPLES, BURSTS = 12, 20, 3
BURST_INTERVAL = timedelta(seconds=0.02)
LINE_INTERVAL = 0.002
FIRST_RANGE_TIME = 5.8e-3
SAMPLING_RATE = 6.4e7
REFERENCE_TIME = 5.80012e-3
STEERING_DEGREES = 0.9798


def iso(instant: datetime) -> str:
    """Time as annotations spell it."""
    return instant.isoformat(timespec="microseconds")


def at(seconds: float) -> str:
    """Time some seconds after the first line."""
    return iso(START + timedelta(seconds=seconds))


def header(*, product_type: str = "SLC", mode: str = "IW", swath: str = "IW2") -> str:
    """Head of an annotation file."""
    return f"""<adsHeader><missionId>S1A</missionId><productType>{product_type}</productType>
    <polarisation>VV</polarisation><mode>{mode}</mode><swath>{swath}</swath>
    <absoluteOrbitNumber>47965</absoluteOrbitNumber></adsHeader>"""


def orbit_list() -> str:
    """17 vectors, 10 s apart, on a straight line at 7500 m/s."""
    entries = "".join(
        f"""<orbit><time>{at(10.0 * k - 80.0)}</time><frame>Earth Fixed</frame>
        <position><x>{7e6}</x><y>{75000.0 * (k - 8)}</y><z>{1e5}</z></position>
        <velocity><x>0</x><y>7500.0</y><z>0</z></velocity></orbit>"""
        for k in range(17)
    )
    return f"<orbitList>{entries}</orbitList>"


def fm_rates(*, old_spelling: bool) -> str:
    """Two entries, the second nearest to the last burst, each about its own origin."""

    def entry(seconds: float, origin: float, values: Sequence[float]) -> str:
        if old_spelling:
            numbers = "".join(f"<c{k}>{value}</c{k}>" for k, value in enumerate(values))
        else:
            text = " ".join(str(value) for value in values)
            numbers = f"<azimuthFmRatePolynomial>{text}</azimuthFmRatePolynomial>"
        return (
            f"<azimuthFmRate><azimuthTime>{at(seconds)}</azimuthTime><t0>{origin}</t0>"
            f"{numbers}</azimuthFmRate>"
        )

    first = entry(0.02, 5.8e-3, (-2300.0, 4.5e5, -7.9e7))
    second = entry(0.06, 5.9e-3, (-2310.0, 4.6e5, -7.8e7))
    return f"<azimuthFmRateList>{first}{second}</azimuthFmRateList>"


def doppler(*, data: bool = True) -> str:
    """Two estimates; the geometric ones are ten times the measured ones."""

    def entry(seconds: float, origin: float, values: Sequence[float]) -> str:
        measured = " ".join(str(value) for value in values) if data else ""
        geometric = " ".join(str(10 * value) for value in values)
        return (
            f"<dcEstimate><azimuthTime>{at(seconds)}</azimuthTime><t0>{origin}</t0>"
            f"<geometryDcPolynomial>{geometric}</geometryDcPolynomial>"
            f"<dataDcPolynomial>{measured}</dataDcPolynomial></dcEstimate>"
        )

    first = entry(0.010, 5.81e-3, (40.0, 4000.0))
    second = entry(0.055, 5.82e-3, (50.0, 5000.0))
    return f"<dopplerCentroid><dcEstimateList>{first}{second}</dcEstimateList></dopplerCentroid>"


def burst_starts(bursts: int = BURSTS) -> list[float]:
    """Annotated times of the bursts' first lines [s after START]."""
    return [k * BURST_INTERVAL.total_seconds() for k in range(bursts)]


def swath_timing(
    *, bursts: int = BURSTS, identifiers: bool = True, lines: int | None = None
) -> str:
    """Bursts whose first two lines and last line are invalid."""
    if bursts == 0:
        return "<swathTiming><linesPerBurst>0</linesPerBurst><burstList/></swathTiming>"
    count = LINES_PER_BURST if lines is None else lines
    first = " ".join(["-1", "-1", *["3"] * (count - 3), "-1"])
    last = " ".join(["-1", "-1", *["17"] * (count - 3), "-1"])
    entries = "".join(
        f"""<burst><azimuthTime>{at(start)}</azimuthTime><firstValidSample>{first}</firstValidSample>
        <lastValidSample>{last}</lastValidSample>
        {f'<burstId absolute="9">{373740 + k}</burstId>' if identifiers else ""}</burst>"""
        for k, start in enumerate(burst_starts(bursts))
    )
    return (
        f"<swathTiming><linesPerBurst>{LINES_PER_BURST}</linesPerBurst>"
        f"<burstList>{entries}</burstList></swathTiming>"
    )


def geolocation(
    *, bursts: int = BURSTS, slope: float = 0.5, last_row_error: float = 12e-6, rows: int = 4
) -> str:
    """Tie points at the first line of each burst and at the last line of the file.

    The last row's times are wrong by some microseconds, as in products of 2022.
    """
    starts = burst_starts(max(bursts, 1))
    last = max(bursts, 1) * LINES_PER_BURST - 1
    lines = [(k * LINES_PER_BURST, start, 0.0) for k, start in enumerate(starts)]
    lines.append((last, starts[-1] + (LINES_PER_BURST - 1) * LINE_INTERVAL, last_row_error))
    points = []
    for line, annotated, error in lines[:rows]:
        for pixel in range(0, SAMPLES, 3):
            # a wide fictitious swath, so that the term is much larger than 1 us
            tau = FIRST_RANGE_TIME + 40e-6 * pixel
            zero_doppler = annotated + slope * (tau - REFERENCE_TIME) + error
            points.append(
                f"""<geolocationGridPoint><azimuthTime>{at(zero_doppler)}</azimuthTime>
                <slantRangeTime>{tau}</slantRangeTime><line>{line}</line><pixel>{pixel}</pixel>
                <latitude>46.5</latitude><longitude>7.5</longitude><height>500</height>
                <incidenceAngle>39.0</incidenceAngle></geolocationGridPoint>"""
            )
    return f"""<geolocationGrid><geolocationGridPointList>{"".join(points)}
    </geolocationGridPointList></geolocationGrid>"""


def annotation(
    *,
    head: str | None = None,
    fm: str | None = None,
    dc: str | None = None,
    timing: str | None = None,
    grid: str | None = None,
    dc_method: str = "Data Analysis",
    lines: int = BURSTS * LINES_PER_BURST,
) -> str:
    """Whole annotation file."""
    return f"""<?xml version="1.0" encoding="UTF-8"?><product>{head or header()}
    <generalAnnotation><productInformation><pass>Descending</pass>
    <rangeSamplingRate>{SAMPLING_RATE}</rangeSamplingRate>
    <radarFrequency>5.405000454334350e+09</radarFrequency>
    <azimuthSteeringRate>{STEERING_DEGREES}</azimuthSteeringRate></productInformation>
    {orbit_list()}{fm or fm_rates(old_spelling=False)}</generalAnnotation>
    <imageAnnotation><imageInformation>
    <productFirstLineUtcTime>{at(0.0)}</productFirstLineUtcTime>
    <productLastLineUtcTime>{at(10.0)}</productLastLineUtcTime>
    <slantRangeTime>{FIRST_RANGE_TIME}</slantRangeTime>
    <rangePixelSpacing>2.342e+00</rangePixelSpacing>
    <azimuthTimeInterval>{LINE_INTERVAL}</azimuthTimeInterval>
    <numberOfSamples>{SAMPLES}</numberOfSamples><numberOfLines>{lines}</numberOfLines>
    </imageInformation><processingInformation><dcMethod>{dc_method}</dcMethod>
    <swathProcParamsList><swathProcParams>
    <rangeProcessing><processingBandwidth>4.83e+07</processingBandwidth></rangeProcessing>
    <azimuthProcessing><processingBandwidth>3.13e+02</processingBandwidth></azimuthProcessing>
    </swathProcParams></swathProcParamsList></processingInformation></imageAnnotation>
    {dc or doppler()}{swath_timing() if timing is None else timing}
    {geolocation() if grid is None else grid}</product>"""


def stripmap_annotation() -> str:
    """Annotation of a StripMap image of 36 lines."""
    return annotation(
        head=header(mode="S3", swath="S3"),
        timing=swath_timing(bursts=0),
        grid=geolocation(bursts=0, rows=1),
    )


CALIBRATION = f"""<?xml version="1.0"?><calibration><calibrationVectorList>
<calibrationVector><azimuthTime>{at(-1.0)}</azimuthTime><line>-500</line>
<pixel>0 10 19</pixel><sigmaNought>330.5 331.5 332.5</sigmaNought>
<betaNought>237 237 237</betaNought><gamma>308 309 310</gamma><dn>1 1 1</dn></calibrationVector>
<calibrationVector><azimuthTime>{at(1.0)}</azimuthTime><line>500</line>
<pixel>0 19</pixel><sigmaNought>340 359</sigmaNought>
<betaNought>237 237</betaNought><gamma>318 318</gamma><dn>1 1</dn></calibrationVector>
</calibrationVectorList></calibration>"""

MANIFEST = f"""<?xml version="1.0"?><xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"
xmlns:safe="http://www.esa.int/safe/sentinel-1.0"><metadataSection>
<safe:processing name="SLC Post Processing"><safe:facility>
<safe:software name="Sentinel-1 IPF" version="003.52"/></safe:facility>
<safe:resource><safe:processing><safe:facility>
<safe:software name="Earlier step" version="1"/></safe:facility></safe:processing></safe:resource>
</safe:processing><safe:orbitReference>
<safe:relativeOrbitNumber type="stop">{RELATIVE_ORBIT + 1}</safe:relativeOrbitNumber>
<safe:relativeOrbitNumber type="start">{RELATIVE_ORBIT}</safe:relativeOrbitNumber>
</safe:orbitReference></metadataSection></xfdu:XFDU>"""


def pixels(lines: int = BURSTS * LINES_PER_BURST) -> NDArray[np.complex64]:
    """Pixels whose values tell their place: line in the real part, minus sample in the other."""
    line, sample = np.mgrid[:lines, :SAMPLES]
    return (line - 1j * sample).astype(np.complex64)


def write_tiff(path: Path, values: NDArray[np.generic], kind: int = gdal.GDT_CInt16) -> None:
    """Write a plain TIFF of one line per strip."""
    rows, columns = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(
        str(path), columns, rows, 1, kind, options=["BLOCKYSIZE=1", "PROFILE=BASELINE"]
    )
    raster.GetRasterBand(1).WriteArray(values)
    raster.FlushCache()


def write_safe(parent: Path, *, name: str = PRODUCT, content: str | None = None) -> Path:
    """Write a whole product; returns the SAFE folder."""
    folder = parent / f"{name}.SAFE"
    (folder / "annotation" / "calibration").mkdir(parents=True)
    (folder / "measurement").mkdir()
    (folder / "manifest.safe").write_text(MANIFEST)
    (folder / "annotation" / f"{IMAGE}.xml").write_text(content or annotation())
    calibration = folder / "annotation" / "calibration" / f"calibration-{IMAGE}.xml"
    calibration.write_text(CALIBRATION)
    write_tiff(folder / "measurement" / f"{IMAGE}.tiff", pixels())
    return folder


def zip_folder(folder: Path, target: Path, *, below: str | None = None) -> Path:
    """Zip a folder; its members lie below its name, or below another one."""
    top = folder.name if below is None else below
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, Path(top, file.relative_to(folder)))
    return target


def orbit_file_name(
    kind: str,
    *,
    created: str = "20230425T080000",
    platform: str = "S1A",
    start: datetime = START - timedelta(hours=2),
    stop: datetime = START + timedelta(hours=2),
) -> str:
    """Name of an orbit file."""
    first, last = (f"{instant:%Y%m%dT%H%M%S}" for instant in (start, stop))
    return f"{platform}_OPER_AUX_{kind}_OPOD_{created}_V{first}_{last}.EOF"


def orbit_file(*, height: float = 0.0, first: float = -200.0, last: float = 210.0) -> str:
    """Content of an orbit file: vectors every 10 s; x tells the file, y the time."""
    entries = "".join(
        f"""<OSV><TAI>TAI=1999</TAI><UTC>UTC={at(seconds)}</UTC><Absolute_Orbit>+47965</Absolute_Orbit>
        <X unit="m">{7e6 + height}</X><Y unit="m">{7500.0 * seconds}</Y><Z unit="m">100000</Z>
        <VX unit="m/s">0</VX><VY unit="m/s">7500</VY><VZ unit="m/s">0</VZ></OSV>"""
        for seconds in np.arange(first, last, 10.0)
    )
    return f"""<?xml version="1.0" ?><Earth_Explorer_File><Data_Block type="xml">
    <List_of_OSVs count="9361">{entries}</List_of_OSVs></Data_Block></Earth_Explorer_File>"""


def plane(longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights [m] linear in longitude and latitude, whole numbers at multiples of 1/10 degree."""
    return 1000.0 + 100.0 * (longitudes[np.newaxis, :] % 10) + 10.0 * latitudes[:, np.newaxis]


def write_hgt(folder: Path, south: int, west: int, *, posts: int = 11) -> Path:
    """Write an SRTM tile of the plane; posts on both edges of the degree."""
    ticks = np.linspace(0.0, 1.0, posts)
    heights = np.rint(plane(west + ticks, south + ticks[::-1]))
    hemispheres = ("N" if south >= 0 else "S", "E" if west >= 0 else "W")
    path = folder / f"{hemispheres[0]}{abs(south):02d}{hemispheres[1]}{abs(west):03d}.hgt"
    path.write_bytes(heights.astype(">i2").tobytes())
    return path


def write_hgts(folder: Path) -> Path:
    """Write the four tiles of the plane around 46 N 7 E, and return their folder."""
    for south in (45, 46):
        for west in (6, 7):
            write_hgt(folder, south, west)
    return folder


def write_dem_tiff(
    path: Path,
    heights: NDArray[np.floating],
    *,
    west_edge: float,
    north_edge: float,
    step: float,
    latitude_step: float | None = None,
    epsg: int = 4326,
    nodata: float | None = None,
    unit: str = "",
    options: Sequence[str] = (),
) -> Path:
    """Write a float32 GeoTIFF; edges are those of the first pixel."""
    rows, columns = heights.shape
    raster = gdal.GetDriverByName("GTiff").Create(
        str(path), columns, rows, 1, gdal.GDT_Float32, options=list(options)
    )
    raster.SetGeoTransform((west_edge, step, 0.0, north_edge, 0.0, -(latitude_step or step)))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    raster.SetProjection(reference.ExportToWkt())
    band = raster.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    if unit:
        band.SetUnitType(unit)
    band.WriteArray(heights.astype(np.float32))
    raster.FlushCache()
    return path
