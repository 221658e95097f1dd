"""Names of Sentinel-1 products and of the files inside them.

Sentinel-1 Product Specification, S1-RS-MDA-52-7441, section 3.4: product and file naming.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kernels.errors import ProductError

_PRODUCT = re.compile(
    r"(?P<platform>S1[ABCD])_(?P<beam>S[1-6]|IW|EW|WV)_(?P<type>RAW|SLC|GRD|OCN)(?P<resolution>[FHM_])"
    r"_(?P<level>[012])[SA](?P<polarisation>SH|SV|DH|DV|HH|HV|VV|VH)"
    r"_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
    r"_(?P<orbit>\d{6})_(?P<datatake>[0-9A-F]{6})_(?P<unique>[0-9A-F]{4})(?:_COG)?",
    re.ASCII,
)
_ANNOTATION = re.compile(
    r"s1[abcd]-(?P<swath>[a-z0-9]+)-(?:slc|grd)-(?P<polarisation>hh|hv|vv|vh)"
    r"-\d{8}t\d{6}-\d{8}t\d{6}-\d{6}-[0-9a-f]{6}-\d{3}(?:-cog)?\.xml",
    re.ASCII,
)
_ENDINGS = (".zip", ".SAFE")
_POLARISATIONS = {"SH": ("HH",), "SV": ("VV",), "DH": ("HH", "HV"), "DV": ("VV", "VH")}
"""By the code of single and dual polarisation; partial products name their own."""


class Image(NamedTuple):
    """One swath in one polarisation, for example IW2 and VV."""

    swath: str
    polarisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductName:
    """What the name of a product says.

    Attributes
    ----------
    text : str
        The name itself, without ending.
    platform : str
        S1A, S1B, S1C or S1D.
    mode : str
        IW, EW, WV, or SM for StripMap.
    product_type : str
        RAW, SLC, GRD or OCN.
    polarisations : tuple of str
        For example VV, VH; the co-polarised one first.
    start, stop : datetime
        Sensing time [UTC, naive], to the second.
    absolute_orbit : int
        Orbit number at the start.
    """

    text: str
    platform: str
    mode: str
    product_type: str
    polarisations: tuple[str, ...]
    start: datetime
    stop: datetime
    absolute_orbit: int


def parse_product_name(name: str) -> ProductName:
    """Read the name of a product, with or without the endings .SAFE and .zip.

    Parameters
    ----------
    name : str
        Without folder.

    Returns
    -------
    ProductName
        Its parts.

    Raises
    ------
    ProductError
        If the name does not follow the naming convention.
    """
    text = name
    for ending in _ENDINGS:
        text = text.removesuffix(ending)
    match = _PRODUCT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        start, stop = (datetime.strptime(match[key], "%Y%m%dT%H%M%S") for key in ("start", "stop"))
    except ValueError as error:
        raise ProductError(
            f"{name} must follow the Sentinel-1 naming convention, as in"
            " S1A_IW_SLC__1SDV_20190101T171515_20190101T171542_025287_02CC09_0A0B"
        ) from error
    beam = match["beam"]
    return ProductName(
        text=text,
        platform=match["platform"],
        mode="SM" if beam.startswith("S") else beam,
        product_type=match["type"],
        polarisations=_POLARISATIONS.get(match["polarisation"], (match["polarisation"],)),
        start=start,
        stop=stop,
        absolute_orbit=int(match["orbit"]),
    )


def image_of_annotation(file_name: str) -> Image | None:
    """Swath and polarisation of a Level-1 annotation file; None if it is another file."""
    match = _ANNOTATION.fullmatch(file_name.lower())
    if match is None:
        return None
    return Image(match["swath"].upper(), match["polarisation"].upper())
