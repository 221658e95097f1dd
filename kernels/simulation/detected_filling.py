"""Fill the measurement files of detected products, and save the truth beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kernels.engine.bands import Band, default_threads, run_bands, split_rows
from kernels.engine.progress import Progress
from kernels.model import GrdProduct
from kernels.products.sentinel1_writer_grd import create_detected
from kernels.simulation.detected_image import Background, DetectedImage, make_borders, plan_image
from kernels.simulation.detected_truth import save_detected_truth
from kernels.simulation.detected_view import ground_view, see_targets
from kernels.simulation.facts import scene_parameters
from kernels.simulation.locate_numba import Terrain
from kernels.simulation.publishing import TRUTH
from kernels.simulation.scene import PointTarget, Scene
from kernels.simulation.truth import save_scene

_BAND_PIXELS = 1_000_000
_SEED_STEP = 1_000_003


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedFiles:
    """One product as it is made.

    Attributes
    ----------
    safe : Path
        The SAFE folder.
    images : tuple of GrdProduct
        By polarisation.
    measurements : tuple of Path
        Measurement file of each image.
    band : Band
        Lines that get pixels.
    at_start, at_end : bool
        Whether the pass begins or ends with this product, so that it has a border there.
    """

    safe: Path
    images: tuple[GrdProduct, ...]
    measurements: tuple[Path, ...]
    band: Band
    at_start: bool = True
    at_end: bool = True


def fill_detected(
    scratch: Path,
    scene: Scene,
    passes: Sequence[DetectedFiles],
    *,
    terrain: Terrain,
    background: Background,
    targets: Sequence[PointTarget],
    border: int,
    facts: dict[str, Any],
    threads: int | None,
    progress: Progress | None,
) -> None:
    """Write all pixels, and the truth beside.

    Parameters
    ----------
    scratch : Path
        Gets the folder of the truth.
    scene : Scene
        What is seen.
    passes : sequence of DetectedFiles
        Date by date, the slices of a date in order.
    terrain : Terrain
        Of the scene.
    background : Background
        Brightness.
    targets : sequence of PointTarget
        Anywhere.
    border : int
        Widest border of zeros [lines and samples].
    facts : dict
        To save with those of the scene.
    threads : int or None
        Computing threads; None: all cores.
    progress : Progress or None
        Told of each band.

    Raises
    ------
    RequestError
        A product has no calibration or noise, but needs it.
    ProcessingError
        The file system did not take the files.
    """
    progress, threads = progress or Progress(), threads or default_threads()
    truth = scratch / TRUTH
    truth.mkdir()
    done, count = 0, sum(len(made.images) for made in passes)
    for number, made in enumerate(passes):
        plans = _plans(
            scene,
            made,
            number,
            terrain=terrain,
            background=background,
            targets=targets,
            border=border,
        )
        for k, (plan, path) in enumerate(zip(plans, made.measurements, strict=True)):
            if k == 0:
                save_detected_truth(truth, number, plan.product, plan.targets, plan.borders)
            part = progress.part(done / count, (done + 1) / count)
            _write_pixels(path, plan, made.band, threads=threads, progress=part)
            done += 1
    everything = {
        "scene": scene_parameters(scene),
        "products": [made.images[0].name for made in passes],
        "polarisations": [image.polarisation for image in passes[0].images],
        "background": asdict(background),
        "targets": [asdict(target) for target in targets],
        "border": border,
    }
    save_scene(truth, everything | facts)


def _plans(
    scene: Scene,
    made: DetectedFiles,
    number: int,
    *,
    terrain: Terrain,
    background: Background,
    targets: Sequence[PointTarget],
    border: int,
) -> Iterator[DetectedImage]:
    """Images of a product; what depends on geometry alone is computed once."""
    first = made.images[0]
    view = ground_view(first.grid, first.state_vectors)
    seen = see_targets(targets, first.grid.shape, view, terrain)
    borders = make_borders(first.grid.shape, border, at_start=made.at_start, at_end=made.at_end)
    relief = None
    for k, image in enumerate(made.images):
        plan = plan_image(
            image,
            scene,
            background,
            terrain=terrain,
            view=view,
            band=made.band,
            targets=seen,
            borders=borders,
            seed=scene.seed + _SEED_STEP * (len(made.images) * number + k),
            beta_nought=relief,
        )
        relief = plan.beta_nought
        yield plan


def _write_pixels(
    path: Path, plan: DetectedImage, band: Band, *, threads: int, progress: Progress
) -> None:
    image = plan.product
    rows = max(_BAND_PIXELS // image.grid.shape.samples, 16)
    with create_detected(path, image) as writer:
        run_bands(
            split_rows(band.rows, band_rows=rows, first=band.first),
            read=lambda part: part,
            compute=lambda _part, part: plan.render(part),
            write=lambda part, pixels: writer.write(part.first, pixels),
            threads=threads,
            progress=progress,
            step=f"{image.platform} {image.start:%Y-%m-%d} {image.polarisation}",
        )
