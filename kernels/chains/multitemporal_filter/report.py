"""The JSON report of a filtered series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernels.chains.multitemporal_filter.request import MultitemporalFilterRequest
from kernels.chains.multitemporal_filter.sampling import Counts, middle
from kernels.chains.multitemporal_filter.series import Acquisition, Series
from kernels.chains.reports import named_values, rounded, versions
from kernels.radiometry.multitemporal import expected_looks
from kernels.radiometry.speckle import Speckle

ADVISED_IMAGES = 15
"""Fewer acquisitions leave more speckle than users expect of the filter."""

EARLIER = (
    "A result is filtered with the acquisitions known when it was written, see images; "
    "refilter = true writes all of them again with all acquisitions."
)


def warnings_of(images: int, method: str) -> list[str]:
    """List what a user should know before using the result."""
    if images >= ADVISED_IMAGES or method == "lee":
        return []
    return [
        f"only {images} acquisitions: {ADVISED_IMAGES} or more are advised, fewer leave more "
        "speckle and mix more of each acquisition into the others"
    ]


def describe_looks(
    request: MultitemporalFilterRequest,
    *,
    before: Mapping[str, Speckle],
    after: Mapping[str, float],
    images: int,
) -> dict[str, Any]:
    """Put predicted and measured looks side by side.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        How it was filtered.
    before : mapping of str to Speckle
        Measured on some acquisitions, by name.
    after : mapping of str to float
        Looks measured on their results.
    images : int
        Acquisitions at most pixels.

    Returns
    -------
    dict
        Ready for JSON; None where a figure cannot be had.
    """
    looks = request.looks or middle(s.looks for s in before.values())
    pixels = middle(s.window_pixels(request.window) for s in before.values())
    white = float(request.window**2)
    known = looks is not None and request.method != "lee"
    return {
        "of_one_acquisition": looks,
        "given": request.looks is not None,
        "window_pixels": white,
        "window_pixels_effective": pixels,
        "predicted_white": expected_looks(looks=looks, images=images, window_pixels=white)
        if looks is not None and known
        else None,
        "predicted": expected_looks(looks=looks, images=images, window_pixels=pixels)
        if looks is not None and pixels is not None and known
        else None,
        "measured": middle(after.values()),
        "measured_before": {name: s.looks for name, s in before.items()},
        "measured_after": dict(after),
    }


def make_report(
    request: MultitemporalFilterRequest,
    series: Series,
    *,
    images: Mapping[str, int],
    written: set[str],
    state_names: tuple[str, ...],
    counts: Counts | None,
    looks: dict[str, Any],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Put the report together.

    Parameters
    ----------
    request : MultitemporalFilterRequest
        As run.
    series : Series
        As found.
    images : mapping of str to int
        By name of the acquisition, with how many acquisitions its result was filtered.
    written : set of str
        Names of the acquisitions filtered by this run.
    state_names : tuple of str
        Acquisitions in the state.
    counts : Counts or None
        Of the state.
    looks : dict
        From `describe_looks`.
    seconds : dict of str to float
        Wall clock by step.

    Returns
    -------
    dict
        Ready for JSON.
    """

    def entry(acquisition: Acquisition) -> dict[str, Any]:
        return {
            "source": acquisition.name,
            "result": acquisition.result.as_posix(),
            "time": acquisition.time,
            "images": images[acquisition.name],
            "written": acquisition.name in written,
        }

    return {
        "process": "multitemporal-filter",
        "request": named_values(request),
        "polarisation": series.polarisation,
        "relative_orbit": series.relative_orbit,
        "calibration": series.calibration or None,
        "acquisitions": [entry(a) for a in series.acquisitions],
        "images_in_state": list(state_names),
        "images_per_pixel": counts._asdict() if counts else None,
        "earlier_results": EARLIER,
        "looks": looks,
        "warnings": warnings_of(len(state_names), request.method),
        "map": {
            "crs": series.grid.crs,
            "spacing": series.grid.x_spacing,
            "rows": series.grid.shape.lines,
            "columns": series.grid.shape.samples,
        },
        "versions": versions(),
        "seconds": rounded(seconds),
    }
