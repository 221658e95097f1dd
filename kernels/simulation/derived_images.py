"""Parts and further dates of images whose metadata is real, whatever sensor they are of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from kernels.errors import RequestError
from kernels.model import Shape, SlcProduct
from kernels.simulation.dates import Date
from kernels.simulation.derive import Derivation, baseline_shift
from kernels.simulation.ground_annotation import make_geolocation
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.modes import look_angle_at
from kernels.simulation.publishing import SimulatedSeries
from kernels.simulation.radars import radar_of
from kernels.simulation.scene import Scene, motion_of, terrain_of
from kernels.simulation.series import TRUTH_STEP, simulate_dates

_INSTANT = re.compile(r"(\d{8})(T?)(\d{6})")
_GROUND_RADIUS, _FLATTENED = 6_378_137.0, 21_385.0


def simulate_on_image(
    scene: Scene,
    image: SlcProduct,
    derivations: Sequence[Derivation],
    folder: Path,
    *,
    shape: Shape,
    delay: float = 0.0,
    truth_step: Shape = TRUTH_STEP,
    threads: int | None = None,
) -> SimulatedSeries:
    """Simulate the middle of a real image, and further dates of it.

    Parameters
    ----------
    scene : Scene
        What all dates see.
    image : SlcProduct
        Real metadata of one burst, without pixels.
    derivations : sequence of Derivation
        How the further dates differ.
    folder : Path
        Gets the products, in the files of the image's sensor, and the folder ``truth``.
    shape : Shape
        Of the simulated images.
    delay : float
        Of the first line of the further dates [s], so that their lines lie between the first's.
    truth_step : Shape
        Lines and samples between saved points.
    threads : int or None
        Computing threads; None: all cores.

    Returns
    -------
    SimulatedSeries
        Where everything is.

    Raises
    ------
    RequestError
        A shape larger than the image.
    ProcessingError
        The file system did not take the files.
    """
    terrain = terrain_of(scene.dem)
    middle = middle_of(image, shape, terrain)
    images = [middle, *(derived(middle, how, terrain, delay=delay) for how in derivations)]
    dates = [
        Date(images=(one,), motion=motion_of(scene, 0.0, ()), misregistration=0.0) for one in images
    ]
    return simulate_dates(scene, dates, folder, truth_step=truth_step, threads=threads)


def middle_of(image: SlcProduct, shape: Shape, terrain: Terrain) -> SlcProduct:
    """Cut the middle out of an image: the Doppler centroid, which may drift, is annotated there.

    Parameters
    ----------
    image : SlcProduct
        One burst.
    shape : Shape
        Of the part.
    terrain : Terrain
        For its tie points.

    Returns
    -------
    SlcProduct
        As if it had been delivered so.

    Raises
    ------
    RequestError
        A part larger than the image.
    """
    spare = image.grid.shape.lines - shape.lines, image.grid.shape.samples - shape.samples
    if min(spare) < 0:
        whole = f"{image.grid.shape.lines} lines and {image.grid.shape.samples} samples"
        raise RequestError("shape", f"within {whole}", f"{shape.lines} and {shape.samples}")
    grid = image.grid.window(spare[0] // 2, spare[1] // 2, shape)
    # as annotations have it
    grid = replace(grid, first_line_time=round(grid.first_line_time, 6))
    burst = replace(
        image.bursts[0],
        grid=grid,
        first_valid_sample=np.zeros(shape.lines, np.int32),
        last_valid_sample=np.full(shape.lines, shape.samples - 1, np.int32),
    )
    return _dated(replace(image, grid=grid, bursts=(burst,), calibration=None), terrain)


def derived(
    image: SlcProduct, how: Derivation, terrain: Terrain, *, delay: float = 0.0
) -> SlcProduct:
    """Make a further date of an image.

    Parameters
    ----------
    image : SlcProduct
        One burst.
    how : Derivation
        What differs.
    terrain : Terrain
        For its tie points.
    delay : float
        Of its first line, beside the days [s].

    Returns
    -------
    SlcProduct
        Of another name, time and orbit.
    """
    later, vectors = timedelta(days=how.days), image.state_vectors
    latitude = np.radians(image.geolocation.latitudes.mean())
    shift, drift = baseline_shift(
        vectors.times,
        vectors.positions,
        vectors.velocities,
        baseline=how.perpendicular_baseline,
        look_angle=look_angle_at(
            float(image.grid.slant_range(0.5 * image.grid.shape.samples)),
            orbit_radius=float(np.linalg.norm(vectors.positions, axis=1).mean()),
            ground_radius=_GROUND_RADIUS
            - _FLATTENED * float(np.sin(latitude)) ** 2
            + float(image.geolocation.heights.mean()),
        ),
    )
    platform = how.platform or image.platform
    name = _INSTANT.sub(lambda match: _later(match, later), image.name)
    radar = radar_of(platform)
    grid = replace(
        image.grid,
        epoch=image.grid.epoch + later,
        first_line_time=round(image.grid.first_line_time + delay, 6),
    )
    moved = replace(
        image,
        name=name.replace(image.platform, platform, 1),
        platform=platform,
        absolute_orbit=image.absolute_orbit + round(how.days * radar.tracks / radar.cycle.days),
        state_vectors=replace(
            vectors,
            epoch=vectors.epoch + later,
            positions=vectors.positions + shift,
            velocities=vectors.velocities + drift,
        ),
        grid=grid,
        bursts=(replace(image.bursts[0], grid=grid),),
    )
    return _dated(moved, terrain)


def _dated(image: SlcProduct, terrain: Terrain) -> SlcProduct:
    """Give an image the times and tie points of its grid."""
    grid = image.grid
    start = grid.epoch + timedelta(seconds=grid.first_line_time)
    return replace(
        image,
        start=start,
        stop=start + timedelta(seconds=(grid.shape.lines - 1) * grid.line_interval),
        geolocation=make_geolocation(grid, image.bursts, image.state_vectors, terrain),
    )


def _later(match: re.Match[str], delay: timedelta) -> str:
    moved = datetime.strptime(match[1] + match[3], "%Y%m%d%H%M%S") + delay
    return f"{moved:%Y%m%d}{match[2]}{moved:%H%M%S}"
