"""What a chain is, as the web, the command line and the docs see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels.chains.artefacts import ChainResult, OutputInfo
from kernels.chains.planning import DRY_RUN, Plan
from kernels.chains.request import OptionInfo, Request
from kernels.engine.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A named computation from one request to artefacts.

    Attributes
    ----------
    name : str
        Identifier of the process and of the command, for example "dinsar-pair".
    title, abstract : str
        For people.
    version : str
        Of the chain's results.
    request : type of Request
        Its fields are the inputs.
    outputs : tuple of OutputInfo
        What a run leaves in the folder.
    run : callable
        ``run(request, folder, progress) -> ChainResult`` of a checked request; tells `progress`
        of steps and shares and asks it for cancellation. It writes its results into `folder`
        under final names only when they are complete, or raises a FournaiseError, one line that
        names what is wrong, and leaves `folder` as it was.
    products : callable or None
        ``products(request, progress) -> paths`` of the Sentinel-1 products that a run takes, where
        its options name folders of them; None: those that its options name.
    plan : callable or None
        ``plan(request) -> Plan``, which opens the input but reads no pixel; raises what `run` would
        raise for input that it refuses. A chain with a plan has an output ``report``.
    """

    name: str
    title: str
    abstract: str
    version: str
    request: type[Request]
    outputs: tuple[OutputInfo, ...]
    run: Callable[[Any, Path, Progress], ChainResult]
    products: Callable[[Any, Progress], tuple[Path, ...]] | None = None
    plan: Callable[[Any], Plan] | None = None

    @property
    def inputs(self) -> tuple[OptionInfo, ...]:
        """What clients may give: the options of the request, and whether to plan only."""
        return (*self.request.describe(), *((DRY_RUN,) if self.plan else ()))
