"""Names and tags of tiles, as S1Tiling and PEPS give them."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

from kernels.chains.ortho_tiling.inputs import Pass
from kernels.chains.ortho_tiling.request import (
    GAMMA_NAUGHT_RTC,
    NORMLIM,
    Mask,
    OrthoTilingRequest,
)

_PEPS_QUANTITY = {
    "sigma": "sig",
    "gamma": "gam",
    "beta": "bet",
    GAMMA_NAUGHT_RTC: "rtc",
    NORMLIM: "nor",
}
_S1TILING_ENDING = {GAMMA_NAUGHT_RTC: "_GammaNaughtRTC", NORMLIM: "_NormLim"}
_MASK_NAMES = {
    Mask.INCIDENCE: "LIA_{0}_{1}.tif",
    Mask.LAYOVER_SHADOW: "{0}_{1}_LayoverShadow.tif",
    Mask.BORDER: "{0}_{1}_BorderMask.tif",
}

_INTERPOLATORS = {"nearest": "nn", "bilinear": "linear", "bicubic": "bco"}
"""As S1Tiling spells them."""

_TIME = "%Y:%m:%dT%H:%M:%SZ"

KEY = "TILE_KEY"
"""Tag that tells by what a tile was made."""

_NO_PIXELS = frozenset(
    {
        *("products", "tiles", "dem", "orbits", "polarisations", "masks", "minimum_coverage"),
        *("names", "layout", "composite", "archive", "threads", "memory_mb"),
    }
)
"""Options that change no pixel of a file, or that the key knows by what they led to."""


def tile_folder(request: OrthoTilingRequest, one: Pass, tile: str) -> Path:
    """Folder of a tile's files below the results.

    Parameters
    ----------
    request : OrthoTilingRequest
        Which layout is wanted.
    one : Pass
        The pass.
    tile : str
        Name of the tile.

    Returns
    -------
    Path
        ``S1-L1-ORTHO/31TDJ/2018/07/20`` as PEPS has it, or none.
    """
    if request.layout == "flat":
        return Path()
    return Path("S1-L1-ORTHO") / tile / f"{one.start:%Y/%m/%d}"


def file_bands(
    request: OrthoTilingRequest, one: Pass, tile: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Name the files of a tile with the polarisations in them.

    Parameters
    ----------
    request : OrthoTilingRequest
        Which names are wanted.
    one : Pass
        The pass.
    tile : str
        Name of the tile.

    Returns
    -------
    tuple of (str, tuple of str)
        S1Tiling: ``s1a_31TDJ_vv_DES_139_20180720t060000.tif``, one per polarisation, with
        ``_GammaNaughtRTC`` or ``_NormLim`` at the end; PEPS:
        ``s1a_gam_31TDJ_vvvh_DES_139_20180720t060000.tif`` with a band for each. The time is
        ``txxxxxx`` where several products are joined.
    """
    platform, acquisition = one.product.platform.lower(), _acquisition(one)
    lower = tuple(polarisation.lower() for polarisation in one.polarisations)
    if request.names == "peps":
        quantity = _PEPS_QUANTITY[request.calibration]
        return ((f"{platform}_{quantity}_{tile}_{''.join(lower)}_{acquisition}.tif", lower),)
    ending = f"{acquisition}{_S1TILING_ENDING.get(request.calibration, '')}.tif"
    return tuple((f"{platform}_{tile}_{name}_{ending}", (name,)) for name in lower)


def mask_files(request: OrthoTilingRequest, one: Pass, tile: str) -> tuple[tuple[str, Mask], ...]:
    """Name the masks of a tile.

    Parameters
    ----------
    request : OrthoTilingRequest
        Which masks are wanted.
    one : Pass
        The pass.
    tile : str
        Name of the tile.

    Returns
    -------
    tuple of (str, Mask)
        ``LIA_s1a_31TDJ_DES_139_20180720t060000.tif`` for the local incidence angle,
        ``s1a_31TDJ_DES_139_20180720t060000_BorderMask.tif`` and the like for the others.
    """
    platform, acquisition = one.product.platform.lower(), _acquisition(one)
    return tuple(
        (_MASK_NAMES[mask].format(f"{platform}_{tile}", acquisition), mask)
        for mask in map(Mask, dict.fromkeys(request.masks))
    )


