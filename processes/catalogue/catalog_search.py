"""Search for products: the chain `catalog-search`."""

from __future__ import annotations

from pathlib import Path

from kernels.chains.artefacts import ChainResult, MediaType, OutputInfo
from kernels.chains.registry import Chain
from kernels.engine.progress import Progress
from processes.catalogue.asking import open_configured, told_as_ours
from processes.catalogue.listing import write_csv, write_geojson
from processes.catalogue.request import CatalogRequest


def run(request: CatalogRequest, folder: Path, progress: Progress) -> ChainResult:
    """Ask the catalogues of this server.

    Parameters
    ----------
    request : CatalogRequest
        The question.
    folder : Path
        Receives the products as GeoJSON and as a table.
    progress : Progress
        Told of the steps.

    Returns
    -------
    ChainResult
        Both files; an empty collection where nothing answers the question.

    Raises
    ------
    InputError
        No catalogue is configured, or none answers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chain = open_configured()
    progress.update(0.1, "asking the catalogue")
    with told_as_ours():
        products = list(chain.search(request.query()))
    progress.update(0.9, f"writing {len(products)} products")
    paths = {"products": folder / "products.geojson", "table": folder / "table.csv"}
    write_geojson(paths["products"], products, chain.problems)
    write_csv(paths["table"], products)
    return ChainResult.of(CHAIN.outputs, paths, {"count": len(products)})


CHAIN = Chain(
    name="catalog-search",
    title="Search for products",
    abstract=(
        "Finds products in the folders of the server and at the providers that it knows, by "
        "time, place, track and kind. Each product comes once, the local one first."
    ),
    version="1.0",
    request=CatalogRequest,
    outputs=(
        OutputInfo(
            name="products",
            title="Products with their footprints",
            abstract="GeoJSON; storage is local, disk, tape, staging or unknown.",
            media_type=MediaType.GEOJSON,
        ),
        OutputInfo(
            name="table",
            title="Products as a table",
            abstract="Comma-separated values with a line of headings; sizes are in bytes.",
            media_type=MediaType.CSV,
        ),
    ),
    run=run,
)
