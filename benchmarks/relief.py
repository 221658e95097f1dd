"""Terrain under simulated pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kernels.model import Dem, GeographicBox
from kernels.products.dem import load_dem


def real_relief(folder: Path, box: GeographicBox) -> Dem:
    """Elevation tiles of a folder, above the ellipsoid."""
    return load_dem([folder], box, heights="egm96", missing="sea")


def hills(box: GeographicBox) -> Dem:
    """Hills of some kilometres with slopes up to 25 degrees."""
    step = 1.0 / 1200.0
    longitudes = np.arange(box.west, box.east, step)
    latitudes = np.arange(box.north, box.south, -step)
    x, y = np.meshgrid(longitudes / step, latitudes / step)
    heights = 600.0 + 300.0 * np.sin(x / 11.0) * np.cos(y / 13.0) + 40.0 * np.sin(y / 3.0)
    return Dem(
        heights=heights.astype(np.float32),
        west=float(longitudes[0]),
        north=float(latitudes[0]),
        longitude_step=step,
        latitude_step=-step,
    )
