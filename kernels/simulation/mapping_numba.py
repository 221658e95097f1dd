"""From the pixels of a burst to coordinates on the reflectivity's lattice, and to numbers.

The model of an image: a focused image carries the phase of each scatterer, not of the pixel, so

    reference pixel:  W(t, R) exp(-j phi_r)
    other pixel:      W(t_r, R_r) exp(-j 4 pi (R - R_r) / lambda) exp(-j phi_r)

where P is the ground point under the pixel, (t_r, R_r) its coordinates in the reference orbit, R
the pixel's own range and phi_r the ramp of the *reference* burst at P: focusing keeps phases, so
the ramp turns about each scatterer, and at one scatterer two images differ by the path alone.
The spectrum of the other image thus is off its own annotated centre by the difference of both
Doppler centroids at P, a few hertz where bursts are well synchronised.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.model import SPEED_OF_LIGHT
from kernels.simulation.locate_numba import (
    Sight,
    Terrain,
    Vector,
    find_ground,
    find_zero_doppler,
    first_sight,
    orbit_position,
    range_change,
    terrain_height,
)
from kernels.simulation.view import Ramp, View

HEIGHT_TOLERANCE = 1e-3
"""Of ground points under pixels [m]; on a baseline of 100 m, 1e-7 m of range difference."""

TIME_TOLERANCE = 1e-9
"""Of the last step of the zero-Doppler iteration [s]; the result is much better."""

_SEA_MARGIN = 0.5


class Appearance(NamedTuple):
    """Amplitudes in digital numbers and coherences of land and sea."""

    amplitude: float
    sea_amplitude: float
    sea_height: float
    land_coherence: float
    sea_coherence: float
    noise: float
    relief: bool


class Frame(NamedTuple):
    """Lattice coordinates: row = (time - start) / interval, column = range / step."""

    start: float
    line_interval: float
    range_step: float


@njit(cache=True, nogil=True)
def polynomial(coefficients: NDArray[np.float64], x: float) -> float:
    """Value of a polynomial, lowest order first."""
    value = 0.0
    for k in range(coefficients.size - 1, -1, -1):
        value = value * x + coefficients[k]
    return value


@njit(cache=True, nogil=True)
def ramp_cycles(ramp: Ramp, line: float, line_interval: float, slant_range: float) -> float:
    """Evaluate the ramp phi / (2 pi) at a line and slant range: baseband = slc exp(+j phi)."""
    tau = 2.0 / SPEED_OF_LIGHT * slant_range
    doppler = polynomial(ramp.doppler, tau - ramp.doppler_origin)
    rate = polynomial(ramp.rate, tau - ramp.rate_origin)
    eta = (line - ramp.middle_line) * line_interval + doppler / rate + ramp.middle_reference
    steep = rate * ramp.steering / (rate - ramp.steering)
    return -(0.5 * steep * eta + doppler) * eta


@njit(cache=True, nogil=True)
def pixel_time(view: View, line: float, slant_range: float) -> float:
    """Zero-Doppler time of a fractional line at a slant range."""
    annotated = view.first_line_time + line * view.line_interval
    return annotated + (slant_range - view.bistatic_range) * view.bistatic_rate


@njit(cache=True, nogil=True)
def view_line(view: View, time: float, slant_range: float) -> float:
    """Fractional line of a zero-Doppler time at a slant range."""
    annotated = time - (slant_range - view.bistatic_range) * view.bistatic_rate
    return (annotated - view.first_line_time) / view.line_interval


@njit(cache=True, nogil=True)
def ground_under(view: View, terrain: Terrain, line: float, sample: float) -> Sight:
    """Ground point under one fractional pixel."""
    slant_range = view.first_range + sample * view.range_spacing
    time = pixel_time(view, line, slant_range)
    sight = first_sight(view.orbit, terrain, time, slant_range)
    for _ in range(2):
        sight = find_ground(
            view.orbit, terrain, view.motion, time, slant_range, sight, HEIGHT_TOLERANCE
        )
    return sight


@njit(cache=True, nogil=True)
def see_point(
    view: View, point: Vector, height: float, seed: float, tolerance: float
) -> tuple[float, float, float]:
    """Zero-Doppler time, geometric slant range and its lengthening at a ground point."""
    time, distance = find_zero_doppler(view.orbit, point, seed, tolerance)
    platform = orbit_position(view.orbit, time)
    return time, distance, range_change(view.motion, point, height, platform, distance)


@njit(cache=True, nogil=True)
def slope_gain(terrain: Terrain, sight: Sight, platform: Vector) -> float:
    """Amplitude of a slope against level ground, from the local incidence angle."""
    step_x, step_y = 0.5 * terrain.longitude_step, 0.5 * terrain.latitude_step
    lon, lat = sight.longitude, sight.latitude
    cos_lat = math.cos(math.radians(lat))
    east = terrain_height(terrain, lon + step_x, lat) - terrain_height(terrain, lon - step_x, lat)
    north = terrain_height(terrain, lon, lat + step_y) - terrain_height(terrain, lon, lat - step_y)
    east /= 2.0 * step_x * 111_320.0 * cos_lat
    north /= 2.0 * step_y * 110_900.0
    sin_lon, cos_lon = math.sin(math.radians(lon)), math.cos(math.radians(lon))
    sin_lat = math.sin(math.radians(lat))
    dx, dy, dz = platform[0] - sight.x, platform[1] - sight.y, platform[2] - sight.z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    to_east = (-sin_lon * dx + cos_lon * dy) / distance
    to_north = (-sin_lat * (cos_lon * dx + sin_lon * dy) + cos_lat * dz) / distance
    to_up = (cos_lat * (cos_lon * dx + sin_lon * dy) + sin_lat * dz) / distance
    facing = (to_up - east * to_east - north * to_north) / math.sqrt(1.0 + east**2 + north**2)
    facing = max(facing, 0.05)
    # Power as cos^2 of the incidence (Lambert), over the ground that shares a range cell.
    power = facing**2 / max(math.sqrt(1.0 - min(facing, 1.0) ** 2), 0.1)
    level = to_up**2 / math.sqrt(1.0 - to_up**2)
    return math.sqrt(power / level)


@njit(cache=True, nogil=True)
def level_looks(looks: Appearance, height: float) -> tuple[float, float]:
    """Amplitude of level ground at a height, sea or land, and its coherence."""
    if height < looks.sea_height + _SEA_MARGIN:
        return looks.sea_amplitude, looks.sea_coherence
    return looks.amplitude, looks.land_coherence


@njit(cache=True, nogil=True)
def pixel_weights(
    looks: Appearance, terrain: Terrain, sight: Sight, view: View, time: float
) -> tuple[float, float]:
    """Amplitudes of the common reflectivity and of the date's own, thermal noise included."""
    amplitude, coherence = level_looks(looks, sight.height)
    if looks.relief and sight.height >= looks.sea_height + _SEA_MARGIN:
        amplitude *= slope_gain(terrain, sight, orbit_position(view.orbit, time))
    own = amplitude * amplitude * (1.0 - coherence) + looks.noise * looks.noise
    return amplitude * math.sqrt(coherence), math.sqrt(own)


