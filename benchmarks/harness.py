"""What every benchmark shares: finding them, measuring a call, describing the machine.

A benchmark is a module of this folder with a function ``run(arguments) -> dict`` of figures
that JSON can hold (errors as absolute values, times in seconds, memory in MB of a million bytes)
and, where it takes options of its own, ``add_options(parser)``. It is called by the module's
name. It tells progress through `say` and measures through `measure`.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import grimp
import numpy as np

from kernels.engine.workspace import scratch_folder

ROOT = Path(__file__).resolve().parents[1]
SIMULATION = "kernels.simulation"
"""What simulates input: it depends on this package and on all that the package imports."""


def benchmark_names() -> tuple[str, ...]:
    """Find the modules of this folder that have a function `run`.

    Returns
    -------
    tuple of str
        In alphabetical order.
    """
    return tuple(
        path.stem
        for path in sorted(Path(__file__).parent.glob("*.py"))
        if any(
            isinstance(node, ast.FunctionDef) and node.name == "run"
            for node in ast.parse(path.read_text()).body
        )
    )


def say(text: str) -> None:
    """Tell progress, apart from the result on the standard output.

    Parameters
    ----------
    text : str
        One line.
    """
    print(text, file=sys.stderr, flush=True)


def describe_machine() -> dict[str, Any]:
    """Describe what the figures were measured on.

    Returns
    -------
    dict
        Processor, cores that this process may use, memory [GB] and system.
    """
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
    }


def describe_versions() -> dict[str, str]:
    """Name the versions that the figures were measured with.

    Returns
    -------
    dict
        Python, libraries, and the commit of this checkout (with "+" where it was edited).
    """
    libraries = ("numpy", "scipy", "numba", "gdal", "pyproj", "pywps")
    return {
        "commit": _commit(),
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def cached_input(name: str, parameters: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
    """Give a folder of simulated input, made once and kept outside the checkout.

    Parameters
    ----------
    name : str
        Of the input; an input of the same name made otherwise is removed.
    parameters : mapping
        Everything that the input depends on beside the simulation's code; JSON values.
    make : callable
        ``make(folder)`` fills an empty folder.

    Returns
    -------
    Path
        The folder, complete.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fournaise")
    folder = base / f"{name}-{_digest(parameters)}"
    if folder.is_dir():
        say(f"input: {name}, from the cache")
        return folder
    for older in base.glob(f"{name}-{'?' * 16}"):
        shutil.rmtree(older)
    say(f"input: simulating {name}")
    base.mkdir(parents=True, exist_ok=True)
    with scratch_folder(base) as scratch:
        (scratch / "input").mkdir()
        make(scratch / "input")
        return (scratch / "input").rename(folder)


def _digest(parameters: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode())
    graph = grimp.build_graph(SIMULATION.partition(".")[0], cache_dir=None)
    imported = graph.find_upstream_modules(SIMULATION, as_package=True)
    for module in sorted(imported | graph.find_descendants(SIMULATION) | {SIMULATION}):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Turn numpy's numbers and arrays, and paths, into what JSON holds."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return value.name
    raise TypeError(f"a result of type {type(value).__name__} is not JSON")


def result_line(name: str, figures: Mapping[str, Any], arguments: argparse.Namespace) -> str:
    """Write the last line of a benchmark.

    Parameters
    ----------
    name : str
        Of the benchmark.
    figures : mapping
        What its `run` returned.
    arguments : argparse.Namespace
        What it was called with.

    Returns
    -------
    str
        One JSON object.

    Raises
    ------
    ValueError
        A figure is not finite.
    """
    whole = {
        "benchmark": name,
        **figures,
        "quick": arguments.quick,
        "machine": describe_machine(),
        "versions": describe_versions(),
    }
    return json.dumps(whole, default=_plain, allow_nan=False)


def main(words: Sequence[str] | None = None) -> int:
    """Run one benchmark from the command line.

    Parameters
    ----------
    words : sequence of str, optional
        Arguments; those of the command line where missing.

    Returns
    -------
    int
        0, or 2 where the benchmark is not known.
    """
    words = sys.argv[1:] if words is None else words
    names = benchmark_names()
    name = words[0] if words else ""
    if name in ("-h", "--help"):
        print(f"usage: python -m benchmarks NAME [options]; NAME is one of: {', '.join(names)}")
        return 0
    if name not in names:
        say(f"NAME must be one of: {', '.join(names)}; got {name or 'nothing'}")
        return 2
    module = importlib.import_module(f"{__package__}.{name}")
    arguments = _options(name, module).parse_args(words[1:])
    print(result_line(name, module.run(arguments), arguments), flush=True)
    return 0


def _options(name: str, module: ModuleType) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}", description=(module.__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--shared",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        metavar="DIR",
        help="folder of real metadata (default: ../shared/data)",
    )
    parser.add_argument("--quick", action="store_true", help="small input: a trial, no figures")
    if hasattr(module, "add_options"):
        module.add_options(parser)
    return parser
