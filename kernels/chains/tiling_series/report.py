"""The JSON report of a series of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kernels.chains.reports import named_values, rounded, versions
from kernels.chains.tiling_series.filtering import TileSeries
from kernels.chains.tiling_series.making import SeriesTile
from kernels.chains.tiling_series.plan import TilePass
from kernels.chains.tiling_series.request import TilingSeriesRequest
from kernels.products.folder_search import LeftOut


class FailedPass(NamedTuple):
    """A pass whose tile could not be made, and why."""

    one: TilePass
    reason: str


def make_report(
    request: TilingSeriesRequest,
    series: Sequence[TileSeries],
    left_out: Sequence[LeftOut],
    failed: Sequence[FailedPass],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Put the report together.

    Parameters
    ----------
    request : TilingSeriesRequest
        As run.
    series : sequence of TileSeries
        As made.
    left_out : sequence of LeftOut
        Products that could not be used.
    failed : sequence of FailedPass
        Passes that gave no tile.
    seconds : dict of str to float
        Wall clock by step.

    Returns
    -------
    dict
        Ready for JSON; of files the names alone.
    """
    entries = [_series_entry(one) for one in series]
    return {
        "process": "s1-tiling-series",
        "request": named_values(request),
        "series": entries,
        "left_out": [
            *({"product": item.name, "reason": item.reason} for item in left_out),
            *(_pass_entry(item.one) | {"reason": item.reason} for item in failed),
        ],
        "warnings": [
            f"{entry['tile']} {entry['polarisation']}, relative orbit {entry['relative_orbit']}: "
            f"{warning}"
            for entry in entries
            for warning in entry["warnings"]
        ],
        "versions": versions(),
        "seconds": rounded(seconds),
    }


def _pass_entry(one: TilePass) -> dict[str, Any]:
    return {"tile": one.tile, "day": one.day.isoformat(), "products": list(one.names)}


def _series_entry(series: TileSeries) -> dict[str, Any]:
    filtered = series.filtered
    return {
        "tile": series.tile,
        "relative_orbit": series.relative_orbit,
        "direction": series.direction,
        "polarisation": series.polarisation,
        "acquisitions": [_tile_entry(series, made) for made in series.made],
        "looks": None if filtered is None else filtered.report["looks"],
        "state": None if filtered is None else filtered.state.name,
        "warnings": [] if filtered is None else filtered.report["warnings"],
    }


def _tile_entry(series: TileSeries, made: SeriesTile) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "day": made.one.day.isoformat(),
        "start": made.one.start.isoformat(),
        "products": list(made.one.names),
        "covered": made.covered,
        "tile_file": made.file_of(series.polarisation).name,
        "masks": [file.name for file in made.masks],
        "tile_written": made.written,
    }
    if series.filtered is not None:
        (own,) = (
            item
            for item in series.filtered.report["acquisitions"]
            if item["source"] == entry["tile_file"]
        )
        entry |= {
            "filtered_file": own["result"],
            "filtered_written": own["written"],
            "filtered_with": own["images"],
        }
    return entry