@njit(cache=True, nogil=True)
def map_lines(
    view: View,
    reference: View,
    terrain: Terrain,
    looks: Appearance,
    frame: Frame,
    first_line: int,
    first_valid: NDArray[np.int32],
    last_valid: NDArray[np.int32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    cycles: NDArray[np.float32],
    common: NDArray[np.float32],
    own: NDArray[np.float32],
) -> None:
    """Fill, for the valid pixels of some lines, where they lie on the lattice and their weights.

    `view` and `reference` may have clocks of their own. All arrays have shape (lines, samples);
    `cycles` is the phase to turn the reflectivity by, over 2 pi.
    """
    for i in range(rows.shape[0]):
        if first_valid[i] < 0:
            continue
        line = first_line + i + view.misregistration
        near = view.first_range + first_valid[i] * view.range_spacing
        sight = first_sight(view.orbit, terrain, pixel_time(view, line, near), near)
        seed, advance = reference.orbit.middle, 0.0
        for j in range(first_valid[i], last_valid[i] + 1):
            slant_range = view.first_range + j * view.range_spacing
            time = pixel_time(view, line, slant_range)
            sight = find_ground(
                view.orbit, terrain, view.motion, time, slant_range, sight, HEIGHT_TOLERANCE
            )
            last = seed
            seed, distance = find_zero_doppler(
                reference.orbit, (sight.x, sight.y, sight.z), seed + advance, TIME_TOLERANCE
            )
            advance = seed - last if j > first_valid[i] else 0.0
            rows[i, j] = (seed - frame.start) / frame.line_interval
            columns[i, j] = distance / frame.range_step
            turn = -2.0 * (slant_range - distance) / view.wavelength - ramp_cycles(
                reference.ramp,
                view_line(reference, seed, distance),
                reference.line_interval,
                distance,
            )
            cycles[i, j] = turn - round(turn)
            common[i, j], own[i, j] = pixel_weights(looks, terrain, sight, view, time)


@njit(cache=True, nogil=True)
def map_reference_lines(
    view: View,
    amplitude: float,
    frame: Frame,
    first_line: int,
    first_valid: NDArray[np.int32],
    last_valid: NDArray[np.int32],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    cycles: NDArray[np.float32],
    common: NDArray[np.float32],
) -> None:
    """Fill coordinates in the view's own orbit, its ramp and one amplitude: no ground is needed."""
    for i in range(rows.shape[0]):
        if first_valid[i] < 0:
            continue
        line = first_line + i + view.misregistration
        for j in range(first_valid[i], last_valid[i] + 1):
            slant_range = view.first_range + j * view.range_spacing
            time = pixel_time(view, line, slant_range)
            rows[i, j] = (time - frame.start) / frame.line_interval
            columns[i, j] = slant_range / frame.range_step
            turn = -ramp_cycles(view.ramp, line, view.line_interval, slant_range)
            cycles[i, j] = turn - round(turn)
            common[i, j] = amplitude


@njit(cache=True, nogil=True)
def turn(image: NDArray[np.complex64], cycles: NDArray[np.float32]) -> None:
    """Multiply an image by exp(j 2 pi cycles), in place."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            angle = 2.0 * math.pi * cycles[i, j]
            image[i, j] *= complex(math.cos(angle), math.sin(angle))


@njit(cache=True, nogil=True)
def quantise(image: NDArray[np.complex64], pixels: NDArray[np.int16]) -> None:
    """Round an image to pairs of int16, shape (lines, samples, 2)."""
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            pixels[i, j, 0] = min(max(round(image[i, j].real), -32768), 32767)
            pixels[i, j, 1] = min(max(round(image[i, j].imag), -32768), 32767)
