"""Pixels of detected images: backscatter through calibration, noise, speckle and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from kernels.engine.bands import Band
from kernels.errors import RequestError
from kernels.model import GrdProduct, NoiseLut, Shape
from kernels.simulation.detected_area import relief_beta_nought
from kernels.simulation.detected_area_numba import Reflectivity
from kernels.simulation.detected_numba import (
    GroundView,
    add_points,
    add_speckle,
    to_digital_numbers,
)
from kernels.simulation.detected_view import SeenTargets
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.scene import Scene

Quantity = Literal["gamma", "sigma_nought", "beta_nought"]

_QUANTILES = 65_536
_BURST_LINES = 950
"""Lines between steps of the borders, about those of a burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Brightness of the ground under the targets.

    Attributes
    ----------
    level : float
        Mean backscatter [1]; without quantity, mean square of the digital numbers.
    quantity : {"gamma", "sigma_nought", "beta_nought"} or None
        What is constant, by the product's own calibration vectors (linear between vectors and
        between samples): ``DN**2 / vector**2 = level``. None: the digital numbers themselves.
    looks : float or None
        Of the speckle, whose intensity has a gamma distribution; None: no speckle.
    noise : bool
        Whether the product's thermal noise is added to the power, before speckle.
    relief : bool
        Whether `level` is the gamma nought of the true surface, whose slopes then are brighter
        or darker by their projected area; with the quantity gamma only.
    sea_level : float or None
        Gamma nought of what is at or below the scene's height of the sea, with relief only;
        None: as land.
    cross_ratio : float
        Level of crossed polarisations as share of `level`.
    """

    level: float = 0.1
    quantity: Quantity | None = "gamma"
    looks: float | None = 4.4
    noise: bool = False
    relief: bool = False
    sea_level: float | None = None
    cross_ratio: float = 0.2

    def __post_init__(self) -> None:
        """Check the numbers; raises RequestError naming the one that breaks its rule."""
        for name in ("level", "looks", "sea_level", "cross_ratio"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < np.inf:
                raise RequestError(name, "above 0", value)
        if self.relief and self.quantity != "gamma":
            raise RequestError("relief", "used with the quantity gamma", self.quantity)
        if self.sea_level is not None and not self.relief:
            raise RequestError("sea_level", "used with relief", self.sea_level)

    def share(self, polarisation: str) -> float:
        """Factor to the level of a polarisation."""
        return 1.0 if polarisation[0] == polarisation[1] else self.cross_ratio


class Borders(NamedTuple):
    """Valid part of an image, both ends included: samples by line and lines by sample."""

    first_sample: NDArray[np.int32]
    last_sample: NDArray[np.int32]
    first_line: NDArray[np.int32]
    last_line: NDArray[np.int32]


def make_borders(
    shape: Shape, width: int, *, at_start: bool = True, at_end: bool = True
) -> Borders:
    """Lay borders of zeros around an image, as wide as asked where they are widest.

    Parameters
    ----------
    shape : Shape
        Of the image.
    width : int
        Lines and samples; 0: everything is valid.
    at_start, at_end : bool
        Whether the first and last lines have a border: where slices meet there is none.

    Returns
    -------
    Borders
        Stepped from burst to burst along the sides, and from swath to swath (thirds of the
        image) at the top and bottom.
    """
    lines, samples = shape
    burst = np.arange(lines) // _BURST_LINES
    swath = np.arange(samples) * 3 // samples
    return Borders(
        first_sample=(width * (2 + burst % 3) // 4).astype(np.int32),
        last_sample=(samples - 1 - width * (2 + (burst + 1) % 3) // 4).astype(np.int32),
        first_line=(at_start * width * (swath + 2) // 4).astype(np.int32),
        last_line=(lines - 1 - at_end * width * (4 - swath) // 4).astype(np.int32),
    )


class Plane(NamedTuple):
    """Rows of values at all samples of some lines; linear between them, level beyond."""

    lines: NDArray[np.float64]
    values: NDArray[np.float32]

    def at(self, band: Band) -> NDArray[np.float32]:
        """Values of the lines of a band."""
        if self.lines.size == 1:
            return np.repeat(self.values, band.rows, axis=0)
        lines = np.arange(band.first, band.first + band.rows)
        last = self.lines.size - 2
        row = np.clip(np.searchsorted(self.lines, lines, side="right") - 1, 0, last)
        share = (lines - self.lines[row]) / (self.lines[row + 1] - self.lines[row])
        weight = np.clip(share, 0.0, 1.0).astype(np.float32)[:, None]
        values: NDArray[np.float32] = self.values[row] * (np.float32(1.0) - weight)
        values += self.values[row + 1] * weight
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedImage:
    """What the pixels of one image follow from.

    Attributes
    ----------
    product : GrdProduct
        The image.
    background : Background
        Of the ground.
    seed : int
        Of the speckle.
    targets : SeenTargets
        Bright points.
    borders : Borders
        Valid part.
    calibration : Plane or None
        Vectors of the quantity; None without quantity.
    noise : Plane or None
        Noise along range; None: no noise is added.
    speckle : ndarray of float32, shape (65536,), or None
        Quantiles of the intensity.
    beta_nought : ndarray of float32, shape (lines, samples), or None
        Of relief, for the lines from `first_line` on.
    first_line : int
        See `beta_nought`.
    """

    product: GrdProduct
    background: Background
    seed: int
    targets: SeenTargets
    borders: Borders
    calibration: Plane | None
    noise: Plane | None
    speckle: NDArray[np.float32] | None
    beta_nought: NDArray[np.float32] | None
    first_line: int = 0

    def render(self, band: Band) -> NDArray[np.uint16]:
        """Amplitudes of some lines, shape (lines, samples)."""
        power = self._signal(band)
        if self.noise is not None and self.product.noise is not None:
            power += self.noise.at(band) * _azimuth_noise(self.product.noise, band, power.shape[1])
        if self.speckle is not None:
            add_speckle(power, self.speckle, self.seed, band.first)
        seen = self.targets
        add_points(power, band.first, seen.line, seen.pixel, seen.peak)
        sides = self.borders.first_sample, self.borders.last_sample
        ends = self.borders.first_line, self.borders.last_line
        return to_digital_numbers(power, band.first, sides, ends)

    def _signal(self, band: Band) -> NDArray[np.float32]:
        """Mean square of the digital numbers, without noise."""
        share = self.background.share(self.product.polarisation)
        level = np.float32(self.background.level * share)
        if self.calibration is None:
            return np.full((band.rows, self.product.grid.shape.samples), level, np.float32)
        power = self.calibration.at(band)
        power *= power
        if self.beta_nought is None:
            power *= level
        else:
            start = band.first - self.first_line
            power *= self.beta_nought[start : start + band.rows] * np.float32(share)
        return power


def plan_image(
    product: GrdProduct,
    scene: Scene,
    background: Background,
    *,
    terrain: Terrain,
    view: GroundView,
    band: Band,
    targets: SeenTargets,
    borders: Borders,
    seed: int,
    beta_nought: NDArray[np.float32] | None = None,
) -> DetectedImage:
    """Gather what the pixels of an image follow from.

    Parameters
    ----------
    product : GrdProduct
        The image.
    scene : Scene
        Gives the height of the sea.
    background : Background
        Brightness.
    terrain : Terrain
        Of the scene.
    view : GroundView
        Of the image.
    band : Band
        Lines that get pixels.
    targets : SeenTargets
        Bright points.
    borders : Borders
        Valid part.
    seed : int
        Of the speckle.
    beta_nought : ndarray of float32, shape (lines, samples), or None
        Of relief, of another polarisation of the same product; None: computed where needed.

    Returns
    -------
    DetectedImage
        Ready to be rendered.

    Raises
    ------
    RequestError
        Backscatter or noise is asked for, but the product has no calibration or noise.
    """
    if background.relief and beta_nought is None:
        sea = background.level if background.sea_level is None else background.sea_level
        beta_nought = relief_beta_nought(
            view,
            terrain,
            band,
            samples=product.grid.shape.samples,
            reflectivity=Reflectivity(background.level, sea, scene.sea_height),
        )
    return DetectedImage(
        product=product,
        background=background,
        seed=seed,
        targets=targets,
        borders=borders,
        calibration=_calibration_plane(product, background),
        noise=_noise_plane(product) if background.noise else None,
        speckle=None if background.looks is None else _speckle_quantiles(background.looks),
        beta_nought=beta_nought,
        first_line=band.first,
    )


def _calibration_plane(product: GrdProduct, background: Background) -> Plane | None:
    if background.quantity is None:
        return None
    vectors = product.calibration
    if vectors is None:
        raise RequestError("quantity", "none for a product without calibration", product.name)
    quantity = "beta_nought" if background.relief else background.quantity
    pixels = np.arange(product.grid.shape.samples)
    rows = [np.interp(pixels, vectors.pixels, row) for row in getattr(vectors, quantity)]
    return Plane(vectors.lines.astype(np.float64), np.array(rows, np.float32))


def _noise_plane(product: GrdProduct) -> Plane:
    if product.noise is None:
        raise RequestError("noise", "false for a product without noise vectors", product.name)
    pixels = np.arange(product.grid.shape.samples)
    vectors = product.noise.vectors
    return Plane(
        np.array([vector.line for vector in vectors], np.float64),
        np.array([np.interp(pixels, v.pixels, v.values) for v in vectors], np.float32),
    )


def _azimuth_noise(noise: NoiseLut, band: Band, samples: int) -> NDArray[np.float32]:
    """Factor of the azimuth blocks at every pixel of a band."""
    factor = np.ones((band.rows, samples), np.float32)
    lines = np.arange(band.first, band.first + band.rows)
    for block in noise.blocks:
        inside = (lines >= block.first_line) & (lines <= block.last_line)
        along = np.interp(lines[inside], block.lines, block.values).astype(np.float32)
        factor[inside, block.first_sample : block.last_sample + 1] = along[:, None]
    return factor


def _speckle_quantiles(looks: float) -> NDArray[np.float32]:
    """Quantiles of the gamma distribution of mean 1, with the mean made exact."""
    places = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    quantiles = gammaincinv(looks, places)
    normalised: NDArray[np.float32] = (quantiles / quantiles.mean()).astype(np.float32)
    return normalised
