"""Values of the model in a file, every digit kept: a zip of one JSON text and numpy's arrays."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.errors import InputError, ProcessingError
from kernels.geometry.height_polynomials import HeightPolynomials
from kernels.insar.adjustment import Adjustment, Plane
from kernels.insar.burst_pair import BurstPair
from kernels.insar.coregistration import Coregistration
from kernels.insar.deramp import AzimuthRamp
from kernels.model import Burst, Dem, LookSide, RadarGrid, RangePolynomial, Shape

_CLASSES: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Adjustment,
        AzimuthRamp,
        Burst,
        BurstPair,
        Coregistration,
        Dem,
        HeightPolynomials,
        Plane,
        RadarGrid,
        RangePolynomial,
        Shape,
    )
}
_DOCUMENT = "content.json"


def write_values(path: Path, values: dict[str, Any]) -> None:
    """Write values; an array that several of them share is kept once.

    Parameters
    ----------
    path : Path
        In a scratch folder.
    values : dict
        Of plain values, arrays, and classes of the model.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    arrays: dict[int, tuple[int, NDArray[Any]]] = {}
    document = _plain(values, arrays)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(_DOCUMENT, json.dumps(document))
            for number, array in arrays.values():
                with archive.open(f"{number}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
    except OSError as error:
        raise ProcessingError(f"{path.name} could not be written: {error.strerror}") from error


def read_values(path: Path) -> dict[str, Any]:
    """Read what `write_values` wrote; raises InputError where it did not.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    dict
        Equal values.
    """
    arrays: dict[int, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:

            def array(number: int) -> NDArray[Any]:
                if number not in arrays:
                    content = io.BytesIO(archive.read(f"{number}.npy"))
                    arrays[number] = np.lib.format.read_array(content, allow_pickle=False)
                return arrays[number]

            document = json.loads(archive.read(_DOCUMENT))
            found = _restored(document, array)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name} must be a deformation grid of this program") from error
    if not isinstance(found, dict):
        raise InputError(f"{path.name} must be a deformation grid of this program")
    return found


def _plain(value: Any, arrays: dict[int, tuple[int, NDArray[Any]]]) -> Any:
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        number, _ = arrays.setdefault(id(value), (len(arrays), value))
        return {"array": number}
    if isinstance(value, datetime | LookSide):
        return {"time": value.isoformat()} if isinstance(value, datetime) else {"side": str(value)}
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {"class": kind, "fields": {k: _plain(v, arrays) for k, v in fields.items()}}
    if isinstance(value, tuple):
        items = [_plain(item, arrays) for item in value]
        return {"tuple": kind if kind in _CLASSES else "", "items": items}
    if isinstance(value, dict):
        return {"table": [[_plain(k, arrays), _plain(v, arrays)] for k, v in value.items()]}
    return value.item() if isinstance(value, np.generic) else value


def _restored(value: Any, array: Any) -> Any:  # noqa: PLR0911 - one for each kind of value
    match value:
        case {"array": number}:
            return array(number)
        case {"time": text}:
            return datetime.fromisoformat(text)
        case {"side": text}:
            return LookSide(text)
        case {"class": kind, "fields": fields}:
            return _CLASSES[kind](**{k: _restored(v, array) for k, v in fields.items()})
        case {"tuple": kind, "items": items}:
            restored = (_restored(item, array) for item in items)
            return _CLASSES[kind](*restored) if kind else tuple(restored)
        case {"table": pairs}:
            return {_restored(k, array): _restored(v, array) for k, v in pairs}
    return value
