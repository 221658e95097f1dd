"""Geometric coregistration of one image, or one burst, on another, from orbits and a DEM."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.geometry.height_polynomials import HeightPolynomials
from kernels.geometry.orbit import Orbit
from kernels.geometry.terrain import meet_terrain, tabulate_radar
from kernels.geometry.zero_doppler import ground_to_radar, radar_to_ground
from kernels.insar.adjustment import Adjustment, Flattening, adjust
from kernels.insar.delays import total_delay
from kernels.insar.effects import NO_EFFECTS, PairEffects
from kernels.model import Burst, Dem, RadarGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsets:
    """Where the pixels of a reference lie in a secondary image.

    Attributes
    ----------
    heights : ndarray of float64, shape (lines, samples)
        Of the ground points, above the ellipsoid [m]; NaN outside the DEM.
    lines, samples : ndarray of float64, shape (lines, samples)
        Secondary minus reference coordinate [pixels].
    range_differences : ndarray of float64, shape (lines, samples)
        Secondary minus reference slant range [m].
    """

    heights: NDArray[np.float64]
    lines: NDArray[np.float64]
    samples: NDArray[np.float64]
    range_differences: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coregistration:
    """Geometry of a pair of grids over a DEM, tabulated on coarse nodes.

    Attributes
    ----------
    reference, secondary : RadarGrid
        Of the two images.
    dem : Dem
        Terrain.
    polynomials : HeightPolynomials
        DEM row and column, line offset, sample offset, range difference.
    """

    reference: RadarGrid
    secondary: RadarGrid
    dem: Dem
    polynomials: HeightPolynomials

    @classmethod
    def of(
        cls,
        *,
        reference: RadarGrid,
        reference_orbit: Orbit,
        secondary: RadarGrid,
        secondary_orbit: Orbit,
        dem: Dem,
        effects: PairEffects = NO_EFFECTS,
    ) -> Coregistration:
        """Tabulate the geometry of two grids.

        Range per pixel comes from the range-Doppler equations of both orbits; there is no
        flat-earth term.

        Parameters
        ----------
        reference, secondary : RadarGrid
            Of the two images.
        reference_orbit, secondary_orbit : Orbit
            Of the two images, each with its own epoch.
        dem : Dem
            Must cover the reference; pixels outside it have no offsets.
        effects : PairEffects
            What times and ranges hold beside geometry.

        Returns
        -------
        Coregistration
            For any lines of the reference.
        """

        def quantities(
            points: NDArray[np.float64], times: NDArray[np.float64], ranges: NDArray[np.float64]
        ) -> NDArray[np.float64]:
            ours = effects.reference.measured(reference, times, ranges, points)
            true = ground_to_radar(secondary_orbit, points)
            delay = total_delay(
                effects.secondary.delays, secondary_orbit, true[0], points
            ) - total_delay(effects.reference.delays, reference_orbit, times, points)
            lines, samples = effects.secondary.measured(secondary, *true, points)
            return np.stack(
                [
                    lines - ours[0],
                    samples + delay / secondary.slant_range_spacing - ours[1],
                    true[1] - ranges + delay,
                ],
                axis=-1,
            )

        timing = effects.reference.timing
        return cls(
            reference=reference,
            secondary=secondary,
            dem=dem,
            polynomials=tabulate_radar(
                reference,
                reference_orbit,
                dem,
                quantities,
                errors=None if timing is None else timing.errors,
            ),
        )

    @property
    def line_offsets(self) -> tuple[float, float, float]:
        """Smallest, central and largest line offset over all nodes at the middle height."""
        offsets = self.polynomials.coefficients[:, :, 2, 0]
        return float(np.min(offsets)), float(np.median(offsets)), float(np.max(offsets))

    def adjusted(
        self, adjustment: Adjustment, *, flattening: Flattening = "topography"
    ) -> Coregistration:
        """Return the geometry with corrections and a kind of flattening; see `adjust`."""
        return replace(
            self,
            polynomials=adjust(
                self.polynomials,
                adjustment,
                flattening=flattening,
                wavelength=self.reference.wavelength,
            ),
        )

    def offsets(self, lines: Band, *, threads: int = 1) -> Offsets:
        """Evaluate the geometry of every pixel of some reference lines.

        Parameters
        ----------
        lines : Band
            Lines of the reference grid.
        threads : int
            Over blocks of lines.

        Returns
        -------
        Offsets
            Of all samples.
        """
        heights, values = meet_terrain(
            self.polynomials,
            self.dem,
            lines=lines,
            samples=self.reference.shape.samples,
            threads=threads,
        )
        return Offsets(
            heights=heights, lines=values[0], samples=values[1], range_differences=values[2]
        )


def match_bursts(
    reference: tuple[Burst, ...],
    reference_orbit: Orbit,
    secondary: tuple[Burst, ...],
    secondary_orbit: Orbit,
) -> tuple[tuple[Burst, Burst], ...]:
    """Find the bursts that look at the same ground.

    Parameters
    ----------
    reference : tuple of Burst
        Of one swath.
    reference_orbit : Orbit
        Covering them.
    secondary : tuple of Burst
        Of the same swath.
    secondary_orbit : Orbit
        Covering them.

    Returns
    -------
    tuple of (Burst, Burst)
        Pairs of which one holds the middle of the other, in the order of the reference; of
        several, the one with the same identifier, else the nearest.
    """
    pairs = []
    for burst in reference:
        grid = burst.grid
        middle_range = np.array([grid.slant_range(0.5 * (grid.shape.samples - 1))])
        time = grid.zero_doppler_time(np.array([burst.mid_line]), middle_range)
        point = radar_to_ground(
            reference_orbit, time, middle_range, np.zeros(1), side=grid.look_side
        )
        times, ranges = ground_to_radar(secondary_orbit, point)
        found = []
        for number, other in enumerate(secondary):
            distance = abs(float(other.grid.line(times, ranges)[0]) - other.mid_line)
            unlike = burst.identifier is None or other.identifier != burst.identifier
            # NaN: the point is out of reach of the other orbit
            if distance < 0.5 * max(grid.shape.lines, other.grid.shape.lines):
                found.append((unlike, distance, number))
        if found:
            pairs.append((burst, secondary[min(found)[2]]))
    return tuple(pairs)
