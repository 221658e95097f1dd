"""A chain as WPS sees it: literal inputs, referenced outputs, requests and refusals.

The rules of the clients behind these choices stand in ``docs/clients.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pywps import ComplexOutput, Format, LiteralInput
from pywps.inout.literaltypes import AllowedValue, AnyValue
from pywps.validator.allowed_value import ALLOWEDVALUETYPE

from kernels.chains.artefacts import MediaType, OutputInfo
from kernels.chains.request import OptionInfo
from kernels.errors import FournaiseError

LONGEST_MESSAGE = 300
"""PyWPS cuts the message of a failed process there."""
MOST_VALUES = 100
"""Of one input that takes many values."""
_DATA_TYPES = {int: "integer", float: "float"}
_ENDINGS = {
    MediaType.GEOTIFF: ".tif",
    MediaType.PNG: ".png",
    MediaType.JSON: ".json",
    MediaType.GEOJSON: ".geojson",
    MediaType.CSV: ".csv",
    MediaType.QML: ".qml",
    MediaType.ZIP: ".zip",
    MediaType.HDF5: ".h5",
    MediaType.NETCDF: ".nc",
}
_PICKER_NAMES = ("date", "datum", "column")


def literal_input(info: OptionInfo, *, server_default: bool) -> LiteralInput:
    """Describe an option as a WPS input.

    Parameters
    ----------
    info : OptionInfo
        The option of the request.
    server_default : bool
        True where the operator has a value for requests that leave the option out.

    Returns
    -------
    pywps.LiteralInput
        Paths are texts; so are booleans and all choices, with their allowed values: QGIS has no
        widget for booleans, and its list of choices takes nothing but texts.

    Raises
    ------
    ValueError
        QGIS would take the name or the title for a calendar day or a field, and always send that.
    """
    if any(word in info.name.lower() for word in _PICKER_NAMES) or "date" in info.title.lower():
        raise ValueError(f"{info.name}: QGIS would offer a calendar or fields; use other words")
    title = f"{info.title} (none = that of the server)" if server_default else info.title
    return LiteralInput(
        info.name,
        title,
        data_type="string" if info.choices else _DATA_TYPES.get(info.kind, "string"),
        abstract=info.abstract,
        uoms=[info.unit] if info.unit else None,
        min_occurs=1 if info.required and not server_default else 0,
        max_occurs=_most_values(info),
        allowed_values=_allowed_values(info),
        default=None if server_default else _default(info),
    )


def complex_output(info: OutputInfo) -> ComplexOutput:
    """Describe an output of a chain as a WPS output.

    Parameters
    ----------
    info : OutputInfo
        What the chain declares.

    Returns
    -------
    pywps.ComplexOutput
        Always given by reference.
    """
    return ComplexOutput(
        info.name,
        info.title,
        abstract=info.abstract,
        supported_formats=[Format(info.media_type.value, extension=_ENDINGS[info.media_type])],
        as_reference=True,
    )


def _most_values(info: OptionInfo) -> int:
    if not info.many:
        return 1
    return len(info.choices) or MOST_VALUES


def _allowed_values(info: OptionInfo) -> list[Any]:
    if info.kind is bool:
        return ["true", "false"]
    if info.choices:
        return [str(choice) for choice in info.choices]
    if info.minimum is not None and info.maximum is not None:
        return [
            AllowedValue(
                allowed_type=ALLOWEDVALUETYPE.RANGE,
                minval=info.kind(info.minimum),
                maxval=info.kind(info.maximum),
            )
        ]
    return [AnyValue()]


def _default(info: OptionInfo) -> object:
    if info.required or info.default is None or isinstance(info.default, tuple):
        return None
    if isinstance(info.default, bool):
        return str(info.default).lower()
    return str(info.default) if info.choices or isinstance(info.default, Path) else info.default


def plain_message(error: FournaiseError) -> str:
    """Return the message of an error as PyWPS repeats it unchanged.

    Parameters
    ----------
    error : FournaiseError
        Its text keeps to the allowed characters already.

    Returns
    -------
    str
        One line of at most `LONGEST_MESSAGE` characters.
    """
    return str(error)[:LONGEST_MESSAGE].strip()