def _acquisition(one: Pass) -> str:
    """Direction, orbit and time; the time is unknown where products are joined."""
    product = one.product
    direction = "ASC" if product.ascending else "DES"
    time = f"{one.start:t%H%M%S}" if len(one.names) == 1 else "txxxxxx"
    return f"{direction}_{product.relative_orbit:03d}_{one.start:%Y%m%d}{time}"


def tile_tags(request: OrthoTilingRequest, one: Pass, tile: str) -> dict[str, str]:
    """Make the metadata of a tile's backscatter: S1Tiling's names, and what is missing there.

    The polarisation is left out: each file has its own.

    Parameters
    ----------
    request : OrthoTilingRequest
        How the tile was made.
    one : Pass
        The pass.
    tile : str
        Name of the tile.

    Returns
    -------
    dict of str to str
        Tags by name.
    """
    what = f"{request.calibration} calibrated orthorectified"
    return _common_tags(request, one, tile, what) | {
        "CALIBRATION": request.calibration,
        "NOISE_REMOVED": str(request.remove_noise),
        "ORTHORECTIFICATION_INTERPOLATOR": _INTERPOLATORS[request.interpolation],
        "SCALE": "decibels" if request.decibels else "linear",
    }


def mask_tags(request: OrthoTilingRequest, one: Pass, tile: str) -> dict[str, str]:
    """Make the metadata of a tile's masks, which tells nothing of backscatter.

    Parameters
    ----------
    request : OrthoTilingRequest
        How the tile was made.
    one : Pass
        The pass.
    tile : str
        Name of the tile.

    Returns
    -------
    dict of str to str
        Tags by name.
    """
    return _common_tags(request, one, tile, "mask of")


def _common_tags(request: OrthoTilingRequest, one: Pass, tile: str, what: str) -> dict[str, str]:
    product = one.product
    times = {
        f"ACQUISITION_DATETIME_{number + 1}": f"{start:{_TIME}}"
        for number, start in enumerate(one.starts)
    }
    return times | {
        "ACQUISITION_DATETIME": f"{one.start:{_TIME}}",
        "DEM_INFO": f"heights above {request.dem_heights}",
        "DEM_LIST": ", ".join(path.name for path in request.dem),
        "FLYING_UNIT_CODE": product.platform.lower(),
        "IMAGE_TYPE": one.product_type,
        "INPUT_S1_IMAGES": ", ".join(one.names),
        "ORBIT_DIRECTION": "ASC" if product.ascending else "DES",
        "ORBIT_NUMBER": f"{product.absolute_orbit:06d}",
        "ORBIT_SOURCE": product.state_vectors.source.value,
        "ORTHORECTIFIED": "true",
        "RELATIVE_ORBIT_NUMBER": f"{product.relative_orbit:03d}",
        "S2_TILE_CORRESPONDING_CODE": tile,
        "SPATIAL_RESOLUTION": f"{request.resolution:g}",
        "TIFFTAG_DATETIME": f"{one.start:%Y:%m:%d %H:%M:%S}",
        "TIFFTAG_IMAGEDESCRIPTION": (
            f"{what} Sentinel-{product.platform[1:]} {product.mode} {one.product_type} "
            f"on S2 tile {tile}"
        ),
        "TIFFTAG_SOFTWARE": f"Fournaise {version('fournaise')}",
        KEY: _key(request, one),
    }


def _key(request: OrthoTilingRequest, one: Pass) -> str:
    """Digest of everything that decides what the pixels of a tile of a pass are."""
    made_by = {
        "version": version("fournaise"),
        "products": one.names,
        "orbits": sorted({image.products[0].state_vectors.source.value for image in one.images}),
        "dem": sorted(path.name for path in request.dem),
        "options": {k: v for k, v in request.to_values().items() if k not in _NO_PIXELS},
    }
    text = json.dumps(made_by, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
