"""What the terrain does to an image on a tile: factors that flatten it, and masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.ortho_tiling.request import GAMMA_NAUGHT_RTC, NORMLIM, Mask
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.geometry.local_incidence import LocalIncidence, incidence_normalisation
from kernels.geometry.orbit import Orbit
from kernels.geometry.shadow import ShadowMap, TerrainProfiles
from kernels.model import GroundRangeGrid, Looks, RadarGrid
from kernels.products.raster import PixelType
from kernels.radiometry.detected import DetectedGeometry
from kernels.radiometry.detected_numba import SMALLEST
from kernels.radiometry.image_cells import ImageCells
from kernels.radiometry.terrain_flattening import TerrainFlattening
from kernels.radiometry.terrain_flattening_numba import scale_backscatter

_PROFILE_SPACING = 20.0
"""Between profiles and between their stations [m]: finer than elevation models are."""

_CELL_SIZE = 20.0
"""Of the cells that areas are summed over [m], likewise; whole pixels."""

_TYPICAL_INCIDENCE = math.radians(38.0)
_GROUND_SPEED = 0.9
"""Of the satellite's speed, on the ground."""

_PER_DEGREE = 100.0
"""Of stored local incidence, as S1Tiling's maps have it."""


class MaskRaster(NamedTuple):
    """How a mask is stored.

    Attributes
    ----------
    dtype : "uint16" or "uint8"
        Of the pixels.
    nodata : int
        Where no image of the pass has a pixel.
    meaning : str
        Of the values, for the tags.
    """

    dtype: PixelType
    nodata: int
    meaning: str


MASK_RASTERS = {
    Mask.INCIDENCE: MaskRaster("uint16", 0, "local incidence, degrees times 100"),
    Mask.LAYOVER_SHADOW: MaskRaster("uint8", 255, "0 seen, 1 layover, 2 shadow, 3 both"),
    # 0 is the answer where there is no data, so that no value is left for nodata
    Mask.BORDER: MaskRaster("uint8", 255, "1 data, 0 no data"),
}

MaskRows = dict[Mask, NDArray[Any]]
"""Rows of the masks that are wanted, each of shape (rows, columns)."""


