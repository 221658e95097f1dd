"""What a run would do and need, told before any pixel is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kernels.chains.request import OptionInfo
from kernels.engine.bands import default_threads
from kernels.model import Shape
from kernels.products.dem_coverage import DemCoverage

DRY_RUN = OptionInfo(
    name="dry_run",
    kind=bool,
    many=False,
    optional=False,
    required=False,
    default=False,
    title="Dry run: plan only, nothing is computed (true or false)",
    abstract=(
        "The only output is then the report, which tells what would be made of what, and the "
        "memory, disk and time that it would take; no pixel is read."
    ),
    unit=None,
    minimum=None,
    maximum=None,
    choices=(),
    role=None,
)
"""Input beside those of the request."""
REPORT = "report"
"""The output that every chain with a plan has, and the only one of a dry run."""

BASE_BYTES = 400e6
"""Memory of a run beside its pixels: interpreter, libraries, caches."""
_NAMED = 6
"""Most square degrees that a warning names."""
SMALL_FILES = 10e6
"""Pictures, styles and reports of a run [bytes]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do and need. Bytes are upper estimates: compression is not counted on.

    Attributes
    ----------
    memory_bytes : float
        At most held at once.
    scratch_bytes : float
        On disk beside the results while the run is at work.
    results_bytes : float
        On disk afterwards.
    store_bytes : float
        Added to what the chain keeps from run to run, which may be on another disk.
    cpu_seconds : float or None
        Of all threads together; None where it cannot be told.
    threads : int
        Computing threads.
    warnings : tuple of str
        What the user should know before; a run that will be refused says so here.
    details : dict
        What would be made of what; ready for JSON.
    """

    memory_bytes: float
    scratch_bytes: float
    results_bytes: float
    cpu_seconds: float | None
    threads: int
    store_bytes: float = 0.0
    warnings: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def disk_bytes(self) -> int:
        """At most written and on disk at once."""
        return int(self.scratch_bytes + self.results_bytes + self.store_bytes)

    def report(self) -> dict[str, Any]:
        """Describe the plan in a few numbers, ready for JSON."""
        seconds = None if self.cpu_seconds is None else self.cpu_seconds / self.threads
        return {
            "memory_mb": round(self.memory_bytes / 1e6),
            "disk_mb": {
                "scratch": round(self.scratch_bytes / 1e6),
                "results": round(self.results_bytes / 1e6),
                "store": round(self.store_bytes / 1e6),
                "at_once": round(self.disk_bytes / 1e6),
            },
            "time": {
                "cpu_seconds": None if self.cpu_seconds is None else round(self.cpu_seconds),
                "threads": self.threads,
                "seconds": None if seconds is None else round(seconds),
                "estimated": (
                    "seconds of one core per million pixels, as measured on a Xeon of 2.8 GHz, "
                    "over the threads; another machine, or a busy one, takes another time"
                ),
            },
            "warnings": list(self.warnings),
            **self.details,
        }


def threads_of(wanted: int | None) -> int:
    """Return the threads that a request leads to, at most as many as there are cores."""
    return min(wanted or default_threads(), default_threads())


def raster_bytes(
    shape: Shape, *, bands: int, pixel_bytes: int = 4, overviews: bool = False
) -> float:
    """Return the size of a raster without compression [bytes].

    Parameters
    ----------
    shape : Shape
        Rows and columns.
    bands, pixel_bytes : int
        Of the raster.
    overviews : bool
        Whether it has smaller versions inside, of a third of its size together.

    Returns
    -------
    float
        At most so many bytes.
    """
    size = float(shape.lines) * shape.samples * bands * pixel_bytes
    return size * 4.0 / 3.0 if overviews else size


def described_elevation(
    coverage: DemCoverage, policy: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Describe the elevation under a footprint, and what its gaps lead to.

    Parameters
    ----------
    coverage : DemCoverage
        Of the box around the footprint.
    policy : {'fail', 'sea', 'fill'}
        For gaps.

    Returns
    -------
    entry : dict
        Ready for JSON.
    warnings : tuple of str
        Empty where the files cover the box; voids inside them are not seen.
    """
    entry = {
        "files": list(coverage.files),
        "share_covered": round(coverage.share, 3),
        "missing": list(coverage.missing),
        "rows": coverage.posts.lines,
        "columns": coverage.posts.samples,
        "outcome": "complete",
    }
    if not coverage.missing:
        return entry, ()
    where = ", ".join(coverage.missing[:_NAMED])
    more = len(coverage.missing) - _NAMED
    where += f" and {more} more" if more > 0 else ""
    outcome = {
        "fail": "the run would be refused",
        "sea": "sea level would be taken there",
        "fill": "heights would be interpolated there",
    }
    if policy == "fill" and not coverage.files:
        policy = "fail"
    entry["outcome"] = outcome[policy]
    return entry, (f"elevation model has no file in {where}: {outcome[policy]}",)
