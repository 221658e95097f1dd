"""Where known datalakes keep a product, so that it is found by its name without a search."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from catalog.errors import QueryError
from catalog.names import product_of_name

KNOWN_LAYOUTS: Mapping[str, str] = {
    "folder": "{name}.SAFE",
    "zip": "{name}.zip",
    "eodag": "{name}/{name}.SAFE",
    "peps": "{year}/{month}/{day}/{platform}/{name}.zip",
    "days": "{year}/{month}/{day}/{name}.zip",
    "tiles": "{zone}/{band}/{square}/{year}/{month}/{day}/{name}.zip",
    "ortho": "{tile}/{year}/{month}/{day}/{name}.tif",
}
"""Paths below a root: of plain folders, of eodag, of PEPS, of CNES' object store (days: GRD; tiles:
S2), of ortho tiles."""

_FIELD = re.compile(r"\{(\w+)\}")
_FIELDS = frozenset(
    {"name", "platform", "type", "mode", "year", "month", "day", "tile", "zone", "band", "square"}
)


def read_layout(text: str) -> str:
    """Read a layout: one of the known names, or a path of its own with fields in braces.

    Parameters
    ----------
    text : str
        For example ``peps`` or ``{type}/{year}/{name}.zip``.

    Returns
    -------
    str
        Path with fields, below a root.

    Raises
    ------
    QueryError
        It has an unknown field, lacks the name, or leads out of its root.
    """
    layout = KNOWN_LAYOUTS.get(text.strip(), text.strip())
    fields = set(_FIELD.findall(layout))
    if "name" not in fields or not fields <= _FIELDS:
        names = ", ".join([*KNOWN_LAYOUTS, *sorted(_FIELDS)])
        raise QueryError("layouts", f"known layouts, or paths with fields of {names}", text)
    if layout.startswith("/") or ".." in layout.split("/"):
        raise QueryError("layouts", "paths below a root", text)
    return layout


def path_in(root: Path, layout: str, name: str) -> Path | None:
    """Return where a layout keeps a product.

    Parameters
    ----------
    root : Path
        Of the datalake, without links.
    layout : str
        Path with fields.
    name : str
        Of the product.

    Returns
    -------
    Path or None
        None where it is not there, the name does not tell enough, or a link leads out of the root.
    """
    product = product_of_name(name)
    if product.start is None:
        return None
    tile = str(product.properties.get("tile", ""))
    values = {
        "name": product.name,
        "platform": product.platform,
        "type": product.product_type,
        "mode": product.mode,
        "year": f"{product.start:%Y}",
        "month": f"{product.start:%m}",
        "day": f"{product.start:%d}",
        "tile": tile,
        "zone": tile[:2],
        "band": tile[2:3],
        "square": tile[3:],
    }
    if not all(values[field] for field in _FIELD.findall(layout)):
        return None
    path = root / _FIELD.sub(lambda found: values[found[1]], layout)
    try:
        return path if path.resolve(strict=True).is_relative_to(root) else None
    except OSError:
        return None
