"""Displacement of a few points: table and plot."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.motion import FILES, Motions
from kernels.chains.insar_timeseries.reference import nearest_cell
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.chains.regions import read_point
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError
from kernels.products.mintpy_results import SERIES, LayerFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A cell whose displacement is told.

    Attributes
    ----------
    name : str
        For people.
    row, column : int
        Of the cell.
    longitude, latitude : float
        Of the cell's middle [degrees]; NaN where it has no place.
    displacement, fitted : ndarray of float64, shape (dates,)
        Towards the satellite, and a straight line through it [m]; NaN where there is no result.
    velocity, velocity_error : float
        [m/year].
    """

    name: str
    row: int
    column: int
    longitude: float
    latitude: float
    displacement: NDArray[np.float64]
    fitted: NDArray[np.float64]
    velocity: float
    velocity_error: float

    @property
    def place(self) -> str:
        """For people."""
        if not np.isfinite(self.longitude):
            return f"row {self.row}, column {self.column}"
        return f"{self.longitude:.5f}°, {self.latitude:.5f}°"


def points_of(
    request: InsarTimeseriesRequest,
    inputs: Inputs,
    motions: Motions,
    folder: Path,
    progress: Progress,
) -> tuple[Point, ...]:
    """Read the displacement of the points of the request, or of those that move most.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Names the points.
    inputs : Inputs
        Days and places.
    motions : Motions
        Of reliable cells.
    folder : Path
        With the series.
    progress : Progress
        Told per point.

    Returns
    -------
    tuple of Point
        One or more.

    Raises
    ------
    RequestError
        A point is not on the ground of the cells.
    """
    chosen = []
    for number, text in enumerate(request.points):
        part = progress.part(number / len(request.points), (number + 1) / len(request.points))
        cell = nearest_cell(inputs, read_point(text, argument="points"), "points", part)
        chosen.append((f"point {number + 1}", cell))
    if not chosen:
        chosen = _fastest(motions.velocity)
    series = LayerFile(folder / FILES["timeseries"], SERIES)
    return tuple(_point(inputs, motions, series, name, cell) for name, cell in chosen)


def _fastest(velocity: NDArray[np.float32]) -> list[tuple[str, tuple[int, int]]]:
    """Cells that move most towards the satellite and away from it."""
    found = []
    for name, values in (("towards", velocity), ("away", -velocity)):
        number = int(np.argmax(np.where(np.isfinite(values), values, -np.inf)))
        row, column = divmod(number, velocity.shape[1])
        if np.isfinite(velocity[row, column]):
            found.append((f"fastest {name}", (row, column)))
    return found


def _point(
    inputs: Inputs, motions: Motions, series: LayerFile, name: str, cell: tuple[int, int]
) -> Point:
    row, column = cell
    longitude = latitude = np.nan
    if inputs.has_positions:
        longitudes, latitudes = inputs.positions(Band(row, 1))
        longitude, latitude = float(longitudes[0, column]), float(latitudes[0, column])
    displacement = series.cell(row, column).astype(np.float64)
    times = inputs.network.times
    fitted = np.full(times.size, np.nan)
    if np.isfinite(displacement).all():
        fitted = np.polynomial.Polynomial.fit(times, displacement, 1)(times)
    return Point(
        name=name,
        row=row,
        column=column,
        longitude=longitude,
        latitude=latitude,
        displacement=displacement,
        fitted=fitted,
        velocity=float(motions.velocity[row, column]),
        velocity_error=float(motions.velocity_error[row, column]),
    )


def write_points(path: Path, inputs: Inputs, points: tuple[Point, ...]) -> None:
    """Write the table of points; raises ProcessingError.

    Parameters
    ----------
    path : Path
        CSV file in a scratch folder.
    inputs : Inputs
        Days.
    points : tuple of Point
        In order.
    """
    heads = ("point", "longitude", "latitude", "row", "column", "day")
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow((*heads, "displacement_m", "fitted_m"))
            for point in points:
                place = (f"{point.longitude:.6f}", f"{point.latitude:.6f}", point.row, point.column)
                for day, value, line in zip(
                    inputs.days, point.displacement, point.fitted, strict=True
                ):
                    table.writerow(
                        (point.name, *place, day.isoformat(), f"{value:.6f}", f"{line:.6f}")
                    )
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error
