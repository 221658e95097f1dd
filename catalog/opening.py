"""Makes catalogues of settings, with the credentials that belong to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from catalog.asking import Asker
from catalog.chain import CatalogChain
from catalog.credentials import (
    BasicCredentials,
    KeyCredentials,
    TokenCredentials,
    find_key,
    find_login,
)
from catalog.eodag_catalog import EodagCatalog
from catalog.index import ProductIndex
from catalog.local import LocalCatalog
from catalog.model import Access, Catalog, Credentials
from catalog.odata import CDSE_CLIENT, CDSE_TOKENS, OdataCatalog
from catalog.resto import RestoCatalog
from catalog.settings import CatalogSettings, known_settings
from catalog.stac import PROFILES, StacCatalog

USUAL = ("geodes",)
"""What is asked where nothing is configured."""
_CONNECTIONS = {"cdse": 4, "cdse-stac": 4}
"""At once, where the provider serves more than is usual."""


def open_chain(
    settings: Iterable[CatalogSettings],
    *,
    names: Iterable[str] = (),
    login_file: Path | None = None,
    ca_bundle: Path | None = None,
    proxy: str = "",
) -> CatalogChain:
    """Make the catalogues of some settings one.

    Parameters
    ----------
    settings : iterable of CatalogSettings
        What is configured; the usual ones where nothing is.
    names : iterable of str
        Which of them, or of the well-known ones; all that are configured where empty.
    login_file : Path, optional
        File with user and password, over the configured one.
    ca_bundle : Path, optional
        Authorities that certificates are checked against, over the configured ones.
    proxy : str
        Address of a proxy for questions, over that of the environment.

    Returns
    -------
    CatalogChain
        Local ones first.

    Raises
    ------
    SettingsError
        A name is neither configured nor well-known.
    AccessError
        A credentials file cannot be read.
    StorageError
        An index cannot be opened.
    """
    configured = {one.name: one for one in settings}
    chosen = tuple(names) or tuple(configured) or USUAL
    wanted = [configured.get(name) or known_settings(name) for name in chosen]
    if ca_bundle is not None:
        wanted = [replace(one, ca_bundle=ca_bundle) for one in wanted]
    return CatalogChain(open_catalog(one, login_file=login_file, proxy=proxy) for one in wanted)


def open_catalog(
    settings: CatalogSettings, *, login_file: Path | None = None, proxy: str = ""
) -> Catalog:
    """Make one catalogue.

    Parameters
    ----------
    settings : CatalogSettings
        Of the catalogue.
    login_file : Path, optional
        File with user and password, over the configured one.
    proxy : str
        Address of a proxy for questions.

    Returns
    -------
    Catalog
        Ready to be asked; nothing is asked yet.

    Raises
    ------
    AccessError
        The credentials file cannot be read.
    StorageError
        The index cannot be opened.
    """
    if settings.type == "local":
        return _open_local(settings)
    if settings.type == "eodag":
        return _open_eodag(settings)
    verify = str(settings.ca_bundle) if settings.ca_bundle else True
    asker = Asker(settings.name, verify=verify, proxy=proxy)
    access = _access(settings, _find_credentials(settings, asker, login_file))
    name, address = settings.name, settings.address
    if settings.type == "resto":
        return RestoCatalog(name, address, access=access, asker=asker)
    if settings.type == "cdse":
        return OdataCatalog(name, address, access=access, asker=asker)
    profile = PROFILES[settings.type]
    return StacCatalog(name, profile, address=address, access=access, asker=asker)


def _access(settings: CatalogSettings, credentials: Credentials | None) -> Access:
    usual = _CONNECTIONS.get(settings.type, Access().connections)
    return Access(
        credentials=credentials,
        connections=settings.connections or usual,
        ca_bundle=settings.ca_bundle,
        poll_s=settings.poll_seconds,
    )


def _open_eodag(settings: CatalogSettings) -> Catalog:
    return EodagCatalog(
        settings.name,
        settings.provider,
        configuration=settings.eodag_config,
        access=_access(settings, None),
    )


def _open_local(settings: CatalogSettings) -> LocalCatalog:
    assert settings.index is not None  # the settings have checked it
    index = ProductIndex(settings.index)
    return LocalCatalog(index, roots=settings.roots, layouts=settings.layouts, name=settings.name)


def _find_credentials(
    settings: CatalogSettings, asker: Asker, login_file: Path | None
) -> Credentials | None:
    host = urlsplit(settings.address).hostname or ""
    if settings.type in {"resto", "cdse", "cdse-stac"}:
        login = find_login(settings.name, host, login_file or settings.credentials)
        if login is None:
            return None
        if settings.type == "resto":
            return BasicCredentials(login)
        return TokenCredentials(login, address=CDSE_TOKENS, client=CDSE_CLIENT, asker=asker)
    key = find_key(settings.name, host, settings.credentials)
    if not key:
        return None
    if settings.type == "geodes":
        return KeyCredentials(key)
    return KeyCredentials(key, header="Authorization", scheme="Bearer")
