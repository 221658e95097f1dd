"""Slow, plain mathematics to judge simulated products with, written apart from the project's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.interpolate import BarycentricInterpolator, RegularGridInterpolator

from kernels.model import SPEED_OF_LIGHT, Burst, Dem, SlcProduct
from kernels.simulation import BurstTruth

Array = NDArray[np.float64]

_TO_ECEF = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
HALF_WIDTH = 16


def ecef(longitude: Array, latitude: Array, height: Array) -> Array:
    """Earth-fixed coordinates, shape (..., 3), of degrees and metres."""
    return np.stack(_TO_ECEF.transform(longitude, latitude, height), axis=-1)


def geodetic(points: Array) -> tuple[Array, Array, Array]:
    """Longitude, latitude [degrees] and height [m]."""
    return _TO_ECEF.transform(*np.moveaxis(points, -1, 0), direction="INVERSE")


def orbit(product: SlcProduct, times: Array) -> tuple[Array, Array]:
    """Positions and velocities, shape (n, 3), at times on the clock of the product's grid."""
    vectors = product.state_vectors
    nodes = vectors.times + (vectors.epoch - product.grid.epoch).total_seconds()
    near = np.argsort(np.abs(nodes - times.mean()))[:10]
    shape = (*times.shape, 3)
    position = BarycentricInterpolator(nodes[near], vectors.positions[near])(times.ravel())
    velocity = BarycentricInterpolator(nodes[near], vectors.velocities[near])(times.ravel())
    return position.reshape(shape), velocity.reshape(shape)


def seen_times(truth: BurstTruth, product: SlcProduct) -> Array:
    """Zero-Doppler times of the truth on the clock of the product's grid."""
    return truth.zero_doppler_time + (truth.epoch - product.grid.epoch).total_seconds()


def surface(dem: Dem) -> RegularGridInterpolator:
    """Bilinear heights of (latitude, longitude)."""
    rows, columns = dem.heights.shape
    latitudes = dem.north + dem.latitude_step * np.arange(rows)
    longitudes = dem.west + dem.longitude_step * np.arange(columns)
    return RegularGridInterpolator(
        (latitudes[::-1], longitudes), dem.heights[::-1].astype(np.float64)
    )


def ramp(product: SlcProduct, burst: Burst, lines: Array, slant_ranges: Array) -> Array:
    """Phase phi [rad] of ESA COPE-GSEG-EOPG-TN-14-0025: baseband = slc exp(+j phi)."""
    grid = burst.grid
    tau = 2.0 * slant_ranges / SPEED_OF_LIGHT
    middle = grid.first_line_time + burst.mid_line * grid.line_interval
    speed = np.linalg.norm(orbit(product, np.array([middle]))[1])
    carrier = SPEED_OF_LIGHT / grid.wavelength
    ks = 2.0 * speed / SPEED_OF_LIGHT * carrier * burst.steering_rate
    ka, fdc = burst.fm_rate(tau), burst.doppler(tau)
    kt = ka * ks / (ka - ks)
    tau_middle = 2.0 / SPEED_OF_LIGHT * grid.slant_range(0.5 * (grid.shape.samples - 1))
    eta_ref = -fdc / ka + burst.doppler(tau_middle) / burst.fm_rate(tau_middle)
    x = (lines - burst.mid_line) * grid.line_interval - eta_ref
    return -np.pi * kt * x**2 - 2.0 * np.pi * fdc * x


def read_burst(product: SlcProduct, burst: Burst) -> NDArray[np.complex64]:
    """Pixels of a burst."""
    assert product.pixels is not None
    return product.pixels.read(burst.first_line, burst.grid.shape.lines)


def deramped(product: SlcProduct, burst: Burst) -> NDArray[np.complex128]:
    """Pixels of a burst at baseband."""
    lines = np.arange(burst.grid.shape.lines, dtype=np.float64)[:, None]
    ranges = burst.grid.slant_range(np.arange(burst.grid.shape.samples, dtype=np.float64))
    phase = ramp(product, burst, lines, ranges[None, :])
    return read_burst(product, burst) * np.exp(1j * phase)


def interpolate(
    image: NDArray[np.complex128], lines: Array, samples: Array
) -> NDArray[np.complex128]:
    """Values at points (n,) by a Kaiser-windowed sinc of 32 taps; NaN near the edges."""
    n = HALF_WIDTH
    values = np.full(lines.shape, np.nan, np.complex128)
    taps = np.arange(-n + 1, n + 1)
    for k in range(lines.size):
        i, j = int(np.floor(lines[k])), int(np.floor(samples[k]))
        window = image[max(i - n + 1, 0) : i + n + 1, max(j - n + 1, 0) : j + n + 1]
        if window.shape == (2 * n, 2 * n):
            values[k] = _taps(lines[k] - i - taps) @ window @ _taps(samples[k] - j - taps)
    return values


def _taps(offsets: Array) -> Array:
    return np.sinc(offsets) * np.i0(4.0 * np.sqrt(1.0 - (offsets / HALF_WIDTH) ** 2)) / np.i0(4.0)


def coregistered(
    reference: SlcProduct,
    secondary: SlcProduct,
    truth: BurstTruth,
    *,
    every: tuple[int, int] = (1, 1),
    moved: bool = False,
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Pixels of the reference and the flattened secondary at points of the truth, shape (n,).

    The secondary is deramped, interpolated where geometry puts the point, and turned back by its
    own ramp at that fractional place; points near edges, layover or shadow are left out. With
    `moved`, the displacement is taken out as well.
    """
    burst = reference.bursts[truth.burst]
    other = secondary.bursts[truth.secondary_burst]
    pick = np.ix_(
        np.arange(0, truth.lines.size, every[0]), np.arange(0, truth.samples.size, every[1])
    )
    lines, samples = np.meshgrid(truth.lines, truth.samples, indexing="ij")
    lines, samples = lines[pick].ravel(), samples[pick].ravel()
    change = truth.range_change[pick].ravel() if moved else np.zeros(lines.size)
    line = truth.secondary_line[pick].ravel()
    # the time of a line depends on the range by the bistatic term, 1e-8 line for a centimetre
    sample = truth.secondary_sample[pick].ravel() + change / other.grid.slant_range_spacing
    value = interpolate(deramped(secondary, other), line, sample)
    value *= np.exp(-1j * ramp(secondary, other, line, truth.slant_range[pick].ravel() + change))
    pixel = read_burst(reference, burst)[lines, samples]
    flat = 4.0 * np.pi / burst.grid.wavelength * (truth.range_difference[pick].ravel() + change)
    edge = other.first_valid_sample[np.clip(line.astype(int), 0, other.grid.shape.lines - 1)]
    inner = (line > 2 * HALF_WIDTH + 20) & (line < other.grid.shape.lines - 2 * HALF_WIDTH - 20)
    inner &= sample > edge + 2 * HALF_WIDTH
    inner &= sample < other.grid.shape.samples - 1 - edge - 2 * HALF_WIDTH
    inner &= truth.mask[lines - truth.mask_first_line, samples] == 0
    inner &= np.isfinite(value) & (pixel != 0)
    value, pixel, flat = value[inner], pixel[inner], flat[inner]
    # m conj(s) has phase +4 pi / lambda (R_s - R_m).
    return pixel.astype(np.complex128), value * np.exp(1j * flat)


def coherence(first: NDArray[np.complex128], second: NDArray[np.complex128]) -> float:
    """Of two coregistered arrays."""
    power = np.sqrt(np.sum(np.abs(first) ** 2) * np.sum(np.abs(second) ** 2))
    return float(np.abs(np.sum(first * np.conj(second))) / power)
