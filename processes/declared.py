"""Which processes there are: the chains that have a module of their name in this package.

A new process needs no entry in any list: a package ``kernels.chains.NAME`` with a ``CHAIN`` and a
module ``processes.NAME`` with a subclass of `ChainProcess` over it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

import kernels.chains
from kernels.chains.registry import Chain


def declared_names() -> tuple[str, ...]:
    """Return the names of the declared modules.

    Returns
    -------
    tuple of str
        In alphabetic order, for example ``dinsar_pair``.
    """
    packages = [module.name for module in iter_modules(kernels.chains.__path__) if module.ispkg]
    return tuple(sorted(name for name in packages if find_spec(f"processes.{name}")))


def declared_chains() -> dict[str, Chain]:
    """Return the chains of the declared processes, without loading anything of WPS.

    Returns
    -------
    dict of str to Chain
        By name of the process.
    """
    chains = [import_module(f"kernels.chains.{name}").CHAIN for name in declared_names()]
    return {chain.name: chain for chain in chains}
