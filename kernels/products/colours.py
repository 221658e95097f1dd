"""The colour wheel of wrapped phase, one for pictures and QGIS styles.

Hue runs once round at constant lightness and chroma of the Oklab space (B. Ottosson, "A
perceptual color space for image processing", 2020), so that no phase looks brighter than another
and lightness stays free for the amplitude. Phase 0 is green, +pi/2 (away from the radar) blue,
-pi/2 (towards it) orange, and +-pi magenta.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ZERO_HUE = np.radians(140.0)
_CHROMA = 0.17
"""Chroma over lightness: about the largest that the sRGB cube holds for every hue."""

_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def phase_colours(
    phase: NDArray[np.floating], lightness: NDArray[np.floating] | float = 0.75
) -> NDArray[np.float64]:
    """Colour wrapped phase.

    Parameters
    ----------
    phase : ndarray of float, any shape
        [rad].
    lightness : ndarray of float of the same shape, or float
        Oklab lightness, 0 (black) to 1 (white).

    Returns
    -------
    ndarray of float64, shape (..., 3)
        sRGB, 0 to 1; NaN where an input is NaN.
    """
    light = np.broadcast_to(np.asarray(lightness, np.float64), phase.shape)
    hue = phase + _ZERO_HUE
    oklab = np.stack([light, _CHROMA * light * np.cos(hue), _CHROMA * light * np.sin(hue)], axis=-1)
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0)
    gamma: NDArray[np.float64] = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, gamma)


def hexadecimal(colour: NDArray[np.floating]) -> str:
    """Write a colour as text.

    Parameters
    ----------
    colour : ndarray of float, shape (3,)
        sRGB, 0 to 1.

    Returns
    -------
    str
        For example #80c273.
    """
    return "#" + "".join(f"{round(float(c) * 255):02x}" for c in colour)
