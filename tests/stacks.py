"""Stacks of invented pixels on the grid of a simulated product."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.stack import SeriesDate, Stack, StackImage
from kernels.model import MapGrid, Shape
from kernels.products.raster import create_raster
from tests.series import CENTRE, Series, hills

FIRST = date(2026, 1, 1)
REVISIT = timedelta(days=12)
GRID = MapGrid(
    crs="EPSG:4326",
    west=CENTRE[0],
    north=CENTRE[1],
    x_spacing=1e-3,
    y_spacing=1e-3,
    shape=Shape(10, 10),
)


def speckle(covariance: NDArray[np.complexfloating], shape: Shape, seed: int = 1) -> NDArray:
    """Circular Gaussian pixels of all dates with a known covariance, independent in space."""
    generator = np.random.default_rng(seed)
    size = (len(covariance), shape.lines * shape.samples)
    white = (generator.normal(size=size) + 1j * generator.normal(size=size)) / np.sqrt(2.0)
    pixels = np.linalg.cholesky(covariance) @ white
    return pixels.reshape(-1, *shape).astype(np.complex64)


def decaying(dates: int, phases: NDArray[np.float64], memory: float = 3.0) -> NDArray:
    """Coherence that decays exponentially with the dates between, and a phase of each date."""
    steps = np.arange(dates)
    magnitude = np.exp(-np.abs(steps[:, None] - steps) / memory)
    found: NDArray = magnitude * np.exp(1j * (phases[:, None] - phases))
    return found


def shapes(series: Series) -> list[Shape]:
    """Lines and samples of every swath of a stack."""
    pairs = open_pair(series.request(), need_pixels=False)
    return [pair.layout.grid.shape for pair in pairs]


def make_stack(
    series: Series,
    folder: Path,
    pixels: Sequence[NDArray[np.complex64]],
    *,
    baselines: Sequence[float] = (),
    reference: int = 0,
) -> Stack:
    """Write pixels of every swath, each of shape (dates, lines, samples), as a stack."""
    pairs = open_pair(series.request(), need_pixels=False)
    images = []
    for number in range(len(pixels[0])):
        day = FIRST + number * REVISIT
        paths = []
        for pair, values in zip(pairs, pixels, strict=True):
            path = folder / f"{day:%Y%m%d}" / f"{pair.reference.swath}.tif"
            grid = pair.layout.grid
            with create_raster(
                path, grid.shape, ["pixels"], grid=grid, nodata=0.0, dtype="complex64"
            ) as writer:
                writer.write(0, values[number][None])
            paths.append(path)
        name = f"{series.reference.stem}_{number}"
        images.append(
            StackImage(
                date=SeriesDate(day=day, names=(name,), paths=(series.reference,)),
                rasters=tuple(paths),
                perpendicular_baseline=baselines[number] if baselines else 0.0,
                parallel_baseline=0.5 * baselines[number] if baselines else 0.0,
                shift=0.001 * number,
            )
        )
    request = MultislcSeriesRequest(
        products=(series.reference,),
        first_day="20260101",
        last_day="20261231",
        dem=(series.dem,),
        azimuth_looks=4,
        range_looks=16,
    )
    return Stack(
        request=request,
        swaths=pairs,
        dem=hills(*CENTRE),
        grid=GRID,
        images=tuple(images),
        reference=reference,
    )
