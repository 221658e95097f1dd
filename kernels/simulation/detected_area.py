"""Brightness of relief: beta nought of a ground of constant gamma nought."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.simulation.detected_area_numba import Lattice, Reflectivity, add_facets
from kernels.simulation.detected_numba import GroundView, pixel_slant_range, record_place
from kernels.simulation.detected_view import ground_point, level_terrain, range_point
from kernels.simulation.locate_numba import Terrain

_FACET = 16.0
"""Longest side of a facet [m], below two pixels."""

_METRES_PER_DEGREE = 111_320.0
_MARGIN = 3.0
_NODES = 17
_STEP = 20.0


def relief_beta_nought(
    view: GroundView,
    terrain: Terrain,
    band: Band,
    *,
    samples: int,
    reflectivity: Reflectivity,
) -> NDArray[np.float32]:
    """Beta nought of every pixel of some lines, from sums over the facets of the terrain.

    ``beta_nought = sum(gamma_nought * A_gamma) / A_beta`` (Small 2011), with
    A_gamma the area of a facet projected along the line of sight and A_beta the pixel's area in
    the slant plane. Level ground gives ``gamma_nought / tan(incidence)``.

    Parameters
    ----------
    view : GroundView
        Of the image.
    terrain : Terrain
        Level beyond its edges.
    band : Band
        Lines.
    samples : int
        Of a line.
    reflectivity : Reflectivity
        Gamma nought of the ground.

    Returns
    -------
    ndarray of float32, shape (lines, samples)
        Without point spread, so borders between bright and dark pixels are sharp.
    """
    total = np.zeros((band.rows, samples))
    lattice = _facets_under(view, terrain, band, samples)
    add_facets(view, terrain, lattice, reflectivity, band.first, total)
    beta: NDArray[np.float32] = (total / _slant_areas(view, band, samples)).astype(np.float32)
    return beta


def _facets_under(view: GroundView, terrain: Terrain, band: Band, samples: int) -> Lattice:
    """Lattice that covers some lines, wherever between the extreme heights the ground may be."""
    places = [
        ground_point(view, level_terrain(height), line, pixel)
        for height in (terrain.lowest, terrain.highest)
        for line in np.linspace(band.first - _MARGIN, band.first + band.rows + _MARGIN, 5)
        for pixel in np.linspace(-_MARGIN, samples + _MARGIN, 9)
    ]
    latitudes = np.array([place.latitude for place in places])
    longitudes = np.array([place.longitude for place in places])
    longitudes[longitudes < terrain.west - 180.0] += 360.0
    shrink = math.cos(math.radians(float(latitudes.mean())))
    height_side = abs(terrain.latitude_step) * _METRES_PER_DEGREE
    width_side = terrain.longitude_step * _METRES_PER_DEGREE * shrink
    latitude_step = terrain.latitude_step / math.ceil(height_side / _FACET)
    longitude_step = terrain.longitude_step / math.ceil(width_side / _FACET)
    rows = np.sort((latitudes - terrain.north) / latitude_step)
    columns = np.sort((longitudes - terrain.west) / longitude_step)
    first_row, first_column = math.floor(rows[0]) - 1, math.floor(columns[0]) - 1
    return Lattice(
        first_row=first_row,
        first_column=first_column,
        rows=math.ceil(rows[-1]) + 2 - first_row,
        columns=math.ceil(columns[-1]) + 2 - first_column,
        latitude_step=latitude_step,
        longitude_step=longitude_step,
    )


def _slant_areas(view: GroundView, band: Band, samples: int) -> NDArray[np.float64]:
    """Area of every pixel in the slant plane [m2]: slant range step times distance of lines.

    The distance between lines is that on the ellipsoid.
    """
    ground = np.arange(samples) * view.spacing
    lines = np.arange(band.first, band.first + band.rows)
    places = np.array([record_place(view, float(line)) for line in lines])
    records = np.arange(view.record_times.size)
    steps = np.stack(
        [
            polynomial.polyval(
                ground - view.ground_origins[k], polynomial.polyder(view.to_slant[k])
            )
            for k in records
        ]
    )
    weights = np.maximum(1.0 - np.abs(places[:, None] - records), 0.0)
    areas: NDArray[np.float64] = view.spacing * (weights @ steps)
    ends = band.first, band.first + band.rows - 1
    first, last = (_line_distances(view, float(line), samples) for line in ends)
    share = (lines - ends[0]) / max(band.rows - 1, 1)
    areas *= first + share[:, None] * (last - first)
    return areas


def _line_distances(view: GroundView, line: float, samples: int) -> NDArray[np.float64]:
    """Distance on the ellipsoid between lines at every pixel [m]."""
    flat = level_terrain(0.0)
    nodes = np.linspace(0, samples - 1, _NODES)
    distances = []
    for node in nodes:
        # at one slant range, as the conversion may change between the two lines
        slant_range = pixel_slant_range(view, line, float(node))
        ends = [range_point(view, flat, line + end, slant_range) for end in (-_STEP, _STEP)]
        first, last = ((end.x, end.y, end.z) for end in ends)
        distances.append(math.dist(first, last) / (2.0 * _STEP))
    along: NDArray[np.float64] = np.interp(np.arange(samples), nodes, np.array(distances))
    return along
