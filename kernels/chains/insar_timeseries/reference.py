"""The cells that motion is relative to, and the phase of every pair there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.chains.regions import read_point, read_region
from kernels.engine.bands import Band, rows_for_budget, split_rows
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError, RequestError
from kernels.insar.reference_cells import (
    SIDE,
    PairReference,
    most_coherent_cell,
    pair_references,
)
from kernels.products.mintpy import StackRows

_LARGEST_BAND = 512
_MOST_CELLS = 20_000
"""Of an area: more are taken evenly, as all pairs are held there at once."""
_NAMED = 6
_REACH = 3.0
"""A point is on the ground of the cells if one is nearer than so many of their spacings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReference:
    """What motion is relative to.

    Attributes
    ----------
    inputs : Inputs
        Without the pairs that are not known there.
    pairs : PairReference
        Phase and region of each of these pairs.
    row, column : int
        Of the cell nearest to the middle among those that most pairs know.
    rows : Band
        That hold the reference's cells.
    inside : ndarray of bool, shape (rows, columns)
        Which of the cells of these rows they are.
    outline : ndarray of float64, shape (n, 2)
        Longitudes and latitudes [degrees] of the point or of the corners of the area; none where
        the cells have no places.
    description : dict
        For the report.
    band_rows : int
        That are read at once.
    """

    inputs: Inputs
    pairs: PairReference
    row: int
    column: int
    rows: Band
    inside: NDArray[np.bool_]
    outline: NDArray[np.float64]
    description: dict[str, object]
    band_rows: int

    def mean(self, read: Callable[[Band], NDArray[np.floating]]) -> NDArray[np.float64]:
        """Average layers over the reference's cells that have a value.

        Parameters
        ----------
        read : callable
            ``(rows) -> layers`` of shape (layers, rows, columns).

        Returns
        -------
        ndarray of float64, shape (layers,)
            NaN where no cell has a value.
        """
        parts = _parts(self.rows, self.inside, self.band_rows)
        own = np.concatenate(
            [read(rows)[:, chosen].astype(np.float64) for rows, chosen in parts], axis=1
        )
        known = np.isfinite(own)
        total = np.where(known, own, 0.0).sum(axis=-1)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / known.sum(axis=-1))


