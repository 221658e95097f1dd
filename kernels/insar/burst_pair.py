"""From the pixels of two bursts to the sums of the multilooked interferogram, band by band."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, split_rows
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain_rows_numba import LANES, rows_at_heights, terrain_rows
from kernels.insar import deramp_numba, interferogram_numba, resample_numba
from kernels.insar.adjustment import Adjustment, Flattening
from kernels.insar.coregistration import Coregistration
from kernels.insar.deramp import AzimuthRamp
from kernels.insar.effects import NO_EFFECTS, PairEffects
from kernels.insar.look_sums import LookSums
from kernels.insar.resample import WIDEST, Bands, band_weights
from kernels.model import Burst, Dem, Looks

BYTES_PER_PIXEL = 52
"""Of a band while it is computed: both images, three planes of resampling, offsets, phase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Geometry:
    """Per-pixel geometry of some reference lines."""

    first: int
    sample_offsets: NDArray[np.float32]
    lines: NDArray[np.float64]
    rates: NDArray[np.float64]
    cycles: NDArray[np.float32]


class _Line(NamedTuple):
    """A line of the resampled secondary in baseband, and what belongs to its pixels."""

    row: int
    real: NDArray[np.float32]
    imaginary: NDArray[np.float32]
    cycles: NDArray[np.float32]
    valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstPair:
    """A reference burst, its secondary burst, and all that is needed to combine them.

    Attributes
    ----------
    reference, secondary : Burst
        The two bursts.
    coregistration : Coregistration
        Of their grids.
    ramp : AzimuthRamp
        Of the secondary.
    azimuth_weights, range_weights : ndarray of float32, shape (steps + 1, taps)
        Interpolation weights.
    heights : ndarray of float32, shape (lines, samples), or None
        Of the reference's pixels above the ellipsoid [m], NaN outside the DEM, where they are
        known already; None: they are found on the terrain. May be a memory map.
    """

    reference: Burst
    secondary: Burst
    coregistration: Coregistration
    ramp: AzimuthRamp
    azimuth_weights: NDArray[np.float32]
    range_weights: NDArray[np.float32]
    heights: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls,
        *,
        reference: Burst,
        reference_orbit: Orbit,
        secondary: Burst,
        secondary_orbit: Orbit,
        dem: Dem,
        taps: int,
        bands: Bands = WIDEST,
        adjustment: Adjustment | None = None,
        flattening: Flattening = "topography",
        effects: PairEffects = NO_EFFECTS,
    ) -> BurstPair:
        """Prepare a pair.

        Parameters
        ----------
        reference, secondary : Burst
            The two bursts.
        reference_orbit, secondary_orbit : Orbit
            Of the two images, each with its own epoch.
        dem : Dem
            Must cover the reference.
        taps : int
            Of the resampling kernel, as in `band_weights`.
        bands : Bands
            Of the secondary.
        adjustment : Adjustment or None
            What the images themselves told; None: nothing.
        flattening : {'none', 'ellipsoid', 'topography'}
            What the phase is freed from.
        effects : PairEffects
            What times and ranges hold beside geometry.

        Returns
        -------
        BurstPair
            For any lines of the reference.
        """
        geometry = Coregistration.of(
            reference=reference.grid,
            reference_orbit=reference_orbit,
            secondary=secondary.grid,
            secondary_orbit=secondary_orbit,
            dem=dem,
            effects=effects,
        )
        return cls(
            reference=reference,
            secondary=secondary,
            coregistration=geometry.adjusted(adjustment or Adjustment(), flattening=flattening),
            ramp=AzimuthRamp.of(secondary, secondary_orbit),
            azimuth_weights=band_weights(taps, bands.azimuth),
            range_weights=band_weights(taps, bands.range),
        )

    @property
    def bytes_per_line(self) -> int:
        """Memory that one line of a band needs while it is computed."""
        samples = max(self.reference.grid.shape.samples, self.secondary.grid.shape.samples)
        return samples * BYTES_PER_PIXEL

    def secondary_lines(self, lines: Band) -> Band:
        """Lines of the secondary burst that some reference lines need; rows may be 0."""
        taps = self.azimuth_weights.shape[1]
        smallest, _, largest = self.coregistration.line_offsets
        first = math.floor(lines.first + smallest) - taps // 2
        last = math.ceil(lines.first + lines.rows - 1 + largest) + taps // 2 + 1
        first = max(first, 0)
        last = min(last, self.secondary.grid.shape.lines - 1)
        return Band(first, max(last - first + 1, 0))

    def compute(
        self,
        lines: Band,
        reference: NDArray[np.complex64],
        secondary: NDArray[np.complex64],
        looks: Looks,
    ) -> LookSums:
        """Combine some lines.

        Parameters
        ----------
        lines : Band
            Reference lines; a multiple of ``looks.azimuth``.
        reference : ndarray of complex64, shape (lines, samples)
            Their pixels.
        secondary : ndarray of complex64, shape (secondary lines, samples)
            Pixels of `secondary_lines`.
        looks : Looks
            Of the result.

        Returns
        -------
        LookSums
            Whose first row starts at the band's first line.
        """
        samples = self.reference.grid.shape.samples
        sums = LookSums.zeros(lines.rows // looks.azimuth, samples // looks.range)
        needed = self.secondary_lines(lines)
        if needed.rows < self.azimuth_weights.shape[1]:
            return sums
        for line in self._resampled(lines, needed, secondary):
            cell = line.row // looks.azimuth
            if cell == sums.cross.shape[0]:
                break
            interferogram_numba.accumulate_row(
                reference[line.row],
                line.real,
                line.imaginary,
                line.cycles,
                line.valid,
                looks.range,
                sums.cross[cell],
                sums.reference_power[cell],
                sums.secondary_power[cell],
                sums.counts[cell],
            )
        return sums

    def resample(
        self, lines: Band, secondary: NDArray[np.complex64]
    ) -> tuple[NDArray[np.complex64], NDArray[np.bool_]]:
        """Bring the secondary onto reference lines, in baseband: for what needs amplitudes alone.

        Parameters
        ----------
        lines : Band
            Reference lines.
        secondary : ndarray of complex64, shape (secondary lines, samples)
            Pixels of `secondary_lines`.

        Returns
        -------
        pixels : ndarray of complex64, shape (lines, samples)
            Without azimuth ramp.
        valid : ndarray of bool, shape (lines, samples)
            Where reference and secondary carry signal.
        """
        samples = self.reference.grid.shape.samples
        pixels = np.zeros((lines.rows, samples), np.complex64)
        valid = np.zeros((lines.rows, samples), np.bool_)
        needed = self.secondary_lines(lines)
        if needed.rows >= self.azimuth_weights.shape[1]:
            for line in self._resampled(lines, needed, secondary):
                pixels.real[line.row], pixels.imag[line.row] = line.real, line.imaginary
                valid[line.row] = line.valid
        return pixels, valid

    def flattened(self, lines: Band, secondary: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Bring the secondary onto reference lines, with the phase of the flattened pair.

        The reference times the conjugate of the result is the flattened interferogram; so is
        the product of any two such images of one reference.

        Parameters
        ----------
        lines : Band
            Reference lines.
        secondary : ndarray of complex64, shape (secondary lines, samples)
            Pixels of `secondary_lines`.

        Returns
        -------
        ndarray of complex64, shape (lines, samples)
            0 where reference or secondary carry no signal.
        """
        pixels = np.zeros((lines.rows, self.reference.grid.shape.samples), np.complex64)
        needed = self.secondary_lines(lines)
        if needed.rows >= self.azimuth_weights.shape[1]:
            for line in self._resampled(lines, needed, secondary):
                interferogram_numba.flattened_row(
                    line.real, line.imaginary, line.cycles, line.valid, pixels[line.row]
                )
        return pixels

    def _resampled(
        self, lines: Band, needed: Band, secondary: NDArray[np.complex64]
    ) -> Iterator[_Line]:
        """Resample line by line; the arrays of a line hold until the next one."""
        geometry = self._geometry(lines, needed)
        planes = self._on_reference_columns(geometry, needed, secondary)
        samples = self.reference.grid.shape.samples
        real, imaginary = np.empty(samples, np.float32), np.empty(samples, np.float32)
        valid = np.empty(samples, np.bool_)
        for row in range(lines.rows):
            at = lines.first - geometry.first + row
            resample_numba.along_azimuth(
                planes[0],
                planes[1],
                needed.first,
                geometry.lines[at],
                geometry.rates[at],
                self.azimuth_weights,
                real,
                imaginary,
            )
            self._valid(lines.first + row, geometry, at, valid)
            yield _Line(row, real, imaginary, geometry.cycles[at], valid)

    def _geometry(self, lines: Band, needed: Band) -> _Geometry:
        """Geometry of the lines and of those that the halo of the secondary lies on.

        The lines' neighbours are always among them, so that rates do not depend on the band.
        """
        _, central, _ = self.coregistration.line_offsets
        last_line = self.reference.grid.shape.lines - 1
        first = max(min(round(needed.first - central), lines.first - 1), 0)
        last = max(round(needed.first + needed.rows - 1 - central), lines.first + lines.rows)
        last = min(last, last_line)
        rows, samples = last - first + 1, self.reference.grid.shape.samples
        middles = np.minimum(
            np.arange(0, samples, resample_numba.RUN) + resample_numba.RUN // 2, samples - 1
        )
        geometry = _Geometry(
            first=first,
            sample_offsets=np.empty((rows, samples), np.float32),
            lines=np.empty((rows, middles.size)),
            rates=np.empty((rows, middles.size)),
            cycles=np.empty((rows, samples), np.float32),
        )
        scaled, values = np.empty((LANES, samples)), np.empty((3, LANES, samples))
        for group in split_rows(rows, band_rows=LANES):
            self._on_terrain(first + group.first, scaled[: group.rows], values)
            for k in range(group.rows):
                row = group.first + k
                geometry.lines[row] = first + row + values[0, k, middles]
                offsets = geometry.sample_offsets[row]
                offsets[:] = values[1, k]
                offsets[np.isnan(scaled[k])] = np.nan
                interferogram_numba.ramp_and_flattening(
                    self.ramp.coefficients,
                    geometry.lines[row],
                    self.ramp.mid_line,
                    self.ramp.line_interval,
                    offsets,
                    values[2, k],
                    2.0 / self.reference.grid.wavelength,
                    resample_numba.RUN,
                    geometry.cycles[row],
                )
        geometry.rates[:] = self._fringe_rates(geometry.sample_offsets[:, middles])
        return geometry

    def _fringe_rates(self, sample_offsets: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return how far the secondary turns from line to line [cycles], shape (lines, runs)."""
        rows = np.arange(sample_offsets.shape[0])
        after, before = np.minimum(rows + 1, rows[-1]), np.maximum(rows - 1, 0)
        change = sample_offsets[after].astype(np.float64) - sample_offsets[before]
        change /= np.maximum(after - before, 1)[:, None]
        metres = change * self.secondary.grid.slant_range_spacing
        rates: NDArray[np.float64] = -2.0 / self.reference.grid.wavelength * metres
        return rates

    def _on_terrain(
        self, first: int, scaled: NDArray[np.float64], values: NDArray[np.float64]
    ) -> None:
        """Fill in scaled heights and offsets of some reference lines from a first one on."""
        polynomials = self.coregistration.polynomials
        steps = polynomials.row_step, polynomials.column_step
        if self.heights is None:
            terrain_rows(
                polynomials.coefficients,
                first,
                steps,
                polynomials.middle,
                polynomials.half,
                self.coregistration.dem.heights,
                scaled,
                values,
            )
            return
        scaled[:] = self.heights[first : first + scaled.shape[0]]
        scaled -= polynomials.middle
        scaled /= polynomials.half
        rows_at_heights(polynomials.coefficients, first, steps, scaled, values[:, : len(scaled)])

    def _on_reference_columns(
        self, geometry: _Geometry, needed: Band, secondary: NDArray[np.complex64]
    ) -> NDArray[np.float32]:
        """Secondary lines in baseband on the reference's columns, two planes."""
        baseband = np.empty((2, *secondary.shape), np.float32)
        deramp_numba.deramp(
            secondary,
            self.ramp.coefficients,
            needed.first,
            self.ramp.mid_line,
            self.ramp.line_interval,
            baseband[0],
            baseband[1],
        )
        _, central, _ = self.coregistration.line_offsets
        rows = np.rint(np.arange(needed.rows) + needed.first - central).astype(np.int64)
        rows = np.clip(rows - geometry.first, 0, geometry.sample_offsets.shape[0] - 1)
        planes = np.empty((2, needed.rows, geometry.sample_offsets.shape[1]), np.float32)
        resample_numba.along_range(
            baseband[0],
            baseband[1],
            geometry.sample_offsets,
            rows,
            self.range_weights,
            planes[0],
            planes[1],
        )
        return planes

    def _valid(self, line: int, geometry: _Geometry, at: int, valid: NDArray[np.bool_]) -> None:
        """Mark the samples of a line whose every contributing pixel carries signal."""
        taps = self.azimuth_weights.shape[1]
        interferogram_numba.valid_row(
            int(self.reference.first_valid_sample[line]),
            int(self.reference.last_valid_sample[line]),
            geometry.lines[at],
            geometry.sample_offsets[at],
            self.secondary.first_valid_sample,
            self.secondary.last_valid_sample,
            taps,
            resample_numba.RUN,
            valid,
        )
