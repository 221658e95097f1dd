"""What the JSON reports of all chains share."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kernels.chains.request import Request
from kernels.errors import ProcessingError


def named_values(request: Request) -> dict[str, Any]:
    """Values of a request by name; of files the names alone, because clients read reports.

    Parameters
    ----------
    request : Request
        As run.

    Returns
    -------
    dict
        Ready for JSON.
    """

    def plain(value: object) -> object:
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        return value.name if isinstance(value, Path) else value

    return {info.name: plain(getattr(request, info.name)) for info in request.describe()}


def versions() -> dict[str, str]:
    """Versions of what computes, by name."""
    packages = {name: version(name) for name in ("fournaise", "numpy", "numba", "gdal")}
    return packages | {"python": platform.python_version()}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Wall clock by step, to 10 ms."""
    return {name: round(value, 2) for name, value in seconds.items()}


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write a report as JSON.

    Parameters
    ----------
    path : Path
        In a scratch folder.
    report : dict
        Ready for JSON.

    Raises
    ------
    ProcessingError
        The file system did not take it.
    """
    try:
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error


class StepClock:
    """Wall clock by step of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, step: str) -> None:
        """End a step; the next one begins."""
        now = time.perf_counter()
        self.seconds[step] = now - self._last
        self._last = now
