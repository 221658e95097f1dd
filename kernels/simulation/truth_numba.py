"""True coordinates of ground points."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.simulation.locate_numba import (
    Terrain,
    find_ground,
    first_sight,
    geodetic,
)
from kernels.simulation.mapping_numba import pixel_time, see_point, view_line
from kernels.simulation.view import View

_HEIGHT = 1e-8
_TIME = 1e-13


@njit(cache=True, nogil=True)
def ground_truth(
    view: View, terrain: Terrain, lines: NDArray[np.int64], samples: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Ground points under pixels of the reference, solved to 1e-8 m.

    Returns
    -------
    ndarray of float64, shape (7, lines, samples)
        Longitude, latitude [degrees], height [m], ECEF x, y, z [m], change of the range [m].
    """
    found = np.empty((7, lines.size, samples.size))
    for i in range(lines.size):
        near = view.first_range + samples[0] * view.range_spacing
        sight = first_sight(view.orbit, terrain, pixel_time(view, lines[i], near), near)
        for j in range(samples.size):
            slant_range = view.first_range + samples[j] * view.range_spacing
            time = pixel_time(view, lines[i], slant_range)
            for _ in range(2):
                sight = find_ground(
                    view.orbit, terrain, view.motion, time, slant_range, sight, _HEIGHT
                )
            found[0, i, j], found[1, i, j], found[2, i, j] = geodetic(sight.x, sight.y, sight.z)
            found[3, i, j], found[4, i, j], found[5, i, j] = sight.x, sight.y, sight.z
            found[6, i, j] = sight.change
    return found


@njit(cache=True, nogil=True)
def image_truth(view: View, ground: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where an image sees ground points.

    Parameters
    ----------
    view : View
        Of the burst of the image.
    ground : ndarray of float64, shape (7, lines, samples)
        From ground_truth.

    Returns
    -------
    ndarray of float64, shape (5, lines, samples)
        Zero-Doppler time [s on the view's clock], geometric slant range [m], line and sample
        without misregistration, change of the range [m].
    """
    found = np.empty((5, ground.shape[1], ground.shape[2]))
    seed = view.orbit.middle
    for i in range(ground.shape[1]):
        for j in range(ground.shape[2]):
            point = (ground[3, i, j], ground[4, i, j], ground[5, i, j])
            seed, distance, change = see_point(view, point, ground[2, i, j], seed, _TIME)
            found[0, i, j], found[1, i, j], found[4, i, j] = seed, distance, change
            found[2, i, j] = view_line(view, seed, distance)
            found[3, i, j] = (distance - view.first_range) / view.range_spacing
    return found
