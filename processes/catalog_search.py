"""The process `catalog-search`: which products there are."""

from __future__ import annotations

from processes.catalogue.catalog_search import CHAIN
from processes.chain_process import ChainProcess


class CatalogSearch(ChainProcess):
    """Products of the server's folders and of providers; answered at once where that is asked."""

    chain = CHAIN
    is_long = False
    is_repeatable = False
