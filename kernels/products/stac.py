"""STAC items: what a result is, in the words of the SpatioTemporal Asset Catalog, version 1.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.geometry.polygons import clip_to_box, ring_area
from kernels.model import SPEED_OF_LIGHT, Looks, MapGrid

STAC_VERSION = "1.1.0"

_EXTENSIONS = "https://stac-extensions.github.io/{}/schema.json"
PROJECTION, SAR, SATELLITE = (
    _EXTENSIONS.format(name) for name in ("projection/v2.0.0", "sar/v1.0.0", "sat/v1.0.0")
)

_BANDS = (("P", 0.5), ("L", 2.0), ("S", 4.0), ("C", 8.0), ("X", 12.0), ("Ku", 18.0))
"""Frequencies that end them [GHz]."""


def stac_item(
    identifier: str,
    *,
    ring: NDArray[np.float64],
    start: datetime,
    end: datetime,
    properties: Mapping[str, Any],
    extensions: Sequence[str],
    assets: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Describe a result.

    Parameters
    ----------
    identifier : str
        Of the item.
    ring : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees] around the footprint, not closed; continuous, so that
        some may lie beyond 180, where the item's geometry is cut in two.
    start, end : datetime
        UTC (naive) of the first and the last acquisition.
    properties : mapping
        Further ones; JSON values.
    extensions : sequence of str
        Schemas that these follow.
    assets : mapping
        By name, what the specification calls an asset.

    Returns
    -------
    dict
        A GeoJSON feature, ready for JSON.
    """
    geometry, box = _geometry(ring)
    times = {"start_datetime": _instant(start), "end_datetime": _instant(end)}
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": list(extensions),
        "id": identifier,
        "geometry": geometry,
        "bbox": box,
        "properties": {"datetime": None, **times, **properties},
        "links": [],
        "assets": {name: dict(asset) for name, asset in assets.items()},
    }


def projection_properties(grid: MapGrid) -> dict[str, Any]:
    """Describe a map grid as the projection extension does."""
    west, x_step, x_turn, north, y_turn, y_step = grid.geotransform
    # anything but an authority's code is the text of the reference system
    has_code = "[" not in grid.crs
    return {
        "proj:code" if has_code else "proj:wkt2": grid.crs,
        "proj:shape": list(grid.shape),
        "proj:transform": [x_step, x_turn, west, y_turn, y_step, north],
    }


def radar_properties(
    platform: str, mode: str, polarisation: str, *, wavelength: float, looks: Looks
) -> dict[str, Any]:
    """Describe an image of a radar as the extension for them does.

    Parameters
    ----------
    platform : str
        As products name it, for example S1A.
    mode, polarisation : str
        Of the image.
    wavelength : float
        [m].
    looks : Looks
        Of the result.

    Returns
    -------
    dict
        Properties of an item.
    """
    frequency = SPEED_OF_LIGHT / wavelength / 1e9
    band = next((name for name, limit in _BANDS if frequency < limit), "K")
    properties: dict[str, Any] = {
        "platform": platform.lower(),
        "sar:instrument_mode": mode,
        "sar:frequency_band": band,
        "sar:center_frequency": round(frequency, 6),
        "sar:polarizations": [polarisation],
        "sar:looks_range": looks.range,
        "sar:looks_azimuth": looks.azimuth,
    }
    if platform.startswith("S1"):
        properties |= {
            "platform": f"sentinel-{platform[1:].lower()}",
            "constellation": "sentinel-1",
            "instruments": ["c-sar"],
        }
    return properties


def _instant(time: datetime) -> str:
    return time.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def _geometry(ring: NDArray[np.float64]) -> tuple[dict[str, Any], list[float]]:
    """Polygon and box; in two parts where the antimeridian is crossed."""
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        turned = ring + np.array([turn, 0.0])
        part = clip_to_box(turned, west=-180.0, south=-90.0, east=180.0, north=90.0)
        if part.shape[0] >= 3 and abs(ring_area(part)) > 0.0:
            parts.append([_closed(part)])
    box = [_wrapped(west), float(south), _wrapped(east), float(north)]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}, box
    return {"type": "MultiPolygon", "coordinates": parts}, box


def _wrapped(longitude: float) -> float:
    if -180.0 <= longitude <= 180.0:
        return float(longitude)
    return float((longitude + 180.0) % 360.0 - 180.0)


def _closed(ring: NDArray[np.float64]) -> list[list[float]]:
    """Close a ring, anticlockwise as GeoJSON wants outer ones (RFC 7946, section 3.1.6)."""
    x, y = ring.T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0.0:
        ring = ring[::-1]
    rounded = np.round(ring, 6).tolist()
    return [*rounded, rounded[0]]
