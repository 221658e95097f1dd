"""Options that several requests share, described once."""

from __future__ import annotations

from typing import Any

from kernels.chains.request import Request, option

_DESCRIBED = ("title", "abstract", "unit", "minimum", "maximum", "choices", "role")


def dem_option() -> Any:
    """Return the field of the elevation files: a tuple of Path."""
    return option(
        title="Elevation model (folder of SRTM or Copernicus tiles, GeoTIFF or VRT)",
        abstract="One or several; where they overlap the first one that has a value wins.",
        role="dem",
    )


def dem_heights_option() -> Any:
    """Return the field that says what the elevation counts from: str."""
    return option(
        default="egm96",
        choices=("egm96", "ellipsoid"),
        title="Heights of the elevation model are above (egm96 or ellipsoid)",
        abstract="SRTM and Copernicus heights count from the geoid; EGM96 is added to them.",
    )


def dem_missing_option(default: str) -> Any:
    """Return the field of the policy for missing elevation: str."""
    return option(
        default=default,
        choices=("fail", "sea", "fill"),
        title="Where the elevation model has no value (fail, sea or fill)",
        abstract="Stop with an error, take sea level, or fill from the neighbourhood.",
    )


def orbits_option() -> Any:
    """Return the field of the orbit folder: Path or None."""
    return option(
        default=None,
        title="Folder of precise orbit files (POEORB, RESORB)",
        abstract="The best file that covers a product is used, else the product's annotation.",
        role="orbits",
    )


def threads_option() -> Any:
    """Return the field of the computing threads: int or None."""
    return option(
        default=None,
        minimum=1,
        maximum=256,
        title="Computing threads, 1 to 256 (none = all cores)",
    )


def memory_option(default: int) -> Any:
    """Return the field of the memory budget: int."""
    return option(
        default=default,
        unit="MB",
        minimum=200,
        maximum=1_000_000,
        title="Memory budget for pixel blocks [MB], 200 or more",
    )


def option_of(request: type[Request], name: str, **changed: Any) -> Any:
    """Return a field of another request, so that what both take is described once.

    Parameters
    ----------
    request : type of Request
        Has the field.
    name : str
        Of the field.
    **changed : object
        What differs here, as in `option`.

    Returns
    -------
    dataclasses.Field
        To be assigned to the same name in the class body.
    """
    (info,) = (info for info in request.describe() if info.name == name)
    same = {key: getattr(info, key) for key in _DESCRIBED}
    return option(**(same | ({} if info.required else {"default": info.default}) | changed))
