"""Every process of a server: the declared ones, and those in the operator's own modules."""

from __future__ import annotations

import inspect
from importlib import import_module

from pywps import Process

from processes.service import declared_processes
from processes.settings import ConfigurationError, Settings


def offered_processes(settings: Settings) -> dict[str, Process]:
    """Make the processes of a server.

    Parameters
    ----------
    settings : Settings
        Names the operator's modules, which hold subclasses of `pywps.Process` that can be made
        without arguments.

    Returns
    -------
    dict
        By identifier.

    Raises
    ------
    ConfigurationError
        A module cannot be imported.
    """
    processes: list[Process] = [kind(settings) for kind in declared_processes()]
    for name in settings.process_modules:
        try:
            module = import_module(name)
        except ImportError as error:
            raise ConfigurationError(
                f"process_modules must be modules, got {name}: {error}"
            ) from error
        processes += [
            kind()
            for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, Process) and kind.__module__ == module.__name__
        ]
    return {process.identifier: process for process in processes}
