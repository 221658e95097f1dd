"""Radar grid, ramps and valid samples of the bursts of a Sentinel-1 SLC annotation.

A StripMap image is one burst of the whole image with a fixed beam.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from kernels.errors import ProductError
from kernels.model import (
    SPEED_OF_LIGHT,
    Burst,
    GeolocationGrid,
    RadarGrid,
    RangePolynomial,
    Shape,
)
from kernels.products.annotation_head import STRIPMAP
from kernels.products.bistatic import IW_REFERENCE_TIME, fit_bistatic_range
from kernels.products.elements import Element

_IMAGE = "imageAnnotation/imageInformation"
_PRODUCT = "generalAnnotation/productInformation"
_CHIRP = (
    "generalAnnotation/downlinkInformationList/downlinkInformation/downlinkValues/txPulseRampRate"
)


def read_bursts(
    root: Element, *, epoch: datetime, mode: str, geolocation: GeolocationGrid
) -> tuple[RadarGrid, tuple[Burst, ...]]:
    """Read the grid of the measurement file and its bursts, with the residual bistatic term.

    Parameters
    ----------
    root : Element
        Of the annotation.
    epoch : datetime
        UTC instant (naive) that times count from.
    mode : str
        IW, EW or SM.
    geolocation : GeolocationGrid
        Of the same annotation.

    Returns
    -------
    tuple of RadarGrid and tuple of Burst
        In azimuth order.

    Raises
    ------
    ProductError
        If an element is missing or contradicts another.
    """
    grid = _file_grid(root, epoch)
    records = _whole_image(grid) if mode == STRIPMAP else _burst_records(root, grid, epoch)
    bistatic_range = fit_bistatic_range(
        annotated_times=_annotated_times(grid, records, geolocation.lines),
        zero_doppler_times=geolocation.zero_doppler_times,
        slant_range_times=geolocation.slant_range_times,
        fallback_time=IW_REFERENCE_TIME if mode == "IW" else _mid_swath_time(grid),
    )
    grid = replace(grid, bistatic_range=bistatic_range)
    ramps = _Ramps(
        doppler=_dopplers(root, epoch),
        fm_rates=_fm_rates(root, epoch),
        steering_rate=_steering_rate(root, mode),
        chirp_rate=root.number(_CHIRP) if root.has(_CHIRP) else None,
    )
    return grid, tuple(_burst(index, record, grid, ramps) for index, record in enumerate(records))


@dataclass(frozen=True, slots=True)
class _BurstRecord:
    """The part of a burst that its own annotation element holds."""

    first_line_time: float
    lines: int
    first_valid_sample: NDArray[np.int32]
    last_valid_sample: NDArray[np.int32]
    identifier: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ramps:
    """The lists that every burst takes its nearest entries from."""

    doppler: list[RangePolynomial]
    fm_rates: list[RangePolynomial]
    steering_rate: float
    chirp_rate: float | None


def _burst(index: int, record: _BurstRecord, grid: RadarGrid, ramps: _Ramps) -> Burst:
    middle = record.first_line_time + 0.5 * (record.lines - 1) * grid.line_interval
    return Burst(
        index=index,
        first_line=index * record.lines,
        grid=replace(
            grid,
            first_line_time=record.first_line_time,
            shape=Shape(record.lines, grid.shape.samples),
        ),
        first_valid_sample=record.first_valid_sample,
        last_valid_sample=record.last_valid_sample,
        doppler=_nearest(ramps.doppler, middle),
        fm_rate=_nearest(ramps.fm_rates, middle),
        steering_rate=ramps.steering_rate,
        identifier=record.identifier,
        range_chirp_rate=ramps.chirp_rate,
    )


def _annotated_times(
    grid: RadarGrid, records: list[_BurstRecord], lines: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Annotated times of lines of the file [s from epoch]; a line past the end is extrapolated.

    Lines of the geolocation grid sit at the first lines of bursts, whose times jump back.
    """
    burst_lines = records[0].lines
    index = np.clip((lines // burst_lines).astype(np.intp), 0, len(records) - 1)
    starts = np.array([record.first_line_time for record in records])
    times: NDArray[np.float64] = starts[index] + (lines - index * burst_lines) * grid.line_interval
    return times


def _mid_swath_time(grid: RadarGrid) -> float:
    """Two-way slant range time in the middle of the image [s]."""
    return 2.0 / SPEED_OF_LIGHT * grid.slant_range(0.5 * (grid.shape.samples - 1))


def _steering_rate(root: Element, mode: str) -> float:
    """Rotation of the beam in azimuth [rad/s]; annotated in degrees per second."""
    if mode == STRIPMAP:
        return 0.0
    return float(np.radians(root.number(f"{_PRODUCT}/azimuthSteeringRate")))


def _file_grid(root: Element, epoch: datetime) -> RadarGrid:
    """Grid of the measurement file, without bistatic term.

    The spacing follows from the sampling rate: rangePixelSpacing is rounded to a micrometre,
    which is 25 mm at the far end of a swath.
    """
    image = root.child(_IMAGE)
    return RadarGrid(
        epoch=epoch,
        first_line_time=image.seconds("productFirstLineUtcTime", epoch),
        line_interval=image.number("azimuthTimeInterval"),
        first_slant_range=0.5 * SPEED_OF_LIGHT * image.number("slantRangeTime"),
        slant_range_spacing=0.5 * SPEED_OF_LIGHT / root.number(f"{_PRODUCT}/rangeSamplingRate"),
        shape=Shape(image.integer("numberOfLines"), image.integer("numberOfSamples")),
        wavelength=SPEED_OF_LIGHT / root.number(f"{_PRODUCT}/radarFrequency"),
    )


def _whole_image(grid: RadarGrid) -> list[_BurstRecord]:
    """One record of a StripMap image, every sample valid."""
    lines, samples = grid.shape
    first = np.zeros(lines, dtype=np.int32)
    last = np.full(lines, samples - 1, dtype=np.int32)
    return [_BurstRecord(grid.first_line_time, lines, first, last, None)]


def _burst_records(root: Element, grid: RadarGrid, epoch: datetime) -> list[_BurstRecord]:
    """Bursts of a TOPS image in azimuth order."""
    lines = root.integer("swathTiming/linesPerBurst")
    records = [
        _BurstRecord(
            burst.seconds("azimuthTime", epoch),
            lines,
            _valid_samples(burst, "firstValidSample", lines),
            _valid_samples(burst, "lastValidSample", lines),
            burst.integer("burstId") if burst.has("burstId") else None,
        )
        for burst in root.children("swathTiming/burstList/burst")
    ]
    if not records or lines * len(records) > grid.shape.lines:
        raise ProductError(
            f"{root.origin}: {len(records)} bursts of {lines} lines must fit in"
            f" numberOfLines, got {grid.shape.lines}"
        )
    return records


def _valid_samples(burst: Element, name: str, lines: int) -> NDArray[np.int32]:
    samples = burst.numbers(name).astype(np.int32)
    if samples.size != lines:
        raise ProductError(
            f"{burst.origin}: element {name} must have {lines} values, got {samples.size}"
        )
    return samples


def _polynomials(root: Element, epoch: datetime, path: str, element: str) -> list[RangePolynomial]:
    """Entries of a list of range polynomials; old products spell them c0 c1 c2."""
    entries = []
    for entry in root.children(path):
        if entry.has(element) or not entry.has("c0"):
            coefficients = tuple(entry.numbers(element).tolist())
        else:
            coefficients = tuple(entry.number(name) for name in ("c0", "c1", "c2"))
        if coefficients:
            entries.append(
                RangePolynomial(
                    azimuth_time=entry.seconds("azimuthTime", epoch),
                    origin=entry.number("t0"),
                    coefficients=coefficients,
                )
            )
    return entries


def _dopplers(root: Element, epoch: datetime) -> list[RangePolynomial]:
    """Doppler estimates, by the method that the image was processed with where they exist."""
    path = "dopplerCentroid/dcEstimateList/dcEstimate"
    names = ["dataDcPolynomial", "geometryDcPolynomial"]
    if root.text("imageAnnotation/processingInformation/dcMethod") == "Orbit and Attitude":
        names.reverse()
    present = [name for name in names if root.has(f"{path}/{name}")]
    for name in present:
        if entries := _polynomials(root, epoch, path, name):
            return entries
    raise ProductError(f"{root.origin} has no element {path}/{names[0]}")


def _fm_rates(root: Element, epoch: datetime) -> list[RangePolynomial]:
    path = "generalAnnotation/azimuthFmRateList/azimuthFmRate"
    entries = _polynomials(root, epoch, path, "azimuthFmRatePolynomial")
    if not entries:
        raise ProductError(f"{root.origin} has no element {path}")
    return entries


def _nearest(entries: list[RangePolynomial], instant: float) -> RangePolynomial:
    return min(entries, key=lambda entry: abs(entry.azimuth_time - instant))