def usable(
    rows: StackRows, request: InsarTimeseriesRequest, components: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Return the phase where it may be used, NaN elsewhere.

    Parameters
    ----------
    rows : StackRows
        Of the pairs.
    request : InsarTimeseriesRequest
        Least coherence, and which regions.
    components : ndarray of int64, shape (pairs,), or None
        Region of the reference in each pair, None where it is not known yet.

    Returns
    -------
    ndarray of float32, shape (pairs, rows, columns)
        [rad].
    """
    phase = rows.phase
    if rows.coherence is not None:
        phase = np.where(rows.coherence >= request.minimum_coherence, phase, np.float32(np.nan))
    if rows.components is not None:
        inside = rows.components > 0
        if components is not None and request.components == "reference":
            inside = rows.components == components[:, None, None]
        phase = np.where(inside, phase, np.float32(np.nan))
    return phase


def find_reference(
    request: InsarTimeseriesRequest, inputs: Inputs, progress: Progress
) -> StackReference:
    """Find the reference and the phase of each pair there.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        A point, an area, or nothing.
    inputs : Inputs
        Opened files.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    StackReference
        With one pair or more.

    Raises
    ------
    RequestError
        A point or an area that is not on the ground of the cells, or not known to any pair.
    ProcessingError
        No area of the scene is known to any pair.
    """
    mask, row, column, kind = _cells(request, inputs, progress)
    rows = np.flatnonzero(mask.any(axis=1))
    band = Band(int(rows[0]), int(rows[-1] - rows[0]) + 1)
    inside = mask[band.first : band.first + band.rows]
    band_rows = _band_rows(request, inputs)
    read = _read_cells(request, inputs, _parts(band, inside, band_rows))
    components = None
    if read.components is not None and request.components == "reference":
        components = read.components.astype(np.int64)
    found = pair_references(read.phase, components)
    lost = ~np.isfinite(found.phases)
    if lost.all():
        given = request.reference_point or request.reference_area
        name = "reference_point" if request.reference_point is not None else "reference_area"
        if given is None:
            raise ProcessingError("the reference noted in the stack is coherent in no pair")
        coherence = "" if read.coherence is None else _mean(read.coherence)
        raise RequestError(name, f"where a pair is known and coherent{coherence}", given)
    row, column = _nearest_known(read.phase, band.first, inside, (row, column))
    warnings: tuple[str, ...] = ()
    if lost.any():
        names = [inputs.pair_names[number] for number in np.flatnonzero(lost)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        text = f"left out, as the reference is not known in them: {', '.join(names[:_NAMED])}"
        warnings = (f"{len(names)} pairs are {text}{more}",)
    return StackReference(
        inputs=inputs.without(lost, warnings) if lost.any() else inputs,
        pairs=PairReference(found.phases[~lost], found.components[~lost]),
        row=row,
        column=column,
        rows=band,
        inside=inside,
        outline=_outline(request, inputs, row, column),
        description={
            "kind": kind,
            "row": row,
            "column": column,
            "cells": int(np.count_nonzero(mask)),
            "pairs_without": int(np.count_nonzero(lost)),
        },
        band_rows=band_rows,
    )


def _band_rows(request: InsarTimeseriesRequest, inputs: Inputs) -> int:
    """Rows of all pairs that the memory budget holds at once."""
    layers = max(len(inputs.numbers), len(inputs.days))
    rows = rows_for_budget(
        request.memory_mb * 1e6, bytes_per_row=28.0 * inputs.stack.shape.samples * layers
    )
    return min(rows, _LARGEST_BAND)


def _parts(
    rows: Band, inside: NDArray[np.bool_], band_rows: int
) -> Iterator[tuple[Band, NDArray[np.bool_]]]:
    """Bands of rows that hold cells of the reference, and which of their cells these are."""
    for part in split_rows(rows.rows, band_rows=band_rows, first=rows.first):
        chosen = inside[part.first - rows.first :][: part.rows]
        if chosen.any():
            yield part, chosen


def _read_cells(
    request: InsarTimeseriesRequest,
    inputs: Inputs,
    parts: Iterator[tuple[Band, NDArray[np.bool_]]],
) -> StackRows:
    """Read the reference's cells, each array of shape (pairs, cells); unusable phase is NaN."""
    phases, coherences, components = [], [], []
    for rows, chosen in parts:
        read = inputs.stack.rows(rows, inputs.numbers)
        phases.append(usable(read, request)[:, chosen])
        if read.coherence is not None:
            coherences.append(read.coherence[:, chosen])
        if read.components is not None:
            components.append(read.components[:, chosen])
    return StackRows(
        np.concatenate(phases, axis=1),
        np.concatenate(coherences, axis=1) if coherences else None,
        np.concatenate(components, axis=1) if components else None,
    )


def _nearest_known(
    phases: NDArray[np.float32],
    first_row: int,
    inside: NDArray[np.bool_],
    middle: tuple[int, int],
) -> tuple[int, int]:
    """Row and column of a cell that has a result: MintPy's tools take the place for known."""
    known = np.isfinite(phases).sum(axis=0)
    cells = np.argwhere(inside)[known == known.max()] + (first_row, 0)
    row, column = cells[np.square(cells - middle).sum(axis=1).argmin()]
    return int(row), int(column)


def _mean(coherence: NDArray[np.float32]) -> str:
    known = coherence[np.isfinite(coherence)]
    return f", coherence is {known.mean():.2f} there" if known.size else ""


def _cells(
    request: InsarTimeseriesRequest, inputs: Inputs, progress: Progress
) -> tuple[NDArray[np.bool_], int, int, str]:
    """Mask of the reference's cells, the middle one, and what kind it is."""
    mask = np.zeros(inputs.stack.shape, np.bool_)
    values = inputs.stack.attributes
    if request.reference_area is not None:
        return _area(request, inputs, mask, progress)
    if request.reference_point is not None:
        place = read_point(request.reference_point, argument="reference_point")
        row, column = nearest_cell(inputs, place, "reference_point", progress)
        kind = "point"
    elif {"REF_Y", "REF_X"} <= values.keys():
        row, column = (int(float(values[name])) for name in ("REF_Y", "REF_X"))
        kind = "as noted in the stack"
        if not (0 <= row < mask.shape[0] and 0 <= column < mask.shape[1]):
            raise ProcessingError("the reference noted in the stack is outside of it")
    else:
        row, column = _most_coherent(request, inputs, progress)
        kind = "most coherent area"
    half = SIDE // 2
    mask[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1] = True
    return mask, row, column, kind


def _area(
    request: InsarTimeseriesRequest,
    inputs: Inputs,
    mask: NDArray[np.bool_],
    progress: Progress,
) -> tuple[NDArray[np.bool_], int, int, str]:
    west, south, east, north = read_region(request.reference_area or "", argument="reference_area")
    for band in split_rows(mask.shape[0], band_rows=_LARGEST_BAND):
        progress.update(band.first / mask.shape[0], "reference")
        longitudes, latitudes = inputs.positions(band)
        eastward = (longitudes - west) % 360.0
        mask[band.first : band.first + band.rows] = (
            (eastward <= east - west) & (latitudes >= south) & (latitudes <= north)
        )
    if not mask.any():
        rule = "on the ground of the interferograms"
        raise RequestError("reference_area", rule, request.reference_area)
    cells = np.flatnonzero(mask)
    mask.flat[cells] = np.arange(cells.size) % -(-cells.size // _MOST_CELLS) == 0
    middle = np.argwhere(mask).mean(axis=0)
    return mask, int(middle[0]), int(middle[1]), "area"


def nearest_cell(
    inputs: Inputs, place: tuple[float, float], argument: str, progress: Progress
) -> tuple[int, int]:
    """Find the cell at a place.

    Parameters
    ----------
    inputs : Inputs
        With positions.
    place : tuple of float
        Longitude and latitude [degrees].
    argument : str
        Name of the option, for errors.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    tuple of int
        Row and column.

    Raises
    ------
    RequestError
        It is not on the ground of the cells.
    """
    best, spacing, cell = np.inf, np.inf, (0, 0)
    lines = inputs.stack.shape.lines
    for band in split_rows(lines, band_rows=_LARGEST_BAND):
        progress.update(band.first / lines, "places")
        longitudes, latitudes = inputs.positions(band)
        east = (longitudes - place[0] + 180.0) % 360.0 - 180.0
        distance = np.hypot(east * np.cos(np.radians(place[1])), latitudes - place[1])
        if np.isnan(distance).all():
            continue
        number = int(np.nanargmin(distance))
        row, column = divmod(number, distance.shape[1])
        if distance[row, column] < best:
            best, cell = float(distance[row, column]), (band.first + row, column)
            spacing = _spacing(longitudes, latitudes, row, column)
    if not best <= _REACH * spacing:
        text = f"{place[0]:g},{place[1]:g}"
        raise RequestError(argument, "on the ground of the interferograms", text)
    return cell


def _spacing(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], row: int, column: int
) -> float:
    """Largest distance from a cell to its neighbours [degrees of latitude]."""
    near = []
    for down, across in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        i, j = row + down, column + across
        if 0 <= i < longitudes.shape[0] and 0 <= j < longitudes.shape[1]:
            east = (longitudes[i, j] - longitudes[row, column] + 180.0) % 360.0 - 180.0
            north = latitudes[i, j] - latitudes[row, column]
            near.append(np.hypot(east * np.cos(np.radians(latitudes[row, column])), north))
    return float(np.nanmax(near)) if np.isfinite(near).any() else 0.0


def _most_coherent(
    request: InsarTimeseriesRequest, inputs: Inputs, progress: Progress
) -> tuple[int, int]:
    shape = inputs.stack.shape
    coherence = np.zeros(shape, np.float32)
    known = np.zeros(shape, np.int32)
    for band in split_rows(shape.lines, band_rows=_band_rows(request, inputs)):
        progress.update(band.first / shape.lines, "reference")
        part = slice(band.first, band.first + band.rows)
        read = inputs.stack.rows(band, inputs.numbers)
        there = np.isfinite(usable(read, request))
        known[part] = there.sum(axis=0)
        if read.coherence is not None:
            total = np.where(there, read.coherence, np.float32(0.0)).sum(axis=0)
            coherence[part] = total / len(inputs.numbers)
    cell = most_coherent_cell(coherence, known)
    if cell is None:
        raise ProcessingError(
            f"no cell reaches minimum_coherence = {request.minimum_coherence:g} in any pair"
        )
    return cell


def _outline(
    request: InsarTimeseriesRequest, inputs: Inputs, row: int, column: int
) -> NDArray[np.float64]:
    if request.reference_area is not None:
        west, south, east, north = read_region(request.reference_area, argument="reference_area")
        return np.array([(west, south), (east, south), (east, north), (west, north)])
    if not inputs.has_positions:
        return np.empty((0, 2))
    longitudes, latitudes = inputs.positions(Band(row, 1))
    return np.array([(longitudes[0, column], latitudes[0, column])])
