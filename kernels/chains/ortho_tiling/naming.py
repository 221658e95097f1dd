"""Names and tags of tiles, as S1Tiling and PEPS give them."""

from __future__ import annotations

from importlib.metadata import version

from kernels.chains.ortho_tiling.inputs import Pass
from kernels.chains.ortho_tiling.request import OrthoTilingRequest

_PEPS_QUANTITY = {"sigma": "sig", "gamma": "gam", "beta": "bet"}


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
        S1Tiling: ``s1a_31TDJ_vv_DES_139_20180720t060000.tif``, one per polarisation; PEPS:
        ``s1a_gam_31TDJ_vvvh_DES_139_20180720t060000.tif`` with a band for each. The time is
        ``txxxxxx`` where several products are joined.
    """
    product = one.product
    direction = "ASC" if product.ascending else "DES"
    time = f"{product.start:t%H%M%S}" if len(one.names) == 1 else "txxxxxx"
    tail = f"{direction}_{product.relative_orbit:03d}_{product.start:%Y%m%d}{time}.tif"
    platform = product.platform.lower()
    lower = tuple(polarisation.lower() for polarisation in one.polarisations)
    if request.names == "peps":
        quantity = _PEPS_QUANTITY[request.calibration]
        return ((f"{platform}_{quantity}_{tile}_{''.join(lower)}_{tail}", lower),)
    return tuple((f"{platform}_{tile}_{name}_{tail}", (name,)) for name in lower)


def tile_tags(request: OrthoTilingRequest, one: Pass, tile: str) -> dict[str, str]:
    """Make the metadata of a tile's files: S1Tiling's names, and what is missing there.

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
    product = one.product
    return {
        "ACQUISITION_DATETIME": f"{product.start:%Y:%m:%dT%H:%M:%SZ}",
        "CALIBRATION": request.calibration,
        "FLYING_UNIT_CODE": product.platform.lower(),
        "IMAGE_TYPE": "GRD",
        "INPUT_S1_IMAGES": ", ".join(one.names),
        "INTERPOLATION": request.interpolation,
        "NOISE_REMOVED": str(request.remove_noise),
        "ORBIT_DIRECTION": "ASC" if product.ascending else "DES",
        "ORBIT_NUMBER": f"{product.absolute_orbit:06d}",
        "ORBIT_SOURCE": product.state_vectors.source.value,
        "ORTHORECTIFIED": "true",
        "RELATIVE_ORBIT_NUMBER": f"{product.relative_orbit:03d}",
        "S2_TILE_CORRESPONDING_CODE": tile,
        "SPATIAL_RESOLUTION": f"{request.resolution:g}",
        "TIFFTAG_DATETIME": f"{product.start:%Y:%m:%d %H:%M:%S}",
        "TIFFTAG_SOFTWARE": f"Fournaise {version('fournaise')}",
    }
