"""What is true of a simulated series, saved beside its products.

``scene.json`` names products, parameters and targets. For each burst of the reference there are
``<swath>_burst<n>_ground.npz`` (ground points), ``…_mask.npz`` (layover and shadow of every
pixel) and ``…_<k>.npz`` for each further date k, counted from 1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band, map_bands, split_rows
from kernels.errors import InputError
from kernels.model import Shape
from kernels.simulation.distortion_numba import mark_distortion
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.truth_numba import ground_truth, image_truth
from kernels.simulation.view import View

SCENE = "scene.json"
_GROUND = ("longitude", "latitude", "height")
_BAND_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstTruth:
    """What is true of a burst of the reference and one further date.

    Arrays have shape (lines, samples) of the decimated grid, except the mask.

    Attributes
    ----------
    swath : str
        For example IW1.
    burst : int
        Of the reference, counted from 0.
    lines, samples : ndarray of int64
        Lines and samples of the reference's burst that the grid holds.
    longitude, latitude : ndarray of float64
        Of the ground point under the pixel [degrees].
    height : ndarray of float64
        Above the ellipsoid [m].
    zero_doppler_time : ndarray of float64
        Of the point in the secondary [s from `epoch`].
    slant_range : ndarray of float64
        Geometric, of the point in the secondary [m].
    secondary_line, secondary_sample : ndarray of float64
        Where geometry puts the point in the secondary's burst: without the displacement and
        without the misregistration.
    range_difference : ndarray of float64
        Geometric slant range of the secondary less that of the reference [m].
    range_change : ndarray of float64
        What displacement and air add to that difference [m], positive away from the radar.
    secondary_burst : int
        Burst of the secondary that lines count from.
    misregistration : float
        Line l of the secondary's file truly is line l + misregistration.
    epoch : datetime
        UTC instant (naive) that times count from.
    mask : ndarray of uint8, shape (lines, all samples)
        Of every pixel of the lines that were simulated: bit 1 layover, bit 2 shadow.
    mask_first_line : int
        Line of the reference's burst that the mask begins at.
    """

    swath: str
    burst: int
    lines: NDArray[np.int64]
    samples: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    height: NDArray[np.float64]
    zero_doppler_time: NDArray[np.float64]
    slant_range: NDArray[np.float64]
    secondary_line: NDArray[np.float64]
    secondary_sample: NDArray[np.float64]
    range_difference: NDArray[np.float64]
    range_change: NDArray[np.float64]
    secondary_burst: int
    misregistration: float
    epoch: datetime
    mask: NDArray[np.uint8]
    mask_first_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryBurst:
    """The burst of a further date over a burst of the reference."""

    index: int
    view: View
    epoch: datetime


def save_burst_truth(
    folder: Path,
    *,
    swath: str,
    burst: int,
    view: View,
    within: Band,
    samples: int,
    step: Shape,
    terrain: Terrain,
    secondaries: tuple[SecondaryBurst, ...],
    threads: int,
) -> None:
    """Compute and save what is true of one burst of the reference.

    Parameters
    ----------
    folder : Path
        Exists.
    swath, burst : str, int
        Which one.
    view : View
        Of the burst.
    within : Band
        Lines of the burst that the truth is wanted of.
    samples : int
        Of a line.
    step : Shape
        Lines and samples between points of the grid.
    terrain : Terrain
        Of the scene.
    secondaries : tuple of SecondaryBurst
        In the order of the further dates.
    threads : int
        Computing threads.
    """
    stem = _stem(folder, swath, burst)
    lines = np.arange(within.first, within.first + within.rows, step.lines)
    columns = np.arange(0, samples, step.samples)
    bands = split_rows(lines.size, band_rows=_BAND_ROWS)

    def under(rows: slice) -> NDArray[np.float64]:
        return ground_truth(view, terrain, lines[rows], columns)

    parts = [slice(band.first, band.first + band.rows) for band in bands]
    ground = np.concatenate(list(map_bands(parts, under, threads=threads)), axis=1)
    _save(stem, "ground", lines=lines, samples=columns, **dict(zip(_GROUND, ground, strict=False)))
    mask = _mask(view, terrain, within, samples, threads)
    np.savez_compressed(_part(stem, "mask"), mask=mask, mask_first_line=within.first)
    ranges = view.first_range + columns[None, :] * view.range_spacing - ground[6]
    for number, secondary in enumerate(secondaries, start=1):
        seen = image_truth(secondary.view, ground)
        _save(
            stem,
            str(number),
            zero_doppler_time=seen[0],
            slant_range=seen[1],
            secondary_line=seen[2],
            secondary_sample=seen[3],
            range_difference=seen[1] - ranges,
            range_change=seen[4] - ground[6],
            secondary_burst=secondary.index,
            misregistration=secondary.view.misregistration,
            epoch=secondary.epoch.isoformat(),
        )


def _mask(
    view: View, terrain: Terrain, within: Band, samples: int, threads: int
) -> NDArray[np.uint8]:
    """Layover and shadow of every pixel of some lines."""
    mask = np.zeros((within.rows, samples), np.uint8)

    def mark(band: Band) -> None:
        start = band.first - within.first
        mark_distortion(view, terrain, band.first, mask[start : start + band.rows])

    bands = split_rows(within.rows, band_rows=_BAND_ROWS, first=within.first)
    list(map_bands(bands, mark, threads=threads))
    return mask


def save_scene(folder: Path, facts: dict[str, Any]) -> None:
    """Save the facts of a series as JSON."""
    (folder / SCENE).write_text(json.dumps(facts, indent=1, default=str), encoding="utf-8")


def load_scene(folder: Path) -> dict[str, Any]:
    """Read the facts of a series; raises InputError if there are none."""
    path = folder / SCENE
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{SCENE} must be in the folder of the truth and readable") from error
    return facts


def load_truth(folder: Path, *, swath: str, burst: int, date: int = 1) -> BurstTruth:
    """Read what is true of a burst of the reference and a further date.

    Parameters
    ----------
    folder : Path
        The folder `truth` of a series.
    swath : str
        For example IW1.
    burst : int
        Of the reference, counted from 0.
    date : int
        Further date, counted from 1.

    Returns
    -------
    BurstTruth
        All arrays in memory.

    Raises
    ------
    InputError
        This burst and date were not simulated.
    """
    stem = _stem(folder, swath, burst)
    values: dict[str, Any] = {}
    for part in ("ground", "mask", str(date)):
        path = _part(stem, part)
        if not path.exists():
            raise InputError(f"{path.name} must be in the folder of the truth")
        with np.load(path) as saved:
            values |= {key: saved[key] for key in saved.files}
    for key in ("secondary_burst", "misregistration", "epoch", "mask_first_line"):
        values[key] = values[key].item()
    values["epoch"] = datetime.fromisoformat(values["epoch"])
    return BurstTruth(swath=swath, burst=burst, **values)


def _stem(folder: Path, swath: str, burst: int) -> Path:
    return folder / f"{swath.lower()}_burst{burst}"


def _save(stem: Path, part: str, **arrays: Any) -> None:
    np.savez(_part(stem, part), **arrays)


def _part(stem: Path, part: str) -> Path:
    return stem.with_name(f"{stem.name}_{part}.npz")
