"""Full-size pairs on real annotation, quick to make: one tile of noise is repeated everywhere.

Geometry, ramps and path lengths are those of the simulation, on every 16th line and sample and
linear between; the noise is band-limited as the annotation says and periodic, 256 lines by 1024
samples, on fractions of an eighth of a pixel. So both images are coherent, every block of the
files holds signal, and the interferogram shows what the relief leaves between the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.frame_pixels_numba import Nodes, fill_lines
from kernels.engine.bands import Band, default_threads, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.model import SPEED_OF_LIGHT, CalibrationLut, Dem, Shape, SlcProduct
from kernels.products.sentinel1 import open_sentinel1, read_annotation
from kernels.products.sentinel1_writer import create_measurement, write_annotation, write_manifest
from kernels.simulation.annotated import AnnotatedDate, measurement_path, place_metadata
from kernels.simulation.dates import Date, overlying_burst
from kernels.simulation.locate_numba import Motion, Terrain
from kernels.simulation.mapping_numba import Appearance, Frame, map_lines
from kernels.simulation.scene import terrain_of
from kernels.simulation.view import View

AMPLITUDE = 400.0
"""Root mean square of level land [digital numbers]."""
SEA_AMPLITUDE = 100.0

_TILE_ROWS, _TILE_COLUMNS, _FRACTIONS = 256, 1024, 8
_NODE_STEP = 16
_BAND_LINES = 64
_HAMMING = 0.75
_REST = Motion(np.empty((0, 11)), np.empty((0, 13)))


class _Task(NamedTuple):
    """Some lines of one burst."""

    view: View
    reference: View
    nodes: Nodes
    burst: int
    lines: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What is filled.

    Attributes
    ----------
    swaths : tuple of str
        For example IW1, IW2, IW3.
    polarisation : str
        Of the images.
    dem : Dem
        Terrain.
    lines : int or None
        Of each burst from its middle on; None: all. For trials.
    """

    swaths: tuple[str, ...]
    polarisation: str
    dem: Dem
    lines: int | None = None


def make_pair(
    dates: Sequence[AnnotatedDate], folder: Path, what: Frames, progress: Progress
) -> None:
    """Make two products.

    Parameters
    ----------
    dates : sequence of AnnotatedDate
        The reference first.
    folder : Path
        Gets the SAFE folders.
    what : Frames
        To fill.
    progress : Progress
        Told of each band of lines.
    """
    safes = [place_metadata(date, folder, what.swaths[0], what.polarisation) for date in dates]
    fill(safes, what, progress)


def make_product(annotation: Path, name: str, folder: Path) -> Path:
    """Put a product around a single annotation file, without pixels yet.

    Parameters
    ----------
    annotation : Path
        Of an SLC image.
    name : str
        Of the product, by the naming convention.
    folder : Path
        Gets the SAFE folder.

    Returns
    -------
    Path
        The SAFE folder, complete but for its pixels, which are 0.
    """
    image = read_annotation(annotation)
    flat = np.ones((2, 2), np.float32)
    corners = np.array([0, image.grid.shape.samples - 1], np.int32)
    image = replace(
        image,
        name=name,
        calibration=CalibrationLut(
            times=np.array([0.0, 1.0]) + image.grid.first_line_time,
            lines=np.array([0, image.grid.shape.lines - 1], np.int32),
            pixels=corners,
            sigma_nought=flat,
            beta_nought=flat,
            gamma=flat,
            digital_number=flat,
        ),
    )
    safe = folder / f"{name}.SAFE"
    (measurement,) = write_annotation(safe, [image])
    with create_measurement(measurement, image):
        pass
    write_manifest(safe, [image])
    return safe


def fill(safes: Sequence[Path], what: Frames, progress: Progress) -> None:
    """Fill the measurement files of two products; the first is the reference."""
    terrain = terrain_of(what.dem)
    work = [(safe, swath) for swath in what.swaths for safe in safes]
    tile = np.empty(0, np.complex64)
    for done, (safe, swath) in enumerate(work):
        images = [
            open_sentinel1(one).slc(swath, what.polarisation, need_pixels=False)
            for one in (safes[0], safe)
        ]
        if safe == safes[0]:
            tile = noise_tile(images[0], seed=done)
        _fill_image(
            measurement_path(safe, images[1]),
            [Date(images=(image,), motion=_REST, misregistration=0.0) for image in images],
            terrain,
            tile=tile,
            lines=what.lines,
            progress=progress.part(done / len(work), (done + 1) / len(work)),
        )


