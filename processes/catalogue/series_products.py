"""Products of a series that catalogues have come into the datalake before the series begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from catalog.model import Product
from catalog.progress import Stage
from kernels.chains.multislc_series.request import MultislcSeriesRequest, read_day
from kernels.chains.request import Request
from kernels.engine.progress import Progress
from kernels.errors import InputError
from processes.catalogue.asking import open_configured, told_as_ours
from processes.catalogue.bringing import bring
from processes.catalogue.request import CatalogRequest
from processes.settings import Settings

_MOST = 1000
_SHARE = 0.3
"""Of a job that asks the catalogues."""


class Brought(NamedTuple):
    """Products of a series: all that are here now, and what a reader should know."""

    paths: tuple[Path, ...] = ()
    fetched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def with_series_products(
    request: Request, settings: Settings, progress: Progress
) -> tuple[Request, Brought, Progress]:
    """Fetch what catalogues have for a series that asks for it, and nothing for any other request.

    Parameters
    ----------
    request : Request
        Of any chain.
    settings : Settings
        Of the server.
    progress : Progress
        See `bring_series`, whose errors are raised.

    Returns
    -------
    tuple of (Request, Brought, Progress)
        With the products among its own; what was brought; and what is left of the progress.
    """
    if not (isinstance(request, MultislcSeriesRequest) and request.catalogue):
        return request, Brought(), progress
    brought = bring_series(request, settings, progress.part(0.0, _SHARE))
    products = tuple(dict.fromkeys((*request.products, *brought.paths)))
    return replace(request, products=products), brought, progress.part(_SHARE, 1.0)


def bring_series(request: MultislcSeriesRequest, settings: Settings, progress: Progress) -> Brought:
    """Find the Sentinel-1 products of a series in the catalogues, and fetch those not here.

    Parameters
    ----------
    request : MultislcSeriesRequest
        Names track, region and days.
    settings : Settings
        Of the server.
    progress : Progress
        Told what is waited for; its wish to stop is heard within a second.

    Returns
    -------
    Brought
        One product that failed stops no other.

    Raises
    ------
    InputError
        No catalogue answers, all products failed, or the server fetches none.
    Cancelled
        The job is to stop; what has arrived stays.
    """
    progress.update(0.0, "asking the catalogue")
    catalogues = open_configured()
    with told_as_ours():
        found = tuple(catalogues.search(query_of(request).query()))
    wanted = [one for one in found if _is_wanted(one, request)]
    results = bring(wanted, catalogues, settings, progress) if wanted else ()
    failed = [one for one in results if one.path is None]
    if failed and len(failed) == len(results):
        raise InputError(f"{failed[0].product.name} could not be fetched: {failed[0].error}")
    return Brought(
        paths=tuple(one.path for one in results if one.path is not None),
        fetched=tuple(one.product.name for one in results if one.stage is Stage.FETCHED),
        notes=tuple(f"{one.product.name} could not be fetched: {one.error}" for one in failed),
    )


def query_of(request: MultislcSeriesRequest) -> CatalogRequest:
    """Return the search for a series: also what follows on the first minutes of the next day.

    Parameters
    ----------
    request : MultislcSeriesRequest
        With track and region.

    Returns
    -------
    CatalogRequest
        Its direction, mode and polarisation are left open.
    """
    first, last = request.days
    return CatalogRequest(
        product_type="SLC",
        area=request.region,
        first_day=f"{first}",
        last_day=f"{last + timedelta(days=1)}T00:05:00Z",
        relative_orbit=request.track,
        most=_MOST,
    )


def _is_wanted(product: Product, request: MultislcSeriesRequest) -> bool:
    """Tell by polarisation, beam and day whether a product may be of a series."""
    beams = _beams(request.swaths)
    excluded = {read_day("excluded_days", text) for text in request.excluded_days}
    return (
        request.polarisation in (product.polarisation or request.polarisation).split()
        and (not beams or product.name.split("_")[1] in beams)
        and (product.start is None or product.start.date() not in excluded)
    )


def _beams(swaths: Sequence[str]) -> set[str]:
    """Modes and beams as names of products have them: IW of IW2, S4 of S4."""
    return {swath.upper()[:2] for swath in swaths}
