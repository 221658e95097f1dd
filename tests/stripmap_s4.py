"""StripMap beam S4 over La Réunion, S1A 2016-08-18 and S1B 2016-09-29, small windows.

Orbit, timing, bandwidths and Doppler are those that a detected S4 image of the same track is
annotated with, 31 cycles of 12 days before; the second date is 42 days later and 90 m aside.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from lxml import etree
from numpy.polynomial.chebyshev import Chebyshev

from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    Dem,
    RadarGrid,
    RangePolynomial,
    Shape,
    SlcProduct,
    StateVectors,
)
from kernels.products.detected_annotation import read_detected_annotation
from kernels.simulation import MogiSource, Scene, SimulatedSeries
from kernels.simulation.dates import Date
from kernels.simulation.derive import baseline_shift
from kernels.simulation.ground_annotation import make_calibration, make_geolocation
from kernels.simulation.scene import motion_of, terrain_of
from kernels.simulation.series import simulate_dates

ANNOTATION = "sm_annotations/s1a-s4-grd-vv-20150812t014643-*.xml"
CENTRE = (55.51, -21.1486)
DAYS = ("20160818", "20160929")
BASELINE = 90.0
SHAPE = Shape(1200, 1200)
NAMES = (
    "S1A_S4_SLC__1SSV_20160818T014650_20160818T014715_012648_013DB1_0001",
    "S1B_S4_SLC__1SSV_20160929T014610_20160929T014634_002277_003D71_788E",
)
_SWATH_SAMPLES = 18_270
"""Of a whole image; line times are zero-Doppler in its middle."""


def simulate_s4_pair(shared: Path, folder: Path, dem: Dem, source: MogiSource) -> SimulatedSeries:
    """Make both products; the source displaces the ground of the second one."""
    reference = _image(next(iter(shared.glob(ANNOTATION))), dem)
    scene = Scene(dem=dem, sources=(source,))
    dates = [
        Date(
            images=(_moved(reference, number, dem),),
            motion=motion_of(scene, float(number)),
            misregistration=0.0,
        )
        for number in (0, 1)
    ]
    return simulate_dates(scene, dates, folder)


def _image(annotation: Path, dem: Dem) -> SlcProduct:
    """Image of the day of the annotation."""
    detected = read_detected_annotation(annotation)
    root = etree.parse(annotation).getroot()

    def number(path: str) -> float:
        return float(root.findtext(f".//{path}") or "nan")

    def terms(path: str) -> tuple[float, ...]:
        return tuple(map(float, (root.findtext(f".//{path}") or "").split()))

    ties = detected.geolocation
    there = np.argmin(np.hypot(ties.longitudes - CENTRE[0], ties.latitudes - CENTRE[1]))
    interval, rate = 1.0 / number("azimuthFrequency"), number("rangeSamplingRate")
    spacing = 0.5 * SPEED_OF_LIGHT / rate
    middle = 0.5 * SPEED_OF_LIGHT * float(ties.slant_range_times[there])
    time = float(ties.zero_doppler_times[there])
    swath_middle = number("slantRangeTime") + 0.5 * _SWATH_SAMPLES / rate
    grid = RadarGrid(
        epoch=detected.grid.epoch,
        first_line_time=round(time - 0.5 * SHAPE.lines * interval, 6),
        line_interval=interval,
        first_slant_range=middle - 0.5 * SHAPE.samples * spacing,
        slant_range_spacing=spacing,
        shape=SHAPE,
        wavelength=SPEED_OF_LIGHT / number("radarFrequency"),
        bistatic_range=0.5 * SPEED_OF_LIGHT * swath_middle,
    )
    burst = Burst(
        index=0,
        first_line=0,
        grid=grid,
        first_valid_sample=np.zeros(SHAPE.lines, np.int32),
        last_valid_sample=np.full(SHAPE.lines, SHAPE.samples - 1, np.int32),
        doppler=RangePolynomial(
            azimuth_time=time,
            origin=number("dcEstimate/t0"),
            coefficients=terms("dcEstimate/geometryDcPolynomial"),
        ),
        fm_rate=RangePolynomial(
            azimuth_time=time,
            origin=number("azimuthFmRate/t0"),
            coefficients=terms("azimuthFmRatePolynomial"),
        ),
        steering_rate=0.0,
        range_chirp_rate=number("txPulseRampRate"),
    )
    vectors = _every_ten_seconds(detected.state_vectors, time)
    geolocation = make_geolocation(grid, (burst,), vectors, terrain_of(dem))
    return SlcProduct(
        name=NAMES[0],
        platform="S1A",
        mode="SM",
        swath="S4",
        polarisation="VV",
        start=detected.start,
        stop=detected.stop,
        absolute_orbit=detected.absolute_orbit,
        relative_orbit=detected.relative_orbit,
        ascending=detected.ascending,
        processor=detected.processor,
        state_vectors=vectors,
        grid=grid,
        bursts=(burst,),
        range_bandwidth=number("rangeProcessing/processingBandwidth"),
        azimuth_bandwidth=number("azimuthProcessing/processingBandwidth"),
        calibration=make_calibration(grid, geolocation),
        geolocation=geolocation,
        pixels=None,
    )


def _every_ten_seconds(vectors: StateVectors, about: float) -> StateVectors:
    """The orbit of vectors of one second, on such as SLC images are annotated with."""
    times = about + np.arange(-60.0, 61.0, 10.0)
    fits = [Chebyshev.fit(vectors.times, vectors.positions[:, k], 4) for k in range(3)]
    return replace(
        vectors,
        times=times,
        positions=np.stack([fit(times) for fit in fits], axis=1),
        velocities=np.stack([fit.deriv()(times) for fit in fits], axis=1),
    )


def _moved(image: SlcProduct, number: int, dem: Dem) -> SlcProduct:
    """The same image on one of the two days: only the epoch and the orbit differ."""
    epoch = datetime.strptime(DAYS[number], "%Y%m%d")
    vectors = image.state_vectors
    shift, drift = baseline_shift(
        vectors.times,
        vectors.positions,
        vectors.velocities,
        baseline=number * BASELINE,
        look_angle=np.radians(32.0),
    )
    vectors = replace(
        vectors,
        epoch=epoch,
        positions=vectors.positions + shift,
        velocities=vectors.velocities + drift,
    )
    grid = replace(image.grid, epoch=epoch)
    (burst,) = image.bursts
    burst = replace(burst, grid=grid)
    geolocation = make_geolocation(grid, (burst,), vectors, terrain_of(dem))
    start = epoch + timedelta(seconds=grid.first_line_time)
    return replace(
        image,
        name=NAMES[number],
        platform=NAMES[number][:3],
        start=start,
        stop=start + timedelta(seconds=grid.shape.lines * grid.line_interval),
        absolute_orbit=int(NAMES[number].split("_")[-3]),
        state_vectors=vectors,
        grid=grid,
        bursts=(burst,),
        geolocation=geolocation,
    )
