"""The JSON report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernels.chains.ortho_tiling.inputs import Pass
from kernels.chains.ortho_tiling.making import MadeTile, mean_decibels
from kernels.chains.ortho_tiling.request import OrthoTilingRequest
from kernels.chains.reports import named_values, versions
from kernels.products.detection import DetectedSlc


def make_report(
    request: OrthoTilingRequest,
    passes: Sequence[Pass],
    made: Sequence[MadeTile],
    left_out: Sequence[dict[str, Any]],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Put the report together.

    Parameters
    ----------
    request : OrthoTilingRequest
        As run.
    passes : sequence of Pass
        That were given.
    made : sequence of MadeTile
        Tiles in the result.
    left_out : sequence of dict
        An entry for each tile that is not.
    notes : sequence of str
        About the products.

    Returns
    -------
    dict
        Ready for JSON; of files the names below the folder of results alone.
    """
    return {
        "process": "s1-ortho-tiling",
        "request": named_values(request),
        "calibration": request.calibration,
        "noise_removed": request.remove_noise,
        "passes": [
            {
                "products": list(one.names),
                "type": one.product_type,
                "looks": {
                    image.swath: list(image.products[0].looks)
                    for image in one.images
                    if isinstance(image.products[0], DetectedSlc)
                },
                "relative_orbit": one.product.relative_orbit,
                "direction": "ascending" if one.product.ascending else "descending",
                "orbit": one.product.state_vectors.source.value,
            }
            for one in passes
        ],
        "tiles": [_tile_entry(item) for item in made],
        "left_out": list(left_out),
        "notes": [*notes, *(line for item in made for line in item.job.warnings())],
        "versions": versions(),
    }


def _tile_entry(item: MadeTile) -> dict[str, Any]:
    mean = mean_decibels(item)
    return {
        "tile": item.job.tile,
        "files": [name.as_posix() for name in item.files],
        "masks": [name.as_posix() for name in item.masks],
        "products": list(item.job.one.names),
        "covered": round(item.covered, 4),
        "footprint_share": round(item.job.expected, 4),
        "missing": [missing._asdict() for missing in item.job.missing],
        "mean_db": None if mean is None else round(mean, 2),
        "kept_from_earlier_run": not item.written,
    }
