"""The STAC item of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from kernels.chains.artefacts import MediaType
from kernels.chains.dinsar_pair.displacement import DISPLACEMENT_BANDS, DISPLACEMENT_UNITS
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.ortho import MAP_BANDS, MAP_UNITS
from kernels.chains.dinsar_pair.request import OUTPUTS
from kernels.geometry.ellipsoid import ecef_to_geodetic
from kernels.geometry.map_grids import ground_box
from kernels.geometry.polygons import clip_to_box
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.model import Dem, MapGrid, SlcProduct
from kernels.products.stac import (
    PROJECTION,
    SAR,
    SATELLITE,
    projection_properties,
    radar_properties,
    stac_item,
)

_EDGE_POINTS = 9
_CLOUD_OPTIMIZED = "image/tiff; application=geotiff; profile=cloud-optimized"
_BANDS = {
    "interferogram": (MAP_BANDS, MAP_UNITS),
    "filtered": (MAP_BANDS, MAP_UNITS),
    "displacement": (DISPLACEMENT_BANDS, DISPLACEMENT_UNITS),
}


def pair_item(
    pairs: tuple[SwathPair, ...], dem: Dem, grid: MapGrid, files: Mapping[str, str]
) -> dict[str, Any]:
    """Describe the result of a pair.

    Parameters
    ----------
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.
    grid : MapGrid
        Of the result.
    files : mapping of str to str
        Names of the files that there are, by output.

    Returns
    -------
    dict
        STAC item, ready for JSON; files are relative to it.
    """
    reference, secondary = pairs[0].reference, pairs[0].secondary
    dates = f"{reference.start:%Y%m%dT%H%M%S}_{secondary.start:%Y%m%dT%H%M%S}"
    swaths = "-".join(pair.reference.swath for pair in pairs)
    radar = pairs[0].layout.grid
    properties = {
        "title": f"Interferogram of {reference.start:%Y-%m-%d} and {secondary.start:%Y-%m-%d}",
        **radar_properties(
            reference.platform,
            reference.mode,
            reference.polarisation,
            wavelength=radar.wavelength,
            looks=pairs[0].looks,
        ),
        "sar:product_type": "INTERFEROGRAM",
        "sar:observation_direction": radar.look_side.value,
        "sat:orbit_state": "ascending" if reference.ascending else "descending",
        **_orbits(reference),
        **projection_properties(grid),
    }
    times = [time for image in (reference, secondary) for time in (image.start, image.stop)]
    return stac_item(
        f"{reference.platform}_{swaths}_{reference.polarisation}_{dates}",
        ring=_footprint(pairs, dem, grid),
        start=min(times),
        end=max(times),
        properties=properties,
        extensions=(PROJECTION, SAR, SATELLITE),
        assets=_assets(files),
    )


def _orbits(image: SlcProduct) -> dict[str, int]:
    """Orbit numbers, of those that the product tells."""
    numbers = {
        "sat:relative_orbit": image.relative_orbit,
        "sat:absolute_orbit": image.absolute_orbit,
    }
    return {name: number for name, number in numbers.items() if number > 0}


def _assets(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    assets = {}
    for output in OUTPUTS:
        if output.name not in files or output.name == "stac_item":
            continue
        asset: dict[str, Any] = {
            "href": f"./{files[output.name]}",
            "title": output.title,
            "type": output.media_type.value,
            "roles": ["data"],
        }
        if output.media_type is MediaType.GEOTIFF:
            asset["type"] = _CLOUD_OPTIMIZED
            asset["bands"] = [
                {"name": name, "unit": unit}
                for name, unit in zip(*_BANDS[output.name], strict=True)
            ]
        elif output.media_type is MediaType.PNG:
            asset["roles"] = ["overview"]
        elif output.media_type is not MediaType.ZIP:
            asset["roles"] = ["metadata"]
        assets[output.name] = asset
    return assets


def _footprint(pairs: tuple[SwathPair, ...], dem: Dem, grid: MapGrid) -> NDArray[np.float64]:
    """Convex ring [degrees] around the swaths at a mean height, cut to the map."""
    height = float(dem.heights.mean())
    parts = []
    for pair in pairs:
        radar = pair.layout.grid
        lines = np.linspace(0.0, radar.shape.lines - 1.0, _EDGE_POINTS)
        samples = np.array([0.0, radar.shape.samples - 1.0])
        rows, columns = (part.reshape(-1) for part in np.meshgrid(lines, samples))
        ranges = radar.slant_range(columns)
        times = radar.zero_doppler_time(rows, ranges)
        points = radar_to_ground(
            pair.reference_orbit,
            times,
            ranges,
            np.full(rows.shape, height),
            side=radar.look_side,
        )
        parts.append(np.degrees(np.stack(ecef_to_geodetic(points)[:2], axis=-1)))
    corners = np.concatenate(parts)
    box = ground_box(grid)
    middle = 0.5 * (box.west + box.east)
    corners[:, 0] = middle + (corners[:, 0] - middle + 180.0) % 360.0 - 180.0
    ring = corners[ConvexHull(corners).vertices]
    return clip_to_box(ring, **box._asdict())
