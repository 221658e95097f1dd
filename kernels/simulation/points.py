"""Point targets, and the cells of independent scatterers, as a burst sees them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.simulation.locate_numba import (
    Terrain,
    Vector,
    cartesian,
    orbit_position,
    terrain_height,
)
from kernels.simulation.mapping_numba import (
    TIME_TOLERANCE,
    ground_under,
    pixel_time,
    see_point,
    view_line,
)
from kernels.simulation.reflectivity import OVERSAMPLING, Kernel
from kernels.simulation.scatterers_numba import Cells, kernel_value, point_phase
from kernels.simulation.scene import PointTarget, Scene
from kernels.simulation.view import View

_METRES_PER_DEGREE = 111_320.0
_MARGIN = 400.0


class SeenTarget(NamedTuple):
    """A point target in a burst.

    Zero-Doppler time [s on the view's clock], geometric slant range [m], its lengthening [m],
    line without misregistration, sample, height [m] and complex value of the peak at baseband.
    """

    time: float
    slant_range: float
    change: float
    line: float
    sample: float
    height: float
    value: complex


def see_target(view: View, terrain: Terrain, target: PointTarget, kernel: Kernel) -> SeenTarget:
    """Find where a burst sees a point target, be it inside the burst or not.

    Parameters
    ----------
    view : View
        Of the burst.
    terrain : Terrain
        That the target stands on.
    target : PointTarget
        The target.
    kernel : Kernel
        Of the swath.

    Returns
    -------
    SeenTarget
        Coordinates and value.
    """
    height = terrain_height(terrain, target.longitude, target.latitude)
    point = cartesian(target.longitude, target.latitude, height)
    time, distance, change = see_point(view, point, height, view.orbit.middle, TIME_TOLERANCE)
    line = view_line(view, time, distance)
    peak = kernel_value(kernel.azimuth, 0.0) * kernel_value(kernel.range, 0.0)
    return SeenTarget(
        time=time,
        slant_range=distance,
        change=change,
        line=line,
        sample=(distance + change - view.first_range) / view.range_spacing,
        height=height,
        value=target.amplitude / peak * point_phase(view, line, distance + change),
    )


def cells_under(
    scene: Scene, terrain: Terrain, view: View, *, lines: int, samples: int, spacing: float
) -> Cells:
    """Cells of scatterers that cover a burst; any burst of any date has the same ones.

    Parameters
    ----------
    scene : Scene
        Its elevation model fixes the lattice of the cells.
    terrain : Terrain
        Of the scene.
    view : View
        Of the burst.
    lines, samples : int
        Of the burst.
    spacing : float
        Side of a cell [m].

    Returns
    -------
    Cells
        A box of longitude and latitude around the burst.
    """
    middle = scene.dem.north + 0.5 * scene.dem.latitude_step * (scene.dem.heights.shape[0] - 1)
    latitude_step = spacing / _METRES_PER_DEGREE
    longitude_step = latitude_step / math.cos(math.radians(middle))
    longitudes, latitudes, incidence = _outline(view, terrain, lines, samples)
    relief = terrain.highest - terrain.lowest
    margin = (relief / math.tan(incidence) + _MARGIN) / _METRES_PER_DEGREE
    rows = latitudes / latitude_step
    columns = longitudes / longitude_step
    above, beside = margin / latitude_step, margin / longitude_step / math.cos(math.radians(middle))
    first_row, first_column = math.floor(rows.min() - above), math.floor(columns.min() - beside)
    ground_spacing = view.range_spacing / OVERSAMPLING / math.sin(incidence)
    line_spacing = _line_spacing(view, terrain, lines)
    return Cells(
        longitude_step,
        latitude_step,
        first_row,
        first_column,
        math.ceil(rows.max() + above) - first_row,
        math.ceil(columns.max() + beside) - first_column,
        spacing / math.sqrt(ground_spacing * line_spacing),
    )


def _outline(
    view: View, terrain: Terrain, lines: int, samples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Longitudes and latitudes around a burst [degrees], incidence angle in the middle [rad]."""
    edge = 40.0
    points = [
        _ground(view, terrain, float(line), float(sample))
        for line in np.linspace(-edge, lines - 1 + edge, 5)
        for sample in np.linspace(-edge, samples - 1 + edge, 5)
    ]
    longitudes, latitudes = (np.array([p[k] for p in points]) for k in (0, 1))
    platform = orbit_position(view.orbit, pixel_time(view, 0.5 * (lines - 1), view.first_range))
    middle = points[len(points) // 2]
    ground = np.array(cartesian(*middle))
    back = np.array(platform) - ground
    cosine = float(ground @ back) / float(np.linalg.norm(ground) * np.linalg.norm(back))
    return longitudes, latitudes, math.acos(cosine)


def _line_spacing(view: View, terrain: Terrain, lines: int) -> float:
    """Distance on the ground between lines [m]."""
    first, last = (np.array(cartesian(*_ground(view, terrain, n, 0.0))) for n in (0.0, lines - 1.0))
    return float(np.linalg.norm(last - first)) / (lines - 1)


def _ground(view: View, terrain: Terrain, line: float, sample: float) -> Vector:
    """Longitude, latitude [degrees] and height [m] under a pixel."""
    sight = ground_under(view, terrain, line, sample)
    return sight.longitude, sight.latitude, sight.height
