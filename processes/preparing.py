"""A chain is run on what a user named: inputs are found and brought before it begins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.listing import write_beside
from kernels.chains.artefacts import ChainResult
from kernels.chains.planning import DRY_RUN
from kernels.chains.registry import Chain
from kernels.chains.request import Request
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from processes.catalogue.asking import told_as_ours
from processes.catalogue.series_products import with_series_products
from processes.catalogue.supplying import default_for, supplied
from processes.resolve import NamesOnServer, resolve_values
from processes.room import check_room, stores_of
from processes.settings import STORE, Settings

_SHARE_OF_PRODUCTS = 0.3
"""Of a job whose products are not here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """One request of a chain on its way from names to a result.

    Attributes
    ----------
    chain : Chain
        To be run.
    settings : Settings
        Of the server, whose values stand for options that are left out.
    values : mapping
        What the user gave, by name of the option; names of files are names yet.
    names : NamesOnServer
        Finds what they stand for.
    by_user : bool
        Whether a user of this machine runs it, and says by himself what it may use of that.
    store : Path or None
        Folder for what the chain keeps from run to run where the user names none; None: nothing
        is kept.
    """

    chain: Chain
    settings: Settings
    values: Mapping[str, Any]
    names: NamesOnServer
    by_user: bool = False
    store: Path | None = None

    def request(self) -> Request:
        """Make the request, with the paths that products will have which are not here yet.

        Returns
        -------
        Request
            Checked.

        Raises
        ------
        RequestError
            A value breaks a rule, or a name stands for nothing; the option is named.
        """
        infos = self.chain.request.describe()
        found = resolve_values(infos, self.values, self.names)
        for info in infos:
            if found.get(info.name) is None and info.role == STORE:
                found[info.name] = self.store
            elif found.get(info.name) is None and (info.kind is Path or not self.by_user):
                found[info.name] = default_for(info, self.settings)
        return self.chain.request.from_values(found)

    def plan_request(self) -> Request:
        """Make the request of a dry run, which brings nothing.

        Returns
        -------
        Request
            Checked; its products exist.

        Raises
        ------
        RequestError
            A value breaks a rule, or a product is not here.
        """
        request = self.request()
        if self.names.missing:
            rule = "false until the products are here"
            raise RequestError(DRY_RUN.name, rule, ", ".join(self.names.missing))
        return request

    def run(self, folder: Path, progress: Progress) -> ChainResult:
        """Bring what is missing, products first, and run the chain.

        Parameters
        ----------
        folder : Path
            Receives the results.
        progress : Progress
            Told what is waited for, and of the chain's steps.

        Returns
        -------
        ChainResult
            Of the chain; its report tells also what was fetched for it.

        Raises
        ------
        FournaiseError
            One line that says why there is no result.
        """
        request = self.request()
        if self.names.missing:
            self.names.fetch(progress.part(0.0, _SHARE_OF_PRODUCTS))
            request, progress = self.request(), progress.part(_SHARE_OF_PRODUCTS, 1.0)
        request, brought, progress = with_series_products(request, self.settings, progress)
        needs = supplied(self.chain, request, self.settings, folder, progress)
        with needs as (complete, told, rest):
            _make_stores(complete)
            if not self.by_user:
                check_room(self.chain, complete, self.settings, folder)
            result = self.chain.run(complete, folder, rest)
        fetched = (*self.names.arrived, *brought.fetched, *told.fetched)
        _tell(result, fetched=fetched, notes=(*brought.notes, *told.notes))
        return result


def _make_stores(request: Request) -> None:
    """Make the folders that a chain keeps things in; nobody else may look into new ones."""
    for name, store in stores_of(request).items():
        try:
            store.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RequestError(name, f"a folder: {error.strerror}", store.name) from error


def _tell(result: ChainResult, *, fetched: Sequence[str], notes: Sequence[str]) -> None:
    """Add to the report of a run what was brought for it."""
    reports = [one.path for one in result.artefacts if one.name == "report"]
    if not (fetched or notes) or not reports:
        return
    report = json.loads(reports[0].read_text(encoding="utf-8"))
    report["supplies"] = {"fetched": list(fetched), "notes": list(notes)}
    text = json.dumps(report, indent=2, ensure_ascii=False)
    with told_as_ours():
        write_beside(reports[0], f"{text}\n".encode())
