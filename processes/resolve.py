"""Names in a request become local files.

A resolver answers for one name; the server's looks in the operator's folders only, the command
line's takes any path. Products that are in no folder of the server are fetched through its
catalogues: not when a request is accepted, but by its job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from catalog.names import bare_name, product_of_name
from catalog.progress import Stage
from kernels.chains.request import OptionInfo
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from processes.catalogue.asking import find_indexed, has_providers
from processes.catalogue.bringing import bring_named
from processes.listed_products import ListedProducts
from processes.settings import STORE, Settings

_PRODUCT_ENDINGS = (".SAFE", ".zip", ".h5")


class Resolver(Protocol):
    """Finds the file or folder that a name stands for."""

    def __call__(self, info: OptionInfo, name: Path) -> Path:
        """Return the path; raises RequestError naming the option if there is none."""
        ...


def resolve_values(
    infos: Iterable[OptionInfo], values: Mapping[str, Any], resolver: Resolver
) -> dict[str, Any]:
    """Replace the names of files among the values of a request by paths.

    Parameters
    ----------
    infos : iterable of OptionInfo
        The options of the request.
    values : mapping
        By name of the option; texts or paths where the option is a path.
    resolver : Resolver
        Asked once per name.

    Returns
    -------
    dict
        The same names.

    Raises
    ------
    RequestError
        A name stands for nothing that may be used.
    """
    found = dict(values)

    def resolve(info: OptionInfo, name: Any) -> Any:
        # what is no name is left for the request to refuse
        return resolver(info, Path(name)) if isinstance(name, str | Path) else name

    for info in infos:
        if info.kind is Path and info.name in found:
            value = found[info.name]
            if isinstance(value, list | tuple):
                found[info.name] = [resolve(info, name) for name in value]
            else:
                found[info.name] = resolve(info, value)
    return found


def any_path(info: OptionInfo, name: Path) -> Path:
    """Find a path of the user's own machine.

    Parameters
    ----------
    info : OptionInfo
        The option that it is given for.
    name : Path
        Absolute, or relative to the current folder; a product may lack its ending.

    Returns
    -------
    Path
        Existing, absolute; a store need not exist yet.

    Raises
    ------
    RequestError
        Nothing of that name.
    """
    if info.role == STORE:
        return name.absolute()
    for candidate in _candidates(info, name):
        real = _real_path(candidate)
        if real is not None:
            return real
    raise RequestError(info.name, "an existing file or folder", name)


@dataclass(frozen=True, slots=True)
class FoldersOfServer:
    """Finds products and paths below the folders that the operator opened.

    Attributes
    ----------
    roots : tuple of Path
        The folders. A name is a product or a path relative to one of them, or an absolute path
        inside one; links that lead out of them are refused like names of nothing, so that an
        answer tells nothing about other files.
    listed : ListedProducts or None
        Of the same folders: finds products that lie in folders below them.
    """

    roots: tuple[Path, ...]
    listed: ListedProducts | None = None

    def __call__(self, info: OptionInfo, name: Path) -> Path:
        """Return the path of a name; raises RequestError if there is none below the roots."""
        roots = [real for root in self.roots if (real := _real_path(root)) is not None]
        for candidate in self._all_candidates(roots, info, name):
            real = _real_path(candidate)
            if real is not None and any(real.is_relative_to(other) for other in roots):
                return real
        rule = "the name of a product or a path in the data folders of this server"
        raise RequestError(info.name, rule if info.role in _PRODUCT_ROLES else _PATH_RULE, name)

    def _all_candidates(
        self, roots: Iterable[Path], info: OptionInfo, name: Path
    ) -> Iterator[Path]:
        for root in roots:
            yield from _candidates(info, root / name)
        if self.listed is not None and info.role in _PRODUCT_ROLES and len(name.parts) == 1:
            found = self.listed.find(name.name)
            if found is not None:
                yield found


@dataclass(frozen=True, slots=True)
class PathsOfOperator:
    """Finds any path, as `any_path` does, and then what the folders of the server hold.

    Attributes
    ----------
    folders : FoldersOfServer
        Asked for what is no path of the current folder.
    """

    folders: FoldersOfServer

    def __call__(self, info: OptionInfo, name: Path) -> Path:
        """Return the path of a name; raises RequestError if there is none anywhere."""
        try:
            return any_path(info, name)
        except RequestError as error:
            try:
                return self.folders(info, name)
            except RequestError:
                raise error from None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesOnServer:
    """Finds products and paths in folders and indexes, and promises products to be fetched.

    What a name that is nowhere here may stand for is decided by its form alone; nobody is asked.

    Attributes
    ----------
    folders : Resolver
        Asked first.
    settings : Settings
        Of the server; without a datalake, or without a provider, nothing is promised.
    missing : list of str
        Products that were promised and are not here yet.
    fetched : dict of str to Path
        Where the others are now.
    arrived : list of str
        Those of them that nobody had brought before.
    """

    folders: Resolver
    settings: Settings
    missing: list[str] = field(default_factory=list)
    fetched: dict[str, Path] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)

    def __call__(self, info: OptionInfo, name: Path) -> Path:
        """Return the path of a name; raises RequestError if it is neither here nor a product's."""
        try:
            return self.folders(info, name)
        except RequestError:
            if not _may_be_indexed(info, name):
                raise
            bare = bare_name(name.name)
            found = self.fetched.get(bare) or find_indexed(bare)
            if found is not None:
                return found
            datalake = self.settings.datalake
            if datalake is None or not has_providers() or not _may_be_fetched(bare):
                raise
        if bare not in self.missing:
            self.missing.append(bare)
        return datalake / f"{bare}.zip"

    def fetch(self, progress: Progress) -> None:
        """Fetch what is missing; raises InputError where that cannot be done."""
        for result in bring_named(self.missing, self.settings, progress):
            if result.path is not None:
                self.fetched[result.product.name] = result.path
            if result.stage is Stage.FETCHED:
                self.arrived.append(result.product.name)
        self.missing.clear()


def _may_be_indexed(info: OptionInfo, name: Path) -> bool:
    product = product_of_name(name.name)
    types = _INDEXED_TYPES.get(info.role or "", {}).get(product.collection, ())
    return len(name.parts) == 1 and product.product_type in types


def _may_be_fetched(bare: str) -> bool:
    """Tell whether providers have products of this kind; the other sensors' are bought."""
    return product_of_name(bare).collection == "S1"


_PRODUCT_ROLES = ("slc", "product", "datalake", "slc_datalake")
_SLC_TYPES: dict[str, tuple[str, ...]] = {
    "S1": ("SLC",),
    "TSX": ("SSC",),
    "CSK": ("SCS_B", "SCS_U"),
}
_INDEXED_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "slc": _SLC_TYPES,
    "product": {"S1": ("SLC", "GRD")},
    "datalake": {"S1": ("GRD",)},
    "slc_datalake": _SLC_TYPES,
}
_PATH_RULE = "a path in the data folders of this server"


def _candidates(info: OptionInfo, path: Path) -> tuple[Path, ...]:
    """Return the path itself and, of a product, the forms that it may be kept in."""
    if info.role not in _PRODUCT_ROLES or not path.name:
        return (path,)
    bare = path.name
    for ending in _PRODUCT_ENDINGS:
        bare = bare.removesuffix(ending)
    return (path, *(path.with_name(f"{bare}{ending}") for ending in _PRODUCT_ENDINGS))


def _real_path(path: Path) -> Path | None:
    """Follow every link; None where the path does not exist or cannot be one."""
    try:
        return path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # absent, too long, a zero byte, a loop of links
        return None
