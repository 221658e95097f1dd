"""Ground that two bursts see: cells of phase that differ by the azimuth shift alone.

Two bursts look at the ground of their overlap from different squints. The flattened
interferograms of both agree there in everything but what an azimuth shift, or a constant of a
burst, adds (Prats-Iraola et al., IEEE TGRS 50, 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.burst_lines import valid_lines
from kernels.geometry.orbit import Orbit
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.burst_pair import BurstPair
from kernels.insar.coregistration import Coregistration
from kernels.insar.deramp import AzimuthRamp
from kernels.insar.effects import NO_EFFECTS, PairEffects
from kernels.insar.look_sums import LookSums
from kernels.insar.mosaic import Placement, SwathLayout
from kernels.insar.resample import WIDEST, band_weights
from kernels.model import Burst, Dem, Looks, Shape

CELL = Looks(azimuth=8, range=32)
"""Pixels of a cell: coherence below 0.1 is told from none, and phases hardly wrap inside."""

_MARGIN = 64
"""Samples of the secondary read beyond those of a window: relief moves them by fewer."""
_MOST_LINES = 64
"""Of an overlap, about its middle: one alone gives 4e-5 line at coherence 0.5."""
_EDGE = 8
"""Samples at the ends of lines that resampling takes away."""
_INDEPENDENT = 0.6
"""Independent looks per pixel: bandwidths over sampling rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Some lines and samples of a reference burst."""

    lines: Band
    samples: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPair:
    """A pair of bursts cut to a window of the reference.

    Attributes
    ----------
    pair : BurstPair
        Of the cut bursts.
    secondary_samples : Band
        Which the pair wants of the secondary's lines.
    reference_ramp : AzimuthRamp
        Of the reference, in coordinates of the window.
    """

    pair: BurstPair
    secondary_samples: Band
    reference_ramp: AzimuthRamp

    @classmethod
    def of(
        cls,
        window: Window,
        *,
        reference: Burst,
        reference_orbit: Orbit,
        secondary: Burst,
        secondary_orbit: Orbit,
        dem: Dem,
        taps: int,
        adjustment: Adjustment | None,
        effects: PairEffects = NO_EFFECTS,
    ) -> WindowPair:
        """Prepare a window of a pair.

        Parameters
        ----------
        window : Window
            Of the reference.
        reference, secondary : Burst
            The whole bursts.
        reference_orbit, secondary_orbit : Orbit
            Of the two images, each with its own epoch.
        dem : Dem
            Must cover the window.
        taps : int
            Of the resampling kernel.
        adjustment : Adjustment or None
            Of the whole bursts.
        effects : PairEffects
            Of the whole bursts.

        Returns
        -------
        WindowPair
            For lines counted from the window's first.
        """
        cut = _cut(reference, window)
        geometry = Coregistration.of(
            reference=cut.grid,
            reference_orbit=reference_orbit,
            secondary=secondary.grid,
            secondary_orbit=secondary_orbit,
            dem=dem,
            effects=effects,
        )
        offsets = geometry.polynomials.coefficients[:, :, 3, 0]
        whole = secondary.grid.shape.samples
        start = min(max(math.floor(float(offsets.min())) - _MARGIN, 0), whole - 1)
        stop = math.ceil(float(offsets.max())) + window.samples.rows + _MARGIN
        kept = Band(start, max(min(stop, whole) - start, 2))
        rows = Band(0, secondary.grid.shape.lines)
        geometry = geometry.adjusted(
            _moved(adjustment or Adjustment(), window).plus(
                Adjustment(samples=Plane(-float(start)))
            )
        )
        ramp = AzimuthRamp.of(secondary, secondary_orbit)
        return cls(
            pair=BurstPair(
                reference=cut,
                secondary=_cut(secondary, Window(lines=rows, samples=kept)),
                coregistration=geometry,
                ramp=_cut_ramp(ramp, Window(lines=rows, samples=kept)),
                azimuth_weights=band_weights(taps, WIDEST.azimuth),
                range_weights=band_weights(taps, WIDEST.range),
            ),
            secondary_samples=kept,
            reference_ramp=_cut_ramp(AzimuthRamp.of(reference, reference_orbit), window),
        )

    def doppler(
        self, lines: NDArray[np.float64], samples: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Local Doppler centroid [Hz], mean of both images, shape (lines, samples)."""
        _, central, _ = self.pair.coregistration.line_offsets
        across = float(np.median(self.pair.coregistration.polynomials.coefficients[:, :, 3, 0]))
        own = _doppler(self.reference_ramp, lines, samples)
        return 0.5 * (own + _doppler(self.pair.ramp, lines + central, samples + across))


