"""What comes after the interferogram: filtered phase, unwrapped phase, displacement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.chains.dinsar_pair.displacement import write_displacement
from kernels.chains.dinsar_pair.displacement_reference import (
    check_reference,
    find_reference,
    reference_outline,
)
from kernels.chains.dinsar_pair.filtered import filter_sums
from kernels.chains.dinsar_pair.inputs import SwathPair
from kernels.chains.dinsar_pair.ortho import write_map
from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.dinsar_pair.unwrapped import (
    UnwrappedRadar,
    check_unwrapper,
    unwrap_pair,
)
from kernels.engine.progress import Progress
from kernels.errors import ProcessingError, RequestError
from kernels.geometry.map_grids import map_positions
from kernels.insar.geocode import Geocoder, RadarSums
from kernels.insar.merged import MergedSwaths
from kernels.insar.unwrapped_map import UnwrappedMap
from kernels.model import Dem, MapGrid, RadarGrid
from kernels.products.preview import looked_grid
from kernels.products.qgis import displacement_style, write_style

_EXTREME = 99.9
"""Percentile of displacement at the ends of the colours."""
_LEAST_LIMIT = 1e-3
"""Of the colours [m]."""


class PhaseProducts(NamedTuple):
    """What the report says about them, and the phase where it was unwrapped."""

    report: dict[str, Any]
    warnings: tuple[str, ...]
    unwrapped: UnwrappedRadar | None = None


def prepare_phase_products(
    request: DinsarPairRequest, pairs: tuple[SwathPair, ...], dem: Dem
) -> float | None:
    """Refuse, before pixels are read, what could not be done afterwards.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        Opened swaths.
    dem : Dem
        Terrain under them.

    Returns
    -------
    float or None
        Effective looks of a cell, where coherence is to be freed from its bias.

    Raises
    ------
    RequestError
        An unwrapper that is not here, a reference off the ground of the pair, or too few looks.
    """
    check_unwrapper(request)
    check_reference(request, pairs, dem)
    if request.coherence == "plain":
        return None
    looks = pairs[0].independent_looks(pairs[0].looks)
    if looks <= 2.0:
        rule = f"plain where a cell has {looks:.1f} independent looks, unbiased takes more than 2"
        raise RequestError("coherence", rule, request.coherence)
    return looks


def make_phase_products(
    request: DinsarPairRequest,
    pairs: tuple[SwathPair, ...],
    swaths: tuple[RadarSums, ...],
    *,
    dem: Dem,
    grid: MapGrid,
    scratch: Path,
    files: Mapping[str, str],
    tags: dict[str, str],
    unbiased_looks: float | None,
    threads: int,
    progress: Progress,
) -> PhaseProducts:
    """Filter and unwrap as far as the request wants it.

    Parameters
    ----------
    request : DinsarPairRequest
        As run.
    pairs : tuple of SwathPair
        Opened swaths.
    swaths : tuple of RadarSums
        Their look sums.
    dem : Dem
        Terrain under them.
    grid : MapGrid
        Of the result.
    scratch : Path
        Folder that holds the interferogram on the map and receives the files.
    files : mapping of str to str
        Their names, by output.
    tags : dict of str to str
        Metadata of the rasters.
    unbiased_looks : float or None
        As in `write_map`.
    threads : int
        Computing and compressing threads.
    progress : Progress
        Told of steps and shares.

    Returns
    -------
    PhaseProducts
        Empty where nothing is wanted.

    Raises
    ------
    ProcessingError
        Nothing can be unwrapped.
    RequestError
        The reference is not where phase was unwrapped.
    """
    if request.phase_filter == request.unwrapping == "none":
        return PhaseProducts({}, ())
    merged = MergedSwaths.of(swaths)
    if merged is None:
        raise ProcessingError(
            "phase filter and unwrapping need swaths of one spacing: choose one of them"
        )
    filtered = None
    if request.phase_filter != "none":
        filtered = filter_sums(
            request,
            merged,
            scratch / "filtered.sums",
            threads=threads,
            progress=progress.part(0.0, 0.2),
        )
        write_map(
            Geocoder.of(grid, dem, (filtered,)),
            scratch / files["filtered"],
            threads=threads,
            memory_mb=request.memory_mb,
            tags=tags,
            progress=progress.part(0.2, 0.4),
            unbiased_looks=unbiased_looks,
        )
    if request.unwrapping == "none":
        return PhaseProducts({}, ())
    unwrapped = unwrap_pair(request, pairs[0], merged, filtered, progress=progress.part(0.4, 0.8))
    return _displacement(
        request,
        pairs[0],
        unwrapped,
        dem=dem,
        grid=grid,
        paths={name: scratch / file for name, file in files.items()},
        tags=tags,
        threads=threads,
        progress=progress.part(0.8, 1.0),
    )


def _displacement(
    request: DinsarPairRequest,
    pair: SwathPair,
    unwrapped: UnwrappedRadar,
    *,
    dem: Dem,
    grid: MapGrid,
    paths: Mapping[str, Path],
    tags: dict[str, str],
    threads: int,
    progress: Progress,
) -> PhaseProducts:
    orbit = pair.reference_orbit
    found = find_reference(
        request,
        unwrapped.unwrapped,
        unwrapped.coherence,
        grid=unwrapped.grid,
        orbit=orbit,
        dem=dem,
    )
    cells, looks = write_displacement(
        UnwrappedMap.of(grid, dem, orbit, unwrapped.grid, unwrapped.unwrapped),
        paths["interferogram"],
        paths["displacement"],
        reference=found.reference,
        threads=threads,
        memory_mb=request.memory_mb,
        tags=tags | {"REFERENCE_PHASE": repr(found.reference.phase)},
        progress=progress,
    )
    known = np.abs(cells[np.isfinite(cells)])
    limit = max(float(np.percentile(known, _EXTREME)) if known.size else 0.0, _LEAST_LIMIT)
    _draw(
        paths["displacement_picture"],
        pair,
        cells,
        reference=np.stack(map_positions(grid, *reference_outline(request).T), axis=-1),
        grid=looked_grid(grid, looks),
        limit=limit,
    )
    write_style(paths["displacement_style"], displacement_style(1, limit=limit, wrapped=False))
    report = {**unwrapped.description, "reference": found.description}
    return PhaseProducts(report, found.warnings, unwrapped)


def _draw(
    path: Path,
    pair: SwathPair,
    displacement: NDArray[np.float32],
    *,
    reference: NDArray[np.float64],
    grid: MapGrid | RadarGrid,
    limit: float,
) -> None:
    from kernels.products.pictures import displacement_picture  # noqa: PLC0415 - not by the web

    name = "the reference" if reference.size else "the median of the largest connected region"
    displacement_picture(
        path,
        displacement=displacement,
        grid=grid,
        reference=reference,
        limit=limit,
        title=(f"Displacement, {pair.reference.start:%Y-%m-%d} to {pair.secondary.start:%Y-%m-%d}"),
        subtitle=f"Along the line of sight, relative to {name}; grey: not unwrapped",
    )
