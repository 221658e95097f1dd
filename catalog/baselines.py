"""Baselines of possible pairs, from orbits that are on this disk.

The only module of the catalogue that knows the kernels, whose geometry it asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from catalog.model import Product
from catalog.orbit_choice import orbit_files_for
from catalog.orbit_files import span_of
from catalog.pairs import Pair, PairBaseline, common_boxes, size_of
from kernels.errors import FournaiseError, ProductError
from kernels.geometry.baseline import baseline
from kernels.geometry.ellipsoid import geodetic_to_ecef
from kernels.geometry.orbit import Orbit
from kernels.model import StateVectors
from kernels.products.orbit_files import list_orbit_files, read_orbit_file
from kernels.products.sentinel1 import open_sentinel1

_WAVELENGTH_M = 0.0554658
"""Of Sentinel-1; baselines do not depend on it."""


def pair_baselines(pairs: Iterable[Pair], orbit_folders: Sequence[Path] = ()) -> list[PairBaseline]:
    """Compute the baselines of pairs.

    Products on disk have the orbit of their annotation; of the others, which tell no more than
    platform, time and footprint, the orbit is that of a file which covers them.

    Parameters
    ----------
    pairs : iterable of Pair
        Any.
    orbit_folders : sequence of Path
        Of orbit files, searched with all below.

    Returns
    -------
    list of PairBaseline
        One for each pair, in their order.
    """
    wanted = list(pairs)
    products = {one.name: one for pair in wanted for one in (pair.reference, pair.secondary)}
    orbits = _orbits(products, orbit_folders)
    return [_baseline(pair, orbits) for pair in wanted]


def _orbits(products: dict[str, Product], folders: Sequence[Path]) -> dict[str, Orbit | str]:
    """Return orbits by name of the product, or why there is none."""
    away = [one for one in products.values() if one.path is None]
    chosen = {one.product: one.path for one in orbit_files_for(away, folders)}
    found: dict[str, Orbit | str] = {}
    for name, product in products.items():
        try:
            if product.path is not None:
                found[name] = _annotated(product.path)
            else:
                found[name] = _of_file(chosen[name], product)
        except FournaiseError:
            found[name] = "an orbit that is here cannot be read"
    return found


def _annotated(path: Path) -> Orbit:
    """Read the orbit of the first image: all images of a product have the same."""
    opened = open_sentinel1(path)
    if not opened.images:
        raise ProductError(f"{opened.name} has no annotation")
    image = opened.slc(*opened.images[0], need_pixels=False)
    return _fitted(image.state_vectors, image.start, image.stop)


def _of_file(path: Path | None, product: Product) -> Orbit | str:
    span = span_of(product)
    if path is None or span is None:
        return "a product is not here, and no orbit file covers it"
    start, stop = (moment.astimezone(UTC).replace(tzinfo=None) for moment in span)
    (file,) = list_orbit_files(path)
    return _fitted(read_orbit_file(file, start=start, stop=stop, epoch=start), start, stop)


def _fitted(vectors: StateVectors, start: datetime, stop: datetime) -> Orbit:
    seconds = [(moment - vectors.epoch).total_seconds() for moment in (start, stop)]
    return Orbit.fit(vectors, start=seconds[0], stop=seconds[1])


def _baseline(pair: Pair, orbits: dict[str, Orbit | str]) -> PairBaseline:
    reference, secondary = orbits[pair.reference.name], orbits[pair.secondary.name]
    if isinstance(reference, str):
        return PairBaseline(reason=reference)
    if isinstance(secondary, str):
        return PairBaseline(reason=secondary)
    boxes = common_boxes(pair.reference, pair.secondary)
    if not boxes:
        return PairBaseline(reason="where a product lies is not known")
    box = max(boxes, key=size_of)
    longitude = np.radians([(box.west + box.east) / 2.0])
    latitude = np.radians([(box.south + box.north) / 2.0])
    point = geodetic_to_ecef(longitude, latitude, np.zeros(1))
    found = baseline(reference, secondary, point, wavelength=_WAVELENGTH_M)
    return PairBaseline(float(found.perpendicular[0]), float(found.parallel[0]))