def _doppler(
    ramp: AzimuthRamp, lines: NDArray[np.float64], samples: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Frequency [Hz] of the ramp that an image carries: its deramping phase's, turned round."""
    eta = (lines[:, None] - ramp.mid_line) * ramp.line_interval
    index = np.arange(ramp.coefficients.shape[1], dtype=np.float64)
    b, a = (np.interp(samples, index, row) for row in ramp.coefficients[1:])
    found: NDArray[np.float64] = -(2.0 * a * eta + b)
    return found


def _cut(burst: Burst, window: Window) -> Burst:
    """Return a part of a burst as a burst; its `mid_line` no longer is that of the ramp."""
    lines, samples = window.lines, window.samples
    part = slice(lines.first, lines.first + lines.rows)
    first = np.maximum(burst.first_valid_sample[part] - samples.first, 0)
    last = np.minimum(burst.last_valid_sample[part] - samples.first, samples.rows - 1)
    none = (burst.first_valid_sample[part] < 0) | (last < first)
    return replace(
        burst,
        first_line=burst.first_line + lines.first,
        grid=burst.grid.window(lines.first, samples.first, Shape(lines.rows, samples.rows)),
        first_valid_sample=np.where(none, -1, first).astype(np.int32),
        last_valid_sample=np.where(none, -1, last).astype(np.int32),
    )


def _cut_ramp(ramp: AzimuthRamp, window: Window) -> AzimuthRamp:
    samples = window.samples
    part = slice(samples.first, samples.first + samples.rows)
    return replace(
        ramp,
        mid_line=ramp.mid_line - window.lines.first,
        coefficients=np.ascontiguousarray(ramp.coefficients[:, part]),
    )


def _moved(adjustment: Adjustment, window: Window) -> Adjustment:
    """Return the same corrections in coordinates of a window."""
    place = window.lines.first, window.samples.first
    return replace(
        adjustment,
        lines=adjustment.lines.moved(*place),
        samples=adjustment.samples.moved(*place),
    )


def burst_overlap(upper: Placement, lower: Placement) -> tuple[Window, Window] | None:
    """Find the lines that two consecutive bursts of a swath share.

    Parameters
    ----------
    upper, lower : Placement
        The earlier and the later burst.

    Returns
    -------
    tuple of (Window, Window) or None
        The same ground in both; a whole number of cells; None where it is less than one.
    """
    first = lower.origin + valid_lines(lower.burst)[0]
    stop = upper.origin + valid_lines(upper.burst)[1] + 1
    lines = _about_middle(first, stop)
    if lines.rows == 0:
        return None
    samples = Band(0, upper.burst.grid.shape.samples)
    return (
        Window(lines=Band(lines.first - upper.origin, lines.rows), samples=samples),
        Window(lines=Band(lines.first - lower.origin, lines.rows), samples=samples),
    )


def _about_middle(first: int, stop: int) -> Band:
    """Whole cells about the middle of some lines; none where they hold less than one."""
    rows = min(max(stop - first, 0), _MOST_LINES) // CELL.azimuth * CELL.azimuth
    return Band(first + (stop - first - rows) // 2, rows)


def swath_overlap(
    near: Placement, far: Placement, near_layout: SwathLayout, far_layout: SwathLayout
) -> tuple[Window, Window] | None:
    """Find lines and samples that bursts of two neighbouring swaths share.

    Both are taken on the nearest pixels of each other: what remains is far smaller than a cell.

    Parameters
    ----------
    near, far : Placement
        Of the nearer and of the farther swath.
    near_layout, far_layout : SwathLayout
        Their swaths.

    Returns
    -------
    tuple of (Window, Window) or None
        The same ground in both, some lines about the middle; None where they share less than a
        cell or are sampled differently.
    """
    grid, other = near_layout.grid, far_layout.grid
    if (
        abs(other.slant_range_spacing / grid.slant_range_spacing - 1.0) > 1e-6
        or abs(other.line_interval / grid.line_interval - 1.0) > 1e-6
    ):
        return None
    start = other.first_slant_range
    across = round(grid.sample(start))
    clock = (other.epoch - grid.epoch).total_seconds()
    down = round(grid.line(other.zero_doppler_time(0.0, start) + clock, start))
    ours, theirs = _taken(near), _taken(far)
    lines = _about_middle(max(ours[0], theirs[0] + down), min(ours[1], theirs[1] + down))
    left = max(_extent(near.burst)[0], _extent(far.burst)[0] + across) + _EDGE
    right = min(_extent(near.burst)[1], _extent(far.burst)[1] + across) - _EDGE
    samples = (right + 1 - left) // CELL.range * CELL.range
    left += (right + 1 - left - samples) // 2
    if lines.rows == 0 or samples <= 0:
        return None
    return (
        Window(lines=Band(lines.first - near.origin, lines.rows), samples=Band(left, samples)),
        Window(
            lines=Band(lines.first - down - far.origin, lines.rows),
            samples=Band(left - across, samples),
        ),
    )


def _taken(placement: Placement) -> tuple[int, int]:
    """First swath line that a burst gives and that carries signal, and the one after the last."""
    first, last = valid_lines(placement.burst)
    return (
        max(placement.start, placement.origin + first),
        min(placement.stop, placement.origin + last + 1),
    )


def _extent(burst: Burst) -> tuple[int, int]:
    """First and last sample that carry signal in any line; an empty extent where there is none."""
    valid = burst.first_valid_sample >= 0
    if not valid.any():
        return 0, -1
    return int(burst.first_valid_sample[valid].min()), int(burst.last_valid_sample.max())


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapCells:
    """Cells of an overlap in which both interferograms have data.

    Attributes
    ----------
    phases : ndarray of float64, shape (n,)
        Of the first interferogram times the conjugate of the second [rad].
    levers : ndarray of float64, shape (n,)
        What a line of azimuth shift adds to them: ``2 pi df line_interval`` [rad/line].
    coherences : ndarray of float64, shape (n,)
        The lesser of both.
    variances : ndarray of float64, shape (n,)
        Expected of the phases at these coherences [rad2].
    frequencies : ndarray of float64, shape (n,)
        Difference df of the Doppler centroids [Hz].
    """

    phases: NDArray[np.float64]
    levers: NDArray[np.float64]
    coherences: NDArray[np.float64]
    variances: NDArray[np.float64]
    frequencies: NDArray[np.float64]

    @classmethod
    def of(
        cls, first: LookSums, second: LookSums, frequencies: NDArray[np.float64], interval: float
    ) -> OverlapCells:
        """Compare the sums of two bursts over the same cells.

        Parameters
        ----------
        first, second : LookSums
            Of cells of CELL pixels, flattened.
        frequencies : ndarray of float64, shape (cell rows, cells)
            Doppler centroid of the first less that of the second [Hz].
        interval : float
            Between lines [s].

        Returns
        -------
        OverlapCells
            Where every pixel counted in both.
        """
        with np.errstate(invalid="ignore"):  # where pixels are not finite
            bands = first.bands(CELL), second.bands(CELL)
        known = (bands[0][3] == 1.0) & (bands[1][3] == 1.0)
        known &= np.isfinite(first.cross) & np.isfinite(second.cross)
        cross = first.cross[known] * np.conj(second.cross[known])
        coherences = np.stack([band[2][known] for band in bands]).astype(np.float64)
        bounded = np.clip(coherences, 0.02, 0.99) ** 2
        looks = _INDEPENDENT * CELL.azimuth * CELL.range
        return cls(
            phases=np.angle(cross).astype(np.float64),
            levers=2.0 * math.pi * interval * frequencies[known],
            coherences=coherences.min(axis=0),
            # Cramer and Rao's bound of both (Rodriguez and Martin, IEE Proc. F 139, 1992)
            variances=((1.0 - bounded) / (2.0 * looks * bounded)).sum(axis=0),
            frequencies=frequencies[known],
        )

    @classmethod
    def join(cls, parts: list[OverlapCells]) -> OverlapCells:
        """Put blocks of one overlap together."""
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts] or [np.empty(0)])
                for name in cls.__slots__
            }
        )

    @property
    def mean_phase(self) -> float:
        """Angle of the weighted sum of the cells' phasors [rad]; NaN without cells."""
        if self.phases.size == 0:
            return math.nan
        return float(np.angle(np.sum(np.exp(1j * self.phases) / self.variances)))

    def less(self, shift: float, constant: float) -> OverlapCells:
        """Return the cells without a shift's [lines] and a constant's [rad] share of the phase."""
        turned = self.phases - self.levers * shift - constant
        return replace(self, phases=np.angle(np.exp(1j * turned)))

    def where(self, kept: NDArray[np.bool_]) -> OverlapCells:
        """Return some of the cells."""
        return OverlapCells(**{name: getattr(self, name)[kept] for name in self.__slots__})


def cell_centres(cells: int, looks: int) -> NDArray[np.float64]:
    """Pixel coordinates of the middles of cells."""
    return np.arange(cells, dtype=np.float64) * looks + 0.5 * (looks - 1)
