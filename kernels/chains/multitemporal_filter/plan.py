"""What filtering a series would take, told before a pixel is read."""

from __future__ import annotations

from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.chains.multitemporal_filter.series import open_series
from kernels.chains.planning import BASE_BYTES, SMALL_FILES, Plan, raster_bytes, threads_of
from kernels.model import Shape

_CPU_PER_PIXEL = {"quegan": 0.03e-6, "ratio": 0.09e-6, "lee": 0.09e-6}
"""By method, of a pixel of an acquisition [s]; see docs/filter.md."""
_CPU_OF_RUN = 2.0
_STATE_BANDS = 2


def plan_run(request: MultitemporalFilterRequest) -> Plan:
    """Plan a filtered series from the headers of its files, as if none were filtered yet.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        Checked request.

    Returns
    -------
    Plan
        With the acquisitions.

    Raises
    ------
    FournaiseError
        Files that the run would refuse as well.
    """
    series = open_series(request)
    count, shape = len(series.acquisitions), series.grid.shape
    threads = threads_of(request.threads)
    results = filtered_bytes(shape, count)
    return Plan(
        memory_bytes=BASE_BYTES + max(request.memory_mb * 1e6, 2.0 * shape.lines * shape.samples),
        # files before they are compressed, and beside them
        scratch_bytes=results,
        results_bytes=results * (2.0 if request.archive == "all" else 1.0) + SMALL_FILES,
        cpu_seconds=_CPU_OF_RUN + cpu_seconds(request.method, shape, count),
        threads=threads,
        details={
            "acquisitions": [acquisition.name for acquisition in series.acquisitions],
            "polarisation": series.polarisation,
            "relative_orbit": series.relative_orbit,
            "rows": shape.lines,
            "columns": shape.samples,
        },
    )


def filtered_bytes(shape: Shape, acquisitions: int) -> float:
    """Return the size of filtered files and of their state without compression [bytes]."""
    return raster_bytes(shape, bands=acquisitions + _STATE_BANDS, overviews=True)


def cpu_seconds(method: str, shape: Shape, acquisitions: int) -> float:
    """Estimate the CPU time of the filter [s]."""
    return _CPU_PER_PIXEL[method] * shape.lines * shape.samples * acquisitions
