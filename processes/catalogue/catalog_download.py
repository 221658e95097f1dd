"""Fetch products into the server's datalake: the chain `catalog-download`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.progress import Stage
from catalog.staging import Fetched
from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.chains.reports import write_report
from kernels.chains.request import option
from kernels.engine.progress import Progress
from kernels.errors import InputError, RequestError
from processes.catalogue.asking import find_named, open_configured, told_as_ours
from processes.catalogue.bringing import bring
from processes.catalogue.request import CatalogRequest
from processes.settings import read_settings

_NARROWING = ("area", "point", "tile", "place", "relative_orbit", "absolute_orbit")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRequest(CatalogRequest):
    """Products by name, or those that a search finds."""

    most: int = option(
        default=20, minimum=1, maximum=100, title="Number of products at most, 1 to 100"
    )

    def __post_init__(self) -> None:
        """Check also that not just anything is asked for."""
        CatalogRequest.__post_init__(self)
        given = [name for name in _NARROWING if getattr(self, name)]
        if not (given or self.names):
            raise RequestError("names", "given, or a place or an orbit to search for", "nothing")
        if given and self.names:
            rule = "left out where names are given"
            raise RequestError(given[0], rule, getattr(self, given[0]))


def run(request: DownloadRequest, folder: Path, progress: Progress) -> ChainResult:
    """Fetch products that are not here yet.

    Parameters
    ----------
    request : DownloadRequest
        Which.
    folder : Path
        Receives the report.
    progress : Progress
        Told which product is waited for.

    Returns
    -------
    ChainResult
        The report. One product that failed stops no other.

    Raises
    ------
    InputError
        Nothing answers the question, all failed, or the server fetches none.
    Cancelled
        The job is to stop; what has arrived stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = read_settings()
    chain = open_configured()
    progress.update(0.0, "asking the catalogue")
    if request.names:
        products = find_named(chain, request.query().names)
    else:
        with told_as_ours():
            products = tuple(chain.search(request.query()))
    if not products:
        raise InputError("no catalogue of this server has a product that answers the request")
    results = bring(products, chain, settings, progress.part(0.0, 0.99))
    if all(result.error for result in results):
        first = results[0]
        raise InputError(f"{first.product.name} could not be fetched: {first.error}")
    report = make_report(results)
    path = folder / "report.json"
    write_report(path, report)
    return ChainResult.of(CHAIN.outputs, {"report": path}, report)


def make_report(results: Sequence[Fetched]) -> dict[str, Any]:
    """Tell what became of products.

    Parameters
    ----------
    results : sequence of Fetched
        One for each.

    Returns
    -------
    dict
        Lists ``fetched``, ``there`` (before) and ``failed``, and their ``counts``; of the
        server's folders nothing.
    """
    report: dict[str, Any] = {
        "counts": {},
        **{stage.value: [] for stage in (Stage.FETCHED, Stage.THERE, Stage.FAILED)},
    }
    for result in results:
        entry = {
            "name": result.product.name,
            "catalog": result.product.catalog,
            "size": result.product.size,
        }
        if result.error is not None:
            entry["reason"] = str(InputError(str(result.error)))
        report[result.stage.value].append(entry)
    report["counts"] = {name: len(report[name]) for name in report if name != "counts"}
    return report


CHAIN = Chain(
    name="catalog-download",
    title="Fetch products into the data folders of the server",
    abstract=(
        "Fetches products by name, or those that a search finds, from the providers that the "
        "server knows; those on tape are all asked for first, and waited for. Other processes "
        "then find them by name. Products that are there already are not fetched again."
    ),
    version="1.0",
    request=DownloadRequest,
    outputs=(
        OutputInfo(
            name="report",
            title="Report",
            abstract="Which products were fetched, which were there, which failed and why.",
            media_type=MediaType.JSON,
        ),
    ),
    run=run,
)
