"""Complex images with noise of their own, as time and thermal noise put it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from kernels.geometry.orbit import Orbit
from kernels.insar.deramp import AzimuthRamp
from kernels.model import SPEED_OF_LIGHT, PixelReader, Shape, SlcProduct

_TAPS = 33


@dataclass(frozen=True, slots=True, kw_only=True)
class Decorrelated:
    """Pixels of an image plus noise in the same bands, with the same power and ramp.

    Two images of unit coherence that both go through this have coherence 0.5 where `share` is 1,
    ``1 / (1 + share)`` in general. Noise follows from the line alone: every window shows the same.

    Attributes
    ----------
    image : SlcProduct
        Whose pixels are read.
    orbit : Orbit
        Of the image.
    seed : int
        Of the noise.
    amplitude : float
        Root mean square of the signal [digital numbers].
    share : float
        Power of the noise over that of the signal.
    constants : tuple of float
        Phases that are taken from the bursts, in their order [rad]; empty: none.
    """

    image: SlcProduct
    orbit: Orbit
    seed: int
    amplitude: float = 1000.0
    share: float = 1.0
    constants: tuple[float, ...] = ()

    @property
    def shape(self) -> Shape:
        """Lines and samples of the file."""
        return self._pixels.shape

    @property
    def _pixels(self) -> PixelReader:
        if self.image.pixels is None:
            raise ValueError(f"{self.image.name} was opened without its pixels")
        return self.image.pixels

    def read(
        self, first_line: int, lines: int, first_sample: int = 0, samples: int | None = None
    ) -> NDArray[np.complex64]:
        """Read a window of one burst, shape (lines, samples)."""
        pixels = self._pixels.read(first_line, lines, first_sample, samples)
        burst = self.image.bursts[first_line // self.image.bursts[0].grid.shape.lines]
        if self.share:
            noise = self._noise(first_line, lines)[:, first_sample : first_sample + pixels.shape[1]]
            ramp = AzimuthRamp.of(burst, self.orbit)
            y, x = np.mgrid[0:lines, first_sample : first_sample + pixels.shape[1]]
            cycles = ramp.cycles(y + float(first_line - burst.first_line), x.astype(np.float64))
            noise *= np.exp(-2j * np.pi * (cycles % 1.0)) * (pixels != 0.0)
            pixels = pixels + self.amplitude * np.sqrt(self.share) * noise
        if self.constants:
            pixels = pixels * np.exp(-1j * self.constants[burst.index])
        return pixels.astype(np.complex64)

    def _noise(self, first_line: int, lines: int) -> NDArray[np.complex128]:
        """Make noise of power 1 in the bands of the image."""
        grid, reach = self.image.bursts[0].grid, _TAPS // 2
        white = np.empty((lines + 2 * reach, self.shape.samples), np.complex128)
        for row in range(white.shape[0]):
            generator = np.random.default_rng((self.seed, first_line + row))
            real, imaginary = generator.standard_normal((2, white.shape[1]))
            white[row] = (real + 1j * imaginary) * np.sqrt(0.5)
        bands = (
            self.image.azimuth_bandwidth * grid.line_interval,
            self.image.range_bandwidth * 2.0 * grid.slant_range_spacing / SPEED_OF_LIGHT,
        )
        for axis, band in enumerate(bands):
            weights = scipy.signal.firwin(_TAPS, min(band, 0.99))
            weights /= np.sqrt(np.sum(weights**2))
            white = scipy.ndimage.convolve1d(white, weights, axis=axis, mode="wrap")
        return white[reach:-reach]
