"""A run that stops before the first pixel: its report is the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.chains.artefacts import ChainResult
from kernels.chains.planning import REPORT, Plan
from kernels.chains.registry import Chain
from kernels.chains.reports import named_values, versions, write_report
from kernels.chains.request import Request
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import RequestError


def make_plan(chain: Chain, request: Request) -> Plan:
    """Plan a run.

    Parameters
    ----------
    chain : Chain
        What would be run.
    request : Request
        Of the chain, checked.

    Returns
    -------
    Plan
        Made without reading a pixel.

    Raises
    ------
    RequestError
        The chain has no plans.
    FournaiseError
        Input that the run would refuse as well.
    """
    if chain.plan is None:
        raise RequestError("dry_run", f"false for {chain.name}, which cannot tell before", True)
    return chain.plan(request)


def plan_report(chain: Chain, request: Request) -> dict[str, Any]:
    """Plan a run and describe the plan, ready for JSON; raises as `make_plan`."""
    return {
        "process": chain.name,
        "dry_run": True,
        "request": named_values(request),
        **make_plan(chain, request).report(),
        "versions": versions(),
    }


def dry_run(chain: Chain, request: Request, folder: Path, progress: Progress) -> ChainResult:
    """Plan a run and leave the plan as its report.

    Parameters
    ----------
    chain : Chain
        What would be run.
    request : Request
        Of the chain, checked.
    folder : Path
        Receives the report.
    progress : Progress
        Told of the beginning and the end.

    Returns
    -------
    ChainResult
        With the one output.

    Raises
    ------
    FournaiseError
        As `make_plan`, or the report cannot be written.
    """
    progress.update(0.0, "plan")
    report = plan_report(chain, request)
    outputs = tuple(output for output in chain.outputs if output.name == REPORT)
    with scratch_folder(folder) as scratch:
        write_report(scratch / "report.json", report)
        path = publish(scratch / "report.json", folder / "report.json")
    progress.update(1.0, "done")
    return ChainResult.of(outputs, {REPORT: path}, report)
