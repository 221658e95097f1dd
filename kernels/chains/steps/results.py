"""The end of every step: report, final names, result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kernels.chains.artefacts import ChainResult, OutputInfo
from kernels.chains.reports import write_report
from kernels.engine.progress import Progress
from kernels.engine.workspace import publish


def finish(
    scratch: Path,
    folder: Path,
    *,
    files: Mapping[str, str],
    outputs: Sequence[OutputInfo],
    report: dict[str, Any],
    progress: Progress,
    report_name: str = "report",
) -> ChainResult:
    """Write the report beside the other files and give all of them their final names.

    Parameters
    ----------
    scratch : Path
        Holds the files but for the report.
    folder : Path
        Receives them.
    files : mapping of str to str
        Names of files by output.
    outputs : sequence of OutputInfo
        Those of the chain.
    report : dict
        Ready for JSON.
    progress : Progress
        Asked for cancellation a last time, and told of the end.
    report_name : str
        Output that is the report.

    Returns
    -------
    ChainResult
        Files and report.

    Raises
    ------
    ProcessingError
        The file system did not take the report.
    Cancelled
        If asked to stop; `folder` is as it was.
    """
    write_report(scratch / files[report_name], report)
    progress.check()
    paths = {name: publish(scratch / file, folder / file) for name, file in files.items()}
    progress.update(1.0, "done")
    return ChainResult.of(outputs, paths, report)
