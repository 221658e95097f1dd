"""The colour wheel is cyclic, even, and at the documented hues."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.products.colours import hexadecimal, phase_colours

# Linear sRGB to cone responses to Oklab, as published (the code holds the inverse direction).
RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LMS_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo the transfer curve of IEC 61966-2-1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("lightness", [0.4, 0.6, 0.75])
def test_hue_turns_with_the_phase_at_constant_lightness_and_chroma(lightness: float) -> None:
    phase = np.linspace(-np.pi, np.pi, 361)
    lms = linear(phase_colours(phase, lightness)) @ RGB_TO_LMS.T
    oklab = np.cbrt(lms) @ LMS_TO_OKLAB.T
    hue = np.arctan2(oklab[:, 2], oklab[:, 1])
    turned = np.angle(np.exp(1j * (hue - phase - np.radians(140.0))))
    # 1e-3: the published matrices have ten digits, and the cube's faces clip a little.
    np.testing.assert_allclose(oklab[:, 0], lightness, atol=1e-3)
    np.testing.assert_allclose(np.hypot(oklab[:, 1], oklab[:, 2]), 0.17 * lightness, atol=1e-3)
    np.testing.assert_allclose(turned, 0.0, atol=1e-2)


@pytest.mark.parametrize(
    ("phase", "hue"), [(0.0, 110.0), (np.pi / 2, 200.0), (np.pi, 290.0), (-np.pi / 2, 22.0)]
)
def test_green_blue_magenta_orange(phase: float, hue: float) -> None:
    red, green, blue = phase_colours(np.array(phase))
    # Names of colours are good to some 20 degrees of the HSV hue.
    assert 360.0 * colorsys.rgb_to_hsv(red, green, blue)[0] == pytest.approx(hue, abs=20.0)


def test_both_ends_have_one_colour() -> None:
    np.testing.assert_allclose(
        phase_colours(np.array(np.pi)), phase_colours(np.array(-np.pi)), atol=1e-12
    )


def test_lightness_follows_the_pixel_and_missing_stays_missing() -> None:
    colours = phase_colours(np.array([0.5, 0.5, np.nan]), np.array([0.3, 0.8, 0.5]))
    assert (colours[0] < colours[1]).all()
    assert np.isnan(colours[2]).all()


def test_hexadecimal() -> None:
    assert hexadecimal(np.array([1.0, 0.5, 0.0])) == "#ff8000"
