"""From displacement to motion: what is not motion is taken out, and a velocity is fitted."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.delays import Delays
from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.chains.insar_timeseries.inversion import RAW, InvertedCells
from kernels.chains.insar_timeseries.reference import StackReference
from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.engine.bands import Band, rows_for_budget, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.errors import InputError
from kernels.insar.timeseries import fit_motion
from kernels.insar.trends import linear_trends
from kernels.products.mintpy_results import SERIES, LayerFile, create_layers, create_series

FILES = {
    "timeseries": "timeseries.h5",
    "velocity": "velocity.h5",
    "temporal_coherence": "temporalCoherence.h5",
    "mask": "maskTempCoh.h5",
    "dem_error": "demErr.h5",
}
"""As MintPy calls them."""

TRENDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "height": ("height",),
    "plane": ("row", "column"),
    "plane_height": ("height", "row", "column"),
}
"""What is fitted to each date, by the request's atmosphere."""

_LARGEST_BAND = 512
_MOST_SAMPLES = 100_000
_FEWEST_SAMPLES = 50


def estimates_dem_error(request: InsarTimeseriesRequest, inputs: Inputs) -> bool:
    """Whether the error of the elevation is asked for and can be told."""
    spread = float(np.ptp(inputs.network.baselines))
    return request.dem_error and inputs.has_sight and len(inputs.days) > 3 and spread > 1.0


