"""Tables and plots of dates and pairs: baselines, Doppler, heights of ambiguity, coherence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.passes import open_pass
from kernels.chains.multislc_series.stack import Stack
from kernels.chains.steps.tables import write_table
from kernels.engine.workspace import publish, scratch_folder
from kernels.geometry.baseline import baseline
from kernels.geometry.zero_doppler import radar_to_ground
from kernels.insar.networks import Pair
from kernels.model import SPEED_OF_LIGHT, SlcProduct


class BaselineFiles(NamedTuple):
    """Tables and pictures of a series.

    Attributes
    ----------
    dates : Path
        Table, CSV.
    pairs : Path or None
        Table, CSV, where there are pairs.
    network : Path
        Dates by perpendicular baseline, PNG.
    coherence : Path or None
        Mean coherence of every pair of dates, PNG, where it is known.
    """

    dates: Path
    pairs: Path | None
    network: Path
    coherence: Path | None


def write_baselines(
    stack: Stack,
    pairs: Sequence[Pair],
    folder: Path,
    *,
    coherence: NDArray[np.float64] | None = None,
) -> BaselineFiles:
    """Write the tables of dates and pairs, the plot of the network and the matrix of coherence.

    Parameters
    ----------
    stack : Stack
        Coregistered images.
    pairs : sequence of Pair
        Numbers of the dates of interferograms.
    folder : Path
        Receives ``baselines.csv``, ``pairs.csv``, ``baselines.png`` and ``coherence.png``.
    coherence : ndarray of float64, shape (dates, dates), or None
        Mean of every pair of dates, NaN where unknown.

    Returns
    -------
    BaselineFiles
        Where they are.

    Raises
    ------
    InputError
        A product whose annotation cannot be read.
    ProcessingError
        The file system did not take a file.
    """
    found = BaselineFiles(
        dates=_write(folder / "baselines.csv", date_rows(stack)),
        pairs=_write(folder / "pairs.csv", pair_rows(stack, pairs, coherence=coherence))
        if pairs
        else None,
        network=folder / "baselines.png",
        coherence=None if coherence is None else folder / "coherence.png",
    )
    _draw(stack, pairs, found, coherence)
    return found


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with scratch_folder(path.parent) as scratch:
        write_table(scratch / path.name, rows)
        return publish(scratch / path.name, path)


def date_rows(stack: Stack) -> list[dict[str, Any]]:
    """Describe every date beside the reference.

    Parameters
    ----------
    stack : Stack
        Coregistered images.

    Returns
    -------
    list of dict
        Rows of the table, ready for JSON; baselines and height of ambiguity are those in the
        middle of the scene.

    Raises
    ------
    InputError
        A product whose annotation cannot be read.
    """
    reference = stack.images[stack.reference]
    centroids = _doppler_centroids(stack)
    own = centroids[stack.reference]
    return [
        {
            "day": image.date.day.isoformat(),
            "products": " ".join(image.date.names),
            "reference": "yes" if image is reference else "no",
            "days_from_reference": (image.date.day - reference.date.day).days,
            "perpendicular_baseline_m": round(image.perpendicular_baseline, 3),
            "parallel_baseline_m": round(image.parallel_baseline, 3),
            "height_of_ambiguity_m": _height_of_ambiguity(stack, image.perpendicular_baseline),
            "azimuth_shift_lines": round(image.shift, 6) + 0.0,  # not -0.0
            "doppler_centroid_hz": _hertz(centroid),
            "doppler_difference_hz": _hertz(centroid - own),
        }
        for image, centroid in zip(stack.images, centroids, strict=True)
    ]


def pair_rows(
    stack: Stack, pairs: Sequence[Pair], *, coherence: NDArray[np.float64] | None = None
) -> list[dict[str, Any]]:
    """Describe every pair.

    Parameters
    ----------
    stack : Stack
        Coregistered images.
    pairs : sequence of Pair
        Numbers of their dates.
    coherence : ndarray of float64, shape (dates, dates), or None
        Mean of every pair of dates.

    Returns
    -------
    list of dict
        Rows of the table, ready for JSON; days and baselines are of the second date less those
        of the first.
    """
    rows = []
    for first, second in pairs:
        ours, theirs = stack.images[first], stack.images[second]
        perpendicular = theirs.perpendicular_baseline - ours.perpendicular_baseline
        mean = math.nan if coherence is None else float(coherence[first, second])
        rows.append(
            {
                "first": ours.date.day.isoformat(),
                "second": theirs.date.day.isoformat(),
                "days": (theirs.date.day - ours.date.day).days,
                "perpendicular_baseline_m": round(perpendicular, 3),
                "height_of_ambiguity_m": _height_of_ambiguity(stack, perpendicular),
                "mean_coherence": round(mean, 4) if math.isfinite(mean) else None,
            }
        )
    return rows


def _height_of_ambiguity(stack: Stack, perpendicular: float) -> float | None:
    """Height that turns the phase by one cycle [m]; None without a baseline.

    Rosen et al., Proc. IEEE 88 (2000) 333-382, equation 25, in the middle of the scene.
    """
    if perpendicular == 0.0:
        return None
    swath = stack.swaths[len(stack.swaths) // 2]
    grid, orbit = swath.layout.grid, swath.reference_orbit
    slant_range = np.array([grid.slant_range(0.5 * (grid.shape.samples - 1))])
    time = grid.zero_doppler_time(np.array([0.5 * (grid.shape.lines - 1)]), slant_range)
    point = radar_to_ground(orbit, time, slant_range, np.zeros(1), side=grid.look_side)
    incidence = baseline(orbit, orbit, point, wavelength=grid.wavelength).incidence
    height = grid.wavelength * slant_range[0] * math.sin(incidence[0]) / (2.0 * perpendicular)
    return round(float(height), 2)


def _hertz(frequency: float) -> float | None:
    return round(frequency, 2) if math.isfinite(frequency) else None


def _doppler_centroids(stack: Stack) -> list[float]:
    """Centroids as annotated, in the middle of a swath, median of its bursts [Hz].

    NaN of a date that lacks the swath.
    """
    swath = stack.swaths[len(stack.swaths) // 2].reference
    found = []
    for image in stack.images:
        opened = open_pass("products", image.date.paths, orbits=None)
        if swath.swath in opened.swaths(swath.polarisation):
            product = opened.image(swath.swath, swath.polarisation, need_pixels=False)
            found.append(_doppler_centroid(product))
        else:
            found.append(math.nan)
    return found


def _doppler_centroid(product: SlcProduct) -> float:
    values = []
    for burst in product.bursts:
        middle = burst.grid.slant_range(0.5 * (burst.grid.shape.samples - 1))
        values.append(burst.doppler(2.0 * middle / SPEED_OF_LIGHT))
    return float(np.median(values))


def _draw(
    stack: Stack,
    pairs: Sequence[Pair],
    files: BaselineFiles,
    coherence: NDArray[np.float64] | None,
) -> None:
    from kernels.products.network_pictures import (  # noqa: PLC0415  # matplotlib takes its time
        coherence_matrix_picture,
        network_picture,
    )

    days = [image.date.day for image in stack.images]
    product = stack.swaths[0].reference
    track = f"{product.platform}, relative orbit {product.relative_orbit}"
    swaths = " ".join(swath.reference.swath for swath in stack.swaths)
    network_picture(
        files.network,
        days=days,
        baselines=[image.perpendicular_baseline for image in stack.images],
        pairs=pairs,
        reference=stack.reference,
        coherence=None if coherence is None else [float(coherence[pair]) for pair in pairs],
        title="Dates and pairs of the series",
        subtitle=f"{len(days)} dates, {len(pairs)} pairs, {track}",
    )
    if files.coherence is not None and coherence is not None:
        coherence_matrix_picture(
            files.coherence,
            days=days,
            coherence=coherence,
            title="Mean coherence of every pair of dates",
            subtitle=f"Mean of blocks, {swaths} {product.polarisation}, {track}",
        )
