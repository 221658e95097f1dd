"""The interferogram on the map, with the displacement beside the phase."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.insar.coherence import unbiased_coherence
from kernels.insar.geocode import Geocoder
from kernels.products.preview import Preview, join_preview, preview_looks, preview_piece
from kernels.products.raster import create_raster

MAP_BANDS = ("amplitude", "phase", "coherency", "isData", "displacement")
MAP_UNITS = ("DN", "rad", "1", "1", "m")

_HISTOGRAM = 100
_BYTES_PER_PIXEL = 120
_LARGEST_BAND = 256


@dataclass(slots=True)
class CoherenceStatistics:
    """Figures of the coherence, gathered while rows go by."""

    counts: NDArray[np.int64]
    total: float = 0.0
    pixels: int = 0
    all_pixels: int = 0

    def add(self, coherence: NDArray[np.float32], is_data: NDArray[np.bool_]) -> None:
        """Take in some rows."""
        values = coherence[is_data]
        bins = (values * np.float32(_HISTOGRAM)).astype(np.int64)
        self.counts += np.bincount(np.minimum(bins, _HISTOGRAM - 1), minlength=_HISTOGRAM)
        self.total += float(values.sum(dtype=np.float64))
        self.pixels += int(values.size)
        self.all_pixels += int(coherence.size)

    def report(self) -> dict[str, float | None]:
        """Mean, median and share of pixels with data; None where there are none."""
        if self.pixels == 0:
            return {"mean": None, "median": None, "share_of_pixels_with_data": 0.0}
        median = np.searchsorted(np.cumsum(self.counts), self.pixels / 2) / _HISTOGRAM
        return {
            "mean": round(self.total / self.pixels, 5),
            "median": round(float(median), 2),
            "share_of_pixels_with_data": round(self.pixels / self.all_pixels, 5),
        }


def write_map(
    geocoder: Geocoder,
    path: Path,
    *,
    threads: int,
    memory_mb: int,
    tags: dict[str, str],
    progress: Progress,
    unbiased_looks: float | None = None,
) -> tuple[CoherenceStatistics, Preview]:
    """Sample the swaths on the map and write the raster.

    Parameters
    ----------
    geocoder : Geocoder
        Of all swaths.
    path : Path
        GeoTIFF with the bands MAP_BANDS; displacement is towards the satellite [m], wrapped
        to a quarter of a wavelength on either side of 0.
    threads : int
        Computing and compressing threads.
    memory_mb : int
        Budget for blocks [MB].
    tags : dict of str to str
        Metadata of the raster.
    progress : Progress
        Told per band of rows.
    unbiased_looks : float or None
        Effective looks of the sums, where coherence is to be freed from its bias.

    Returns
    -------
    statistics : CoherenceStatistics
        Of the pixels with data.
    preview : Preview
        Of the raster, for its pictures.
    """
    grid = geocoder.grid
    looks = preview_looks(grid.shape)
    pieces: list[NDArray[np.float32]] = []
    statistics = CoherenceStatistics(np.zeros(_HISTOGRAM, np.int64))
    rows = rows_for_budget(
        memory_mb * 1e6 / (threads + 1), bytes_per_row=grid.shape.samples * _BYTES_PER_PIXEL
    )

    def compute(band: Band, _: None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        bands = geocoder.compute(band)
        if unbiased_looks is not None:
            bands[2] = unbiased_coherence(bands[2], unbiased_looks)
        return bands, preview_piece(bands, looks)

    with create_raster(
        path,
        grid.shape,
        MAP_BANDS,
        grid=grid,
        overviews="nearest",  # means would be wrong for wrapped phase
        tags=tags,
        units=MAP_UNITS,
        threads=threads,
    ) as writer:

        def write(band: Band, found: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
            bands, piece = found
            writer.write(band.first, bands)
            statistics.add(bands[2], bands[3] == 1.0)
            pieces.append(piece)

        run_bands(
            split_rows(
                grid.shape.lines, band_rows=min(rows, _LARGEST_BAND), multiple=looks.azimuth
            ),
            read=lambda _: None,
            compute=compute,
            write=write,
            threads=threads,
            progress=progress,
            step="map",
        )
    return statistics, join_preview(pieces, grid, looks)