def noise_tile(image: SlcProduct, *, seed: int) -> NDArray[np.complex64]:
    """Make periodic noise of the image's bands and power 1, at fractions of a pixel.

    Parameters
    ----------
    image : SlcProduct
        Gives bands and sampling; both are Hamming weighted.
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of complex64, shape (fractions, fractions, rows, columns)
        In baseband.
    """
    grid = image.grid
    shape = (_TILE_ROWS, _TILE_COLUMNS)
    bands = (
        image.azimuth_bandwidth * grid.line_interval,
        image.range_bandwidth * grid.slant_range_spacing / (0.5 * SPEED_OF_LIGHT),
    )
    frequencies = [np.fft.fftfreq(n) for n in shape]
    weights = [
        np.where(
            np.abs(f) < 0.5 * band, _HAMMING + (1 - _HAMMING) * np.cos(2 * np.pi * f / band), 0.0
        )
        for f, band in zip(frequencies, bands, strict=True)
    ]
    random = np.random.default_rng(seed)
    spectrum = random.standard_normal((*shape, 2)) @ np.array([1.0, 1.0j])
    spectrum *= weights[0][:, None] * weights[1][None, :]
    spectrum *= np.prod(shape) / np.sqrt(np.sum(np.abs(spectrum) ** 2))
    tile = np.empty((_FRACTIONS, _FRACTIONS, *shape), np.complex64)
    for u in range(_FRACTIONS):
        rows = np.exp(2j * np.pi * frequencies[0] * u / _FRACTIONS)[:, None]
        for v in range(_FRACTIONS):
            columns = np.exp(2j * np.pi * frequencies[1] * v / _FRACTIONS)[None, :]
            tile[u, v] = np.fft.ifft2(spectrum * rows * columns)
    return tile


def _fill_image(
    path: Path,
    dates: Sequence[Date],
    terrain: Terrain,
    *,
    tile: NDArray[np.complex64],
    lines: int | None,
    progress: Progress,
) -> None:
    """Fill one file: the image of the last date in the geometry of the first."""
    image, grid = dates[-1].images[0], dates[0].images[0].grid
    frame = Frame(0.0, grid.line_interval, grid.slant_range_spacing)
    above, views = dates[0].views(0), dates[-1].views(0)
    tasks = []
    for burst, view in zip(image.bursts, views, strict=True):
        reference = above[overlying_burst(view, above, terrain)]
        count = burst.grid.shape.lines
        within = Band(0, count) if lines is None else Band((count - lines) // 2, lines)
        nodes = _nodes(view, reference, frame, terrain, burst.grid.shape)
        tasks += [
            _Task(view, reference, nodes, burst.index, band)
            for band in split_rows(within.rows, band_rows=_BAND_LINES, first=within.first)
        ]

    def render(task: _Task, _: None) -> NDArray[np.int16]:
        burst, band = image.bursts[task.burst], task.lines
        part = slice(band.first, band.first + band.rows)
        pixels = np.zeros((band.rows, burst.grid.shape.samples, 2), np.int16)
        fill_lines(
            task.view,
            task.reference,
            frame,
            task.nodes,
            tile,
            band.first,
            burst.first_valid_sample[part],
            burst.last_valid_sample[part],
            pixels,
        )
        return pixels

    with create_measurement(path, image) as writer:
        run_bands(
            tasks,
            read=lambda _: None,
            compute=render,
            write=lambda task, pixels: writer.write(
                image.bursts[task.burst].first_line + task.lines.first, pixels
            ),
            threads=default_threads(),
            progress=progress,
            step=f"{image.platform} {image.start:%Y-%m-%d} {image.swath}",
        )


def _nodes(view: View, reference: View, frame: Frame, terrain: Terrain, shape: Shape) -> Nodes:
    """Map every 16th line and sample of a burst, and one more at the ends."""
    rows, columns = (count // _NODE_STEP + 2 for count in shape)
    coarse = view._replace(
        line_interval=view.line_interval * _NODE_STEP, range_spacing=view.range_spacing * _NODE_STEP
    )
    looks = Appearance(AMPLITUDE, SEA_AMPLITUDE, 0.0, 1.0, 1.0, 0.0, True)
    places = np.empty((2, rows, columns))
    planes = np.empty((3, rows, columns), np.float32)
    map_lines(
        coarse,
        reference,
        terrain,
        looks,
        frame,
        0,
        np.zeros(rows, np.int32),
        np.full(rows, columns - 1, np.int32),
        places[0],
        places[1],
        planes[0],
        planes[1],
        planes[2],
    )
    return Nodes(_NODE_STEP, places[0], places[1], planes[1])