class MotionRows(NamedTuple):
    """Some rows of the results.

    Attributes
    ----------
    displacement : ndarray of float32, shape (dates, rows, columns)
        From the reference date on, corrected [m].
    velocity, velocity_error : ndarray of float32, shape (rows, columns)
        [m/year].
    dem_error : ndarray of float32, shape (rows, columns)
        To be added to the elevation model [m]; NaN where it is not estimated.
    """

    displacement: NDArray[np.float32]
    velocity: NDArray[np.float32]
    velocity_error: NDArray[np.float32]
    dem_error: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What is taken out of the inverted displacement.

    Attributes
    ----------
    raw : LayerFile
        Displacement as inverted.
    reference : StackReference
        Whose displacement is 0.
    delays : Delays or None
        From elsewhere.
    offsets : ndarray of float64, shape (dates,)
        Apparent displacement of the reference by them [m].
    trends : tuple of str
        Among TRENDS.
    slopes : ndarray of float64, shape (dates, trends)
        Displacement per metre of height, per row and per column [m].
    origin : ndarray of float64, shape (trends,)
        Height [m], row and column of the reference.
    date : int
        Number of the reference date.
    dem_error : bool
        Whether the error of the elevation is estimated.
    """

    raw: LayerFile
    reference: StackReference
    delays: Delays | None
    offsets: NDArray[np.float64]
    trends: tuple[str, ...]
    slopes: NDArray[np.float64]
    origin: NDArray[np.float64]
    date: int
    dem_error: bool

    def corrected(self, rows: Band) -> NDArray[np.float64]:
        """Displacement of some rows without atmosphere, shape (dates, rows, columns) [m]."""
        series = self.raw.rows(rows).astype(np.float64)
        if self.delays is not None:
            apparent = self.delays.rows(rows).astype(np.float64) - self.offsets[:, None, None]
            series -= apparent - apparent[:1]
        if self.slopes.any():
            away = self.terms(rows) - self.origin[:, None, None]
            series -= np.tensordot(self.slopes, away, axes=1)
        return series

    def terms(self, rows: Band) -> NDArray[np.float64]:
        """Values of the trends in some rows, shape (trends, rows, columns)."""
        inputs = self.reference.inputs
        columns = inputs.stack.shape.samples
        places = np.mgrid[rows.first : rows.first + rows.rows, 0:columns].astype(np.float64)
        found = dict(zip(("row", "column"), places, strict=True))
        if "height" in self.trends:
            assert inputs.geometry is not None  # the request says so
            found["height"] = inputs.geometry.rows("height", rows)
        return np.stack([found[name] for name in self.trends])

    def motion(self, rows: Band, series: NDArray[np.float64]) -> MotionRows:
        """Fit the motion of some rows."""
        inputs = self.reference.inputs
        shape = series.shape[1:]
        flat = series.reshape(len(series), -1)
        network = inputs.network
        sensitivity = network.baselines if self.dem_error else None
        fitted = fit_motion(network, flat, sensitivity=sensitivity)
        dem_error = np.full(flat.shape[1], np.nan)
        if self.dem_error:
            flat = flat - network.baselines[:, None] * fitted.dem_error
            dem_error = fitted.dem_error / inputs.height_sensitivity(rows).reshape(-1)
        flat = flat - flat[self.date]
        return MotionRows(
            flat.astype(np.float32).reshape(series.shape),
            *(
                values.astype(np.float32).reshape(shape)
                for values in (fitted.velocity, fitted.velocity_error, dem_error)
            ),
        )


def find_corrections(
    request: InsarTimeseriesRequest,
    reference: StackReference,
    cells: InvertedCells,
    delays: Delays | None,
    *,
    folder: Path,
    progress: Progress,
) -> Corrections:
    """Prepare what is taken out.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        What.
    reference : StackReference
        Whose displacement is 0.
    cells : InvertedCells
        From `invert_stack`.
    delays : Delays or None
        From elsewhere.
    folder : Path
        With the inverted displacement.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    Corrections
        For any rows.
    """
    inputs = reference.inputs
    dates = len(inputs.days)
    day = request.zero_day
    found = Corrections(
        raw=LayerFile(folder / RAW, SERIES),
        reference=reference,
        delays=delays,
        offsets=_at_reference(reference, delays),
        trends=TRENDS[request.atmosphere],
        slopes=np.zeros((dates, len(TRENDS[request.atmosphere]))),
        origin=np.zeros(len(TRENDS[request.atmosphere])),
        date=0 if day is None else inputs.days.index(day),
        dem_error=estimates_dem_error(request, inputs),
    )
    if not found.trends:
        return found
    terms, series = _sample(found, cells, _band_rows(request, inputs, threads=0), progress)
    if terms.shape[1] < _FEWEST_SAMPLES:
        return found
    origin = reference.mean(found.terms)
    origin = np.where(np.isfinite(origin), origin, np.median(terms, axis=1))
    return replace(found, slopes=linear_trends(terms, series), origin=origin)


def _band_rows(request: InsarTimeseriesRequest, inputs: Inputs, *, threads: int) -> int:
    """Rows of cells of all dates that the memory budget holds at once."""
    rows = rows_for_budget(
        request.memory_mb * 1e6 / (threads + 1),
        bytes_per_row=inputs.stack.shape.samples * (60.0 * len(inputs.days) + 100.0),
    )
    return min(rows, _LARGEST_BAND)


def _at_reference(reference: StackReference, delays: Delays | None) -> NDArray[np.float64]:
    """Apparent displacement of the reference by delays [m]."""
    if delays is None:
        return np.zeros(len(reference.inputs.days))
    there = reference.mean(delays.rows)
    if not np.isfinite(there).all():
        raise InputError("tropospheric_delays must hold a value at the reference on every date")
    return there


def _sample(
    corrections: Corrections, cells: InvertedCells, rows: int, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Terms of the trends and displacement [m] of some of the reliable cells."""
    step = max(int(np.count_nonzero(cells.reliable) // _MOST_SAMPLES), 1)
    dates = len(corrections.slopes)
    terms, series = [np.empty((len(corrections.trends), 0))], [np.empty((dates, 0))]
    lines = cells.reliable.shape[0]
    ahead = 0  # reliable cells before the next one to be taken, whatever the bands are
    for band in split_rows(lines, band_rows=rows):
        progress.update(band.first / lines, "atmosphere")
        reliable = np.flatnonzero(cells.reliable[band.first : band.first + band.rows])
        chosen = reliable[ahead::step]
        ahead = (ahead - reliable.size) % step
        if chosen.size:
            for found, values in (
                (terms, corrections.terms(band)),
                (series, corrections.corrected(band)),
            ):
                found.append(values.reshape(len(values), -1)[:, chosen])
    both = np.concatenate(terms, axis=1), np.concatenate(series, axis=1)
    known = np.isfinite(both[0]).all(axis=0) & np.isfinite(both[1]).all(axis=0)
    return both[0][:, known], both[1][:, known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Motions:
    """Velocity of every cell, NaN where it is not reliable.

    Attributes
    ----------
    velocity, velocity_error : ndarray of float32, shape (rows, columns)
        [m/year].
    dem_error : ndarray of float32, shape (rows, columns)
        [m].
    """

    velocity: NDArray[np.float32]
    velocity_error: NDArray[np.float32]
    dem_error: NDArray[np.float32]


def write_motion(
    request: InsarTimeseriesRequest,
    corrections: Corrections,
    cells: InvertedCells,
    folder: Path,
    *,
    attributes: dict[str, str],
    threads: int,
    progress: Progress,
) -> Motions:
    """Correct the displacement, fit the motion, and write FILES.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Memory budget.
    corrections : Corrections
        What is taken out.
    cells : InvertedCells
        Which cells are reliable.
    folder : Path
        Receives the files.
    attributes : dict of str to str
        Of the scene, with the reference.
    threads : int
        Computing threads.
    progress : Progress
        Told per band of rows.

    Returns
    -------
    Motions
        Of reliable cells.
    """
    inputs = corrections.reference.inputs
    shape = inputs.stack.shape
    found = Motions(
        velocity=np.full(shape, np.nan, np.float32),
        velocity_error=np.full(shape, np.nan, np.float32),
        dem_error=np.full(shape, np.nan, np.float32),
    )
    with ExitStack() as stack:
        series = stack.enter_context(
            create_series(
                folder / FILES["timeseries"],
                days=inputs.days,
                baselines=inputs.network.baselines,
                shape=shape,
                attributes=attributes,
            )
        )
        own = {
            name: stack.enter_context(
                create_layers(
                    folder / FILES[name], names, unit=unit, shape=shape, attributes=attributes
                )
            )
            for name, names, unit in (
                ("velocity", ("velocity", "velocityStd"), "m/year"),
                ("temporal_coherence", ("temporalCoherence",), "1"),
                ("mask", ("mask",), "1"),
                ("dem_error", ("dem",), "m"),
            )
        }

        def write(band: Band, motion: MotionRows) -> None:
            part = slice(band.first, band.first + band.rows)
            series.write(band.first, motion.displacement)
            own["velocity"].write(band.first, motion.velocity, motion.velocity_error)
            own["temporal_coherence"].write(band.first, cells.temporal_coherence[part])
            own["mask"].write(band.first, cells.reliable[part].astype(np.float32))
            own["dem_error"].write(band.first, motion.dem_error)
            reliable = cells.reliable[part]
            for kept, values in (
                (found.velocity, motion.velocity),
                (found.velocity_error, motion.velocity_error),
                (found.dem_error, motion.dem_error),
            ):
                kept[part] = np.where(reliable, values, np.float32(np.nan))

        run_bands(
            split_rows(shape.lines, band_rows=_band_rows(request, inputs, threads=threads)),
            read=corrections.corrected,
            compute=corrections.motion,
            write=write,
            threads=threads,
            progress=progress,
            step="motion",
        )
    return found
