"""The processes that a server offers: those declared in this package, and the operator's own."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType

from pywps import Process

from processes.catalogue.asking import configured_catalogs
from processes.chain_process import ChainProcess
from processes.declared import declared_names
from processes.settings import ConfigurationError, Settings


def offered_processes(settings: Settings) -> dict[str, Process]:
    """Make the processes of a server.

    Parameters
    ----------
    settings : Settings
        Names modules of the operator's own processes.

    Returns
    -------
    dict of str to pywps.Process
        By identifier, the operator's last.

    Raises
    ------
    ConfigurationError
        A module of the operator cannot be loaded, holds no process, or has one that another
        process is named like; or a catalogue is configured wrongly.
    """
    configured_catalogs()  # what is wrong there is told at the start
    found = [kind(settings) for kind in declared_processes()]
    for name in settings.process_modules:
        own = [_make(kind, settings) for kind in _processes_of(_load(name))]
        if not own:
            raise ConfigurationError(f"process_modules must hold PyWPS processes, got {name}")
        found += own
    return by_identifier(found)


def declared_processes() -> tuple[type[ChainProcess], ...]:
    """Return the processes that this package declares.

    Returns
    -------
    tuple of type
        The subclass of `ChainProcess` of each declared module.
    """
    modules = (import_module(f"processes.{name}") for name in declared_names())
    kinds = (kind for module in modules for kind in _processes_of(module))
    return tuple(kind for kind in kinds if issubclass(kind, ChainProcess))


def by_identifier(processes: Iterable[Process]) -> dict[str, Process]:
    """Index processes by their identifiers, which must differ; raises ConfigurationError."""
    found: dict[str, Process] = {}
    for process in processes:
        if process.identifier in found:
            raise ConfigurationError(
                f"processes must differ in their identifiers, got {process.identifier} twice"
            )
        found[process.identifier] = process
    return found


def _load(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigurationError(f"process_modules must be modules, got {name}: {error}") from error


def _processes_of(module: ModuleType) -> Iterator[type[Process]]:
    """Find the classes that a module defines itself."""
    for _, value in inspect.getmembers(module, inspect.isclass):
        if issubclass(value, Process) and value.__module__ == module.__name__:
            yield value


def _make(kind: type[Process], settings: Settings) -> Process:
    return kind(settings) if issubclass(kind, ChainProcess) else kind()