def blank_masks(masks: Sequence[Mask], shape: tuple[int, int]) -> MaskRows:
    """Make rows of masks that no image has been seen in.

    Parameters
    ----------
    masks : sequence of Mask
        Those wanted.
    shape : tuple of (int, int)
        Rows and columns.

    Returns
    -------
    dict of Mask to ndarray
        For `ImageTerrain.apply`.
    """
    return {
        mask: np.full(
            shape,
            0 if mask is Mask.BORDER else MASK_RASTERS[mask].nodata,
            MASK_RASTERS[mask].dtype,
        )
        for mask in masks
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTerrain:
    """What one image needs of the terrain.

    Attributes
    ----------
    geometry : DetectedGeometry
        Of the image on the tile.
    flattening : TerrainFlattening or None
        For terrain-flattened gamma nought.
    incidence : LocalIncidence or None
        For a normalisation or a mask.
    shadow : ShadowMap or None
        For a mask.
    normalise : bool
        Whether backscatter is normalised by the local incidence.
    """

    geometry: DetectedGeometry
    flattening: TerrainFlattening | None
    incidence: LocalIncidence | None
    shadow: ShadowMap | None
    normalise: bool

    @classmethod
    def of(
        cls,
        geometry: DetectedGeometry,
        orbit: Orbit,
        *,
        calibration: str,
        masks: tuple[Mask, ...],
        threads: int,
        progress: Progress,
    ) -> ImageTerrain | None:
        """Prepare what a calibration and masks need.

        Parameters
        ----------
        geometry : DetectedGeometry
            Of the image on the tile.
        orbit : Orbit
            Of the image.
        calibration : str
            Of the request.
        masks : tuple of Mask
            Those wanted.
        threads : int
            Results do not depend on it.
        progress : Progress
            Told of shares; asked for cancellation.

        Returns
        -------
        ImageTerrain or None
            None where nothing is needed.
        """
        if not cls.is_needed(calibration, masks):
            return None
        flatten, normalise = calibration == GAMMA_NAUGHT_RTC, calibration == NORMLIM
        grid, dem = geometry.geometry.grid, geometry.geometry.dem
        flattening = shadow = None
        if flatten or Mask.LAYOVER_SHADOW in masks:
            side = geometry.grid.look_side
            profiles = TerrainProfiles.of(
                dem,
                orbit,
                spacing=_PROFILE_SPACING,
                side=side,
                threads=threads,
                progress=progress.part(0.0, 0.5 if flatten else 1.0),
            )
            shadow = profiles.on_map(grid) if Mask.LAYOVER_SHADOW in masks else None
            if flatten:
                window = geometry.window(Band(0, grid.shape.lines), Band(0, grid.shape.samples))
                cells = ImageCells.of(
                    geometry, orbit, window=window, looks=_cell_looks(geometry.grid, orbit)
                )
                flattening = TerrainFlattening.of(
                    cells, profiles, threads=threads, progress=progress.part(0.5, 1.0)
                )
        local = normalise or Mask.INCIDENCE in masks
        return cls(
            geometry=geometry,
            flattening=flattening,
            incidence=LocalIncidence.of(grid, dem, orbit) if local else None,
            shadow=shadow,
            normalise=normalise,
        )

    @staticmethod
    def is_needed(calibration: str, masks: Sequence[Mask]) -> bool:
        """Tell whether a calibration or masks look at the terrain."""
        return bool(masks) or calibration in (GAMMA_NAUGHT_RTC, NORMLIM)

    @property
    def nbytes(self) -> int:
        """Size of the tables [bytes]."""
        flattening = 0 if self.flattening is None else self.flattening.ratio.nbytes
        return flattening + (0 if self.shadow is None else self.shadow.bits.nbytes)

    def apply(
        self,
        rows: Band,
        found: NDArray[np.float32],
        fresh: NDArray[np.bool_],
        masks: MaskRows,
    ) -> None:
        """Flatten what was sampled in some rows of the tile, and fill the masks.

        Parameters
        ----------
        rows : Band
            Of the tile.
        found : ndarray of float32, shape (polarisations, rows, columns)
            Backscatter; becomes 0 where the terrain has no factor. What is the smallest value,
            because noise took all, stays so.
        fresh : ndarray of bool, shape (polarisations, rows, columns)
            Pixels that are this image's.
        masks : dict of Mask to ndarray, shape (rows, columns)
            Filled where any polarisation is fresh.
        """
        here = fresh.any(axis=0)
        factors = None
        if Mask.BORDER in masks:
            masks[Mask.BORDER][here] = 1
        if self.shadow is not None:
            np.copyto(masks[Mask.LAYOVER_SHADOW], self.shadow.rows(rows), where=here)
        if self.incidence is not None:
            local, _ = self.incidence.rows(rows)
            factors = incidence_normalisation(local) if self.normalise else None
            if Mask.INCIDENCE in masks:
                np.copyto(masks[Mask.INCIDENCE], _stored_incidence(local), where=here)
        if self.flattening is not None:
            lines, pixels = self.geometry.places(rows)
            flat = self.flattening.factors(lines.reshape(-1), pixels.reshape(-1))
            factors = flat.reshape(lines.shape)
        if factors is not None:
            for backscatter, new in zip(found, fresh, strict=True):
                scale_backscatter(backscatter, new, factors, SMALLEST)


def _cell_looks(grid: GroundRangeGrid | RadarGrid, orbit: Orbit) -> Looks:
    """Choose cells of about CELL_SIZE on the ground, or single pixels where these are larger."""
    line = _GROUND_SPEED * orbit.speed(orbit.start) * grid.line_interval
    if isinstance(grid, RadarGrid):
        sample = grid.slant_range_spacing / math.sin(_TYPICAL_INCIDENCE)
    else:
        sample = grid.ground_range_spacing
    return Looks(max(round(_CELL_SIZE / line), 1), max(round(_CELL_SIZE / sample), 1))


def _stored_incidence(local: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Turn radians into hundredths of a degree, at least 1; 0 outside the elevation model."""
    hundredths = np.maximum(np.rint(np.degrees(local) * _PER_DEGREE), 1.0)
    return np.nan_to_num(hundredths, nan=0.0).astype(np.uint16)
