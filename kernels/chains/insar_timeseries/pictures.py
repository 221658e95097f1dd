"""Pictures of the motion; matplotlib is imported when they are drawn, not by the web tier."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.maps import Drawn
from kernels.chains.insar_timeseries.points import Point
from kernels.chains.insar_timeseries.reference import StackReference
from kernels.geometry.map_grids import map_positions
from kernels.model import MapGrid, RadarGrid
from kernels.products.preview import looked_grid

_SPEED = 7500.0
"""Of satellites along their orbits [m/s]: shapes pictures only."""
_DEFAULT_SPACINGS = (60.0, 37.0)
"""Of cells in azimuth and slant range [m], where a stack does not tell."""
_LEAST_LIMIT = 1e-3


def draw_motion(
    inputs: Inputs,
    reference: StackReference,
    points: tuple[Point, ...],
    drawn: Drawn,
    *,
    grid: MapGrid | None,
    folder: Path,
    names: dict[str, str],
) -> float:
    """Draw velocity, displacement and points.

    Parameters
    ----------
    inputs : Inputs
        Days.
    reference : StackReference
        What motion is relative to.
    points : tuple of Point
        With displacement.
    drawn : Drawn
        Small versions of the maps.
    grid : MapGrid or None
        Of the maps; None: cells.
    folder : Path
        Receives the PNG files.
    names : dict of str to str
        Of the files, by output.

    Returns
    -------
    float
        Velocity at the ends of the colour bar [m/year].
    """
    from kernels.products.panels import ColourBar, Panel, panels_picture  # noqa: PLC0415
    from kernels.products.pictures import displacement_picture  # noqa: PLC0415
    from kernels.products.series_plot import PointSeries, points_picture  # noqa: PLC0415

    whole = grid or _radar_grid(inputs)
    span = f"{inputs.days[0]:%Y-%m-%d} to {inputs.days[-1]:%Y-%m-%d}"
    subtitle = f"{len(inputs.days)} dates, {len(inputs.numbers)} interferograms"
    limit = _limit(drawn.velocity)
    marks = np.empty((0, 2))
    if grid is not None and reference.outline.size:
        marks = np.stack(map_positions(grid, *reference.outline.T), axis=-1)
    displacement_picture(
        folder / names["velocity_picture"],
        displacement=drawn.velocity,
        grid=looked_grid(whole, drawn.looks),
        reference=marks,
        limit=limit,
        title=f"Velocity, {span}",
        subtitle=subtitle,
        label="Velocity [mm/year]",
    )
    largest = 1e3 * _limit(drawn.displacement)
    panels_picture(
        folder / names["displacement_picture"],
        panels=[
            Panel(f"{inputs.days[number]:%Y-%m-%d}", 1e3 * values)
            for number, values in zip(drawn.dates, drawn.displacement, strict=True)
        ],
        grid=looked_grid(whole, drawn.panel_looks),
        colours=ColourBar(
            label="Displacement [mm]",
            low=-largest,
            high=largest,
            colour_map="RdBu_r",
            note="+ towards the satellite",
        ),
        title=f"Displacement, {span}",
        subtitle=subtitle,
    )
    points_picture(
        folder / names["points_picture"],
        days=inputs.days,
        points=[
            PointSeries(
                name=f"{point.name}: {_told(point)}",
                displacement=point.displacement,
                fitted=point.fitted,
                note=point.place,
            )
            for point in points
        ],
        title=f"Displacement of points, {span}",
        subtitle=subtitle,
    )
    return limit


def _told(point: Point) -> str:
    if not np.isfinite(point.velocity):
        return "not reliable"
    return f"{1e3 * point.velocity:+.1f} ± {1e3 * point.velocity_error:.1f} mm/year"


def _limit(values: NDArray[np.float32]) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return max(float(np.percentile(finite, 99.0)), _LEAST_LIMIT) if finite.size else _LEAST_LIMIT


def _radar_grid(inputs: Inputs) -> RadarGrid:
    """Return a grid that shapes pictures of cells without places."""
    values = inputs.stack.attributes
    azimuth, across = _DEFAULT_SPACINGS
    if {"AZIMUTH_PIXEL_SIZE", "RANGE_PIXEL_SIZE"} <= values.keys():
        azimuth, across = float(values["AZIMUTH_PIXEL_SIZE"]), float(values["RANGE_PIXEL_SIZE"])
    return RadarGrid(
        epoch=datetime(2000, 1, 1),
        first_line_time=0.0,
        line_interval=azimuth / _SPEED,
        first_slant_range=0.0,
        slant_range_spacing=across,
        shape=inputs.stack.shape,
        wavelength=inputs.stack.wavelength,
    )
