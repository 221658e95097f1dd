"""The process `catalog-download`: products come into the server's data folders."""

from __future__ import annotations

from processes.catalogue.catalog_download import CHAIN
from processes.chain_process import ChainProcess


class CatalogDownload(ChainProcess):
    """Products fetched from providers."""

    chain = CHAIN
    is_repeatable = False
