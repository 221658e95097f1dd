"""Gamma nought free of terrain: areas of the relief seen by every cell of an image.

D. Small, "Flattening Gamma: Radiometric Terrain Correction for SAR Imagery", IEEE Trans. Geosci.
Remote Sens. 49(8), 3081-3093, 2011: ``gamma0 = beta0 * A_beta / A_gamma`` with A_beta the area
of an image cell in the slant plane, and A_gamma the area of all terrain in the cell, projected
on the plane perpendicular to the line of sight. A_gamma is a sum over facets of the bilinear
DEM, so that layover adds up; what is turned away or in shadow has no share. Cells are those of
the image or of the image multilooked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, map_bands, split_rows
from kernels.engine.progress import Progress
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.height_polynomials import HeightPolynomials, tabulate
from kernels.geometry.local_incidence import NODE_STEP, see_pixels
from kernels.geometry.map_grids import GEOGRAPHIC
from kernels.geometry.shadow import TerrainProfiles
from kernels.geometry.terrain import HEIGHT_MARGIN
from kernels.geometry.zero_doppler import ground_to_radar
from kernels.model import MapGrid, Shape
from kernels.radiometry import terrain_flattening_numba
from kernels.radiometry.image_cells import ImageCells

SMALLEST_RATIO = 0.05
"""A_gamma / A_beta below which a cell says nothing: local incidence beyond some 87 degrees."""

_LARGEST_FACET = 0.52
"""On level ground, in cells: 1 second of latitude is three facets in cells of 20 m."""

_ROWS_PER_BLOCK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainFacets:
    """Facets of a DEM as an image sees them.

    Attributes
    ----------
    cells : ImageCells
        Of the image.
    profiles : TerrainProfiles
        Shadow, over the DEM that has the facets.
    splits : tuple of (int, int)
        Facets of a DEM cell along latitude and longitude: on level ground no side of a facet
        is longer than about half an image cell.
    polynomials : HeightPolynomials
        Of facets: row and column of cells, three areas [m2], profile and station. Columns bend
        where conversion records follow each other, by less than a tenth of a pixel.
    """

    cells: ImageCells
    profiles: TerrainProfiles
    splits: tuple[int, int]
    polynomials: HeightPolynomials

    @classmethod
    def of(cls, cells: ImageCells, profiles: TerrainProfiles) -> TerrainFacets:
        """Tabulate facets.

        Parameters
        ----------
        cells : ImageCells
            Of the image.
        profiles : TerrainProfiles
            Of the same image.

        Returns
        -------
        TerrainFacets
            For any rows of cells.
        """
        dem = profiles.dem
        splits = _splits(cells, profiles)
        facets = MapGrid(
            crs=GEOGRAPHIC,
            west=dem.west,
            north=dem.north,
            x_spacing=dem.longitude_step / splits[1],
            y_spacing=-dem.latitude_step / splits[0],
            shape=Shape(
                (dem.heights.shape[0] - 1) * splits[0], (dem.heights.shape[1] - 1) * splits[1]
            ),
        )

        def evaluate(*places: NDArray[np.float64]) -> NDArray[np.float64]:
            sight = see_pixels(facets, profiles.orbit, *places)
            x, y, up = np.moveaxis(sight.direction, -1, 0)
            width, depth = np.moveaxis(sight.sizes, -1, 0)
            # the area vector of a facet times the direction to the satellite, by the rise
            # along x and along y
            areas = [width * depth * up, depth * x, width * y]
            values = np.stack([*cells.places(sight.times, sight.ranges), *areas], axis=-1)
            return np.concatenate([values, profiles.places(sight)], axis=-1)

        polynomials = tabulate(
            facets.shape,
            evaluate,
            lowest=float(dem.heights.min()) - HEIGHT_MARGIN,
            highest=float(dem.heights.max()) + HEIGHT_MARGIN,
            step=NODE_STEP,
        )
        return cls(cells=cells, profiles=profiles, splits=splits, polynomials=polynomials)

    def areas(self, rows: Band) -> NDArray[np.float64]:
        """Sum the facets in some rows of cells.

        Parameters
        ----------
        rows : Band
            Of cells.

        Returns
        -------
        ndarray of float64, shape (rows, columns)
            A_gamma [m2]; each facet is spread bilinearly over the four cells around it. Facets
            are summed in the same order whatever the rows.
        """
        total = np.zeros((rows.rows, self.cells.shape.samples))
        terrain_flattening_numba.add_facets(
            self.polynomials.coefficients,
            NODE_STEP,
            self.polynomials.middle,
            self.polynomials.half,
            self.profiles.dem.heights,
            *self.splits,
            self._squares_under(rows),
            self.profiles.bits,
            rows.first,
            total,
        )
        return total

    def _squares_under(self, rows: Band) -> NDArray[np.bool_]:
        """Squares between nodes that may have a share in some rows of cells."""
        places = self.polynomials.coefficients[:, :, :2]
        ends = np.stack([places @ (z ** np.arange(4.0)) for z in (-1.0, 1.0)])
        corners = np.concatenate(
            [ends[:, i : i - 1 or None, j : j - 1 or None] for i in (0, 1) for j in (0, 1)]
        )
        # a facet reaches one cell far, and places bend by less than another over a square
        first = np.array([rows.first - 2.0, -2.0])
        last = np.array([rows.first + rows.rows + 1.0, self.cells.shape.samples + 1.0])
        inside = (corners.max(axis=0) >= first) & (corners.min(axis=0) <= last)
        found: NDArray[np.bool_] = inside.all(axis=-1)
        return found


def _splits(cells: ImageCells, profiles: TerrainProfiles) -> tuple[int, int]:
    """Divide DEM cells so that facets are small in image cells all over the DEM."""
    dem = profiles.dem
    last_row, last_column = (n - 1.0 for n in dem.heights.shape)
    mesh = np.meshgrid(np.linspace(0.0, last_row, 3), np.linspace(0.0, last_column, 3))
    rows, columns = (g.reshape(-1) for g in mesh)

    def places(row_step: float, column_step: float) -> NDArray[np.float64]:
        points = geodetic_to_ecef(
            np.radians(dem.west + (columns + column_step) * dem.longitude_step),
            np.radians(dem.north + (rows + row_step) * dem.latitude_step),
            np.full(rows.shape, profiles.height),
        )
        return np.stack(cells.places(*ground_to_radar(profiles.orbit, points)))

    start = places(0.0, 0.0)
    longest = [np.abs(places(*step) - start).max() for step in ((1.0, 0.0), (0.0, 1.0))]
    down, across = (max(math.ceil(float(size) / _LARGEST_FACET), 1) for size in longest)
    return down, across


@dataclass(frozen=True, slots=True, kw_only=True)
class TerrainFlattening:
    """Factor from beta nought to gamma nought free of terrain, in the geometry of an image.

    Attributes
    ----------
    cells : ImageCells
        Of the image.
    ratio : ndarray of float32, shape (rows, columns)
        A_gamma / A_beta of cells [1]; 0 where nothing is seen.
    """

    cells: ImageCells
    ratio: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        cells: ImageCells,
        profiles: TerrainProfiles,
        *,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> TerrainFlattening:
        """Compare the terrain's area with that of the image's cells.

        Parameters
        ----------
        cells : ImageCells
            Of the image; they need not be finer than the DEM.
        profiles : TerrainProfiles
            Of the same image, over the DEM to use; terrain beyond it has no share.
        threads : int
            Over blocks of cells; results do not depend on it.
        progress : Progress or None
            Told of shares; asked for cancellation.

        Returns
        -------
        TerrainFlattening
            For any place in the cells' window.
        """
        facets = TerrainFacets.of(cells, profiles)
        ratio = np.zeros(cells.shape, np.float32)

        def compute(rows: Band) -> None:
            ratio[rows.first : rows.first + rows.rows] = facets.areas(rows) / cells.areas(rows)

        blocks = split_rows(cells.shape.lines, band_rows=_ROWS_PER_BLOCK)
        progress = progress or Progress()
        for number, _ in enumerate(map_bands(blocks, compute, threads=threads)):
            progress.update((number + 1) / len(blocks), "terrain")
        return cls(cells=cells, ratio=ratio)

    def factors(
        self, lines: NDArray[np.float64], pixels: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Factors ``A_beta / A_gamma`` at places in the image.

        Parameters
        ----------
        lines, pixels : ndarray of float64, shape (n,)
            Fractional coordinates in the image; NaN where unknown.

        Returns
        -------
        ndarray of float32, shape (n,)
            Inverse of the ratio, which is interpolated bilinearly; NaN outside the window and
            where the ratio is below SMALLEST_RATIO, as in shadow.
        """
        found = np.empty(lines.shape, np.float32)
        terrain_flattening_numba.factors(
            self.ratio,
            self.cells.window.lines.first,
            self.cells.window.pixels.first,
            *self.cells.looks,
            SMALLEST_RATIO,
            lines,
            pixels,
            found,
        )
        return found
