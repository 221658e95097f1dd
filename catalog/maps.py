"""Maps of footprints, as PNG or as one HTML page that needs no other."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from catalog.areas import Extent, Ring, extent_of, rings_of
from catalog.errors import QueryError
from catalog.listing import write_beside
from catalog.model import Box, Geometry, Product, Storage

_COLOURS = {
    Storage.LOCAL: "#1b7837",
    Storage.DISK: "#2166ac",
    Storage.TAPE: "#b2182b",
    Storage.STAGING: "#e08214",
    Storage.UNKNOWN: "#666666",
}
_WIDTH = 900.0
_MARGIN = 0.05
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 45.0, 90.0)


class _Shape(NamedTuple):
    product: Product
    ring: Ring


def write_map(path: Path, products: Sequence[Product], area: Box | Geometry | None = None) -> None:
    """Draw footprints, coloured by where the products are.

    Parameters
    ----------
    path : Path
        Ending in .png or .html.
    products : sequence of Product
        Those without a footprint are left out.
    area : Box or Geometry or None
        Drawn with a dashed line.

    Raises
    ------
    QueryError
        The file has another ending.
    StorageError
        It cannot be written.
    """
    shapes = [
        _Shape(product, ring)
        for product in products
        if product.footprint is not None
        for ring in rings_of(product.footprint)
    ]
    area_rings = [] if area is None else rings_of(area)
    extent = _extent([shape.ring for shape in shapes] + area_rings)
    draw = {".png": _png, ".html": _html}.get(path.suffix.lower())
    if draw is None:
        raise QueryError("map", "a file ending in .png or .html", path.name)
    write_beside(path, draw(shapes, area_rings, extent))


def _extent(rings: list[Ring]) -> Extent:
    if not rings:
        return Extent(-180.0, -90.0, 180.0, 90.0)
    wests, souths, easts, norths = zip(*map(extent_of, rings), strict=True)
    west, south, east, north = min(wests), min(souths), max(easts), max(norths)
    margin = _MARGIN * max(east - west, north - south, 0.1)
    return Extent(west - margin, south - margin, east + margin, north + margin)


def _png(shapes: list[_Shape], area: list[Ring], extent: Extent) -> bytes:
    from matplotlib.figure import Figure  # noqa: PLC0415  a second that only maps need

    figure = Figure(figsize=(9.0, 7.0), layout="constrained")
    axes = figure.add_subplot()
    told: set[Storage] = set()
    for product, ring in shapes:
        label = None if product.storage in told else product.storage.value
        told.add(product.storage)
        longitudes, latitudes = zip(*ring, strict=True)
        colour = _COLOURS[product.storage]
        axes.fill(longitudes, latitudes, facecolor=colour, alpha=0.08)
        axes.plot(longitudes, latitudes, color=colour, linewidth=0.8, label=label)
    for ring in area:
        axes.plot(*zip(*ring, strict=True), color="black", linestyle="--", linewidth=1.2)
    axes.set(
        xlim=(extent.west, extent.east),
        ylim=(extent.south, extent.north),
        xlabel="longitude [degrees]",
        ylabel="latitude [degrees]",
    )
    middle = math.radians(0.5 * (extent.south + extent.north))
    axes.set_aspect(1.0 / max(math.cos(middle), 0.2))  # a kilometre is as long both ways
    axes.grid(linewidth=0.3)
    if told:
        axes.legend(loc="upper right")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
    return buffer.getvalue()


def _html(shapes: list[_Shape], area: list[Ring], extent: Extent) -> bytes:
    scale = _WIDTH / (extent.east - extent.west)
    height = (extent.north - extent.south) * scale

    def points(ring: Ring) -> str:
        return " ".join(
            f"{(x - extent.west) * scale:.1f},{(extent.north - y) * scale:.1f}" for x, y in ring
        )

    drawn = [_graticule(extent, scale)]
    for product, ring in shapes:
        title = html.escape(f"{product.name} {product.storage}")
        drawn.append(
            f'<polygon points="{points(ring)}" fill="{_COLOURS[product.storage]}" '
            f'stroke="{_COLOURS[product.storage]}"><title>{title}</title></polygon>'
        )
    drawn += [f'<polygon class="area" points="{points(ring)}"/>' for ring in area]
    legend = "".join(
        f'<li style="color:{colour}">{storage}</li>' for storage, colour in _COLOURS.items()
    )
    every = {shape.product.name: shape.product.storage for shape in shapes}
    rows = "".join(f"<li>{html.escape(name)} {storage}</li>" for name, storage in every.items())
    page = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Footprints</title><style>
body {{ font: 14px sans-serif; }} svg {{ border: 1px solid #999; max-width: 100%; }}
polygon {{ fill-opacity: 0.08; }} polygon:hover {{ fill-opacity: 0.4; }}
.area {{ fill: none; stroke: black; stroke-dasharray: 6 4; pointer-events: none; }}
line {{ stroke: #ccc; stroke-width: 0.5; }} text {{ font-size: 11px; fill: #666; }}
</style></head><body>
<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}">{"".join(drawn)}</svg>
<ul>{legend}</ul><ol>{rows}</ol></body></html>
"""
    return page.encode()


def _graticule(extent: Extent, scale: float) -> str:
    span = max(extent.east - extent.west, extent.north - extent.south)
    step = next((step for step in _STEPS if span / step <= 10.0), _STEPS[-1])
    height = (extent.north - extent.south) * scale
    drawn = []
    for k in range(int(extent.west // step) + 1, int(extent.east // step) + 1):
        x = (k * step - extent.west) * scale
        drawn.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height:.1f}"/>')
        drawn.append(f'<text x="{x + 3:.1f}" y="{height - 4:.1f}">{k * step:g}</text>')
    for k in range(int(extent.south // step) + 1, int(extent.north // step) + 1):
        y = (extent.north - k * step) * scale
        drawn.append(f'<line x1="0" y1="{y:.1f}" x2="{_WIDTH:.0f}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="3" y="{y - 4:.1f}">{k * step:g}</text>')
    return "".join(drawn)
