"""Which processes there are: the chains that have a module of their name in this package.

A new process needs no entry in any list: a package ``kernels.chains.NAME`` with a ``CHAIN`` and a
module ``processes.NAME`` with a subclass of `ChainProcess` over it. Chains over the catalogue,
which the kernels do not know, are modules ``processes.catalogue.NAME``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import kernels.chains
import processes.catalogue
from kernels.chains.registry import Chain

_ROOMS = (kernels.chains, processes.catalogue)


def declared_names() -> tuple[str, ...]:
    """Return the names of the declared modules.

    Returns
    -------
    tuple of str
        In alphabetic order, for example ``dinsar_pair``.
    """
    return tuple(_homes())


def declared_chains() -> dict[str, Chain]:
    """Return the chains of the declared processes, without loading anything of WPS.

    Returns
    -------
    dict of str to Chain
        By name of the process.
    """
    chains = [import_module(home).CHAIN for home in _homes().values()]
    return {chain.name: chain for chain in chains}


def _homes() -> dict[str, str]:
    """Find the module of the chain of each declared process, by name of the latter's module."""
    found = {
        module.name: f"{room.__name__}.{module.name}"
        for room in _ROOMS
        for module in iter_modules(room.__path__)
        if find_spec(f"processes.{module.name}")
    }
    return dict(sorted(found.items()))
