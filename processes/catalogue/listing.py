"""Products as a server tells of them: nothing of its own folders."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from catalog.errors import CatalogError
from catalog.listing import plain
from catalog.model import Product
from kernels.errors import InputError, ProcessingError

COLUMNS = (
    *("name", "start", "platform", "product_type", "mode", "polarisation"),
    *("relative_orbit", "absolute_orbit", "direction", "cloud_cover", "size"),
    *("storage", "catalog", "quicklook"),
)


def write_geojson(
    path: Path, products: Sequence[Product], problems: Sequence[CatalogError]
) -> None:
    """Write products as a GeoJSON collection of features (RFC 7946).

    Parameters
    ----------
    path : Path
        Of the file.
    products : sequence of Product
        With their footprints.
    problems : sequence of CatalogError
        Of catalogues that did not answer; a member ``problems`` of the collection tells them.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    """
    collection = {
        "type": "FeatureCollection",
        "problems": [str(InputError(str(problem))) for problem in problems],
        "features": [
            {
                "type": "Feature",
                "id": product.name,
                "geometry": product.footprint,
                "properties": plain(_public(product)),
            }
            for product in products
        ],
    }
    _write(path, json.dumps(collection, indent=1))


def write_csv(path: Path, products: Sequence[Product]) -> None:
    """Write products as a table, a line each.

    Parameters
    ----------
    path : Path
        Of the file.
    products : sequence of Product
        Any.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
            table.writeheader()
            table.writerows(plain(product) for product in products)
    except OSError as error:
        raise _unwritten(path, error) from error


def _public(product: Product) -> Product:
    """Leave out where a product lies on this machine."""
    if product.path is None:
        return product
    return replace(product, path=None, identifier="", address="")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> ProcessingError:
    return ProcessingError(f"{path.name} could not be written: {error.strerror}")
