"""Delays of the troposphere that come from elsewhere, on the grid of the interferograms."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.inputs import Inputs
from kernels.engine.bands import Band
from kernels.errors import InputError, RequestError
from kernels.products.gdal_access import open_raster
from kernels.products.mintpy import check_fits
from kernels.products.mintpy_results import SERIES, LayerFile
from kernels.products.raster import RasterReader

_DAY = re.compile(r"(?<!\d)(\d{8})(?!\d)")
_ARGUMENT = "tropospheric_delays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Apparent displacement by the troposphere on every date.

    Attributes
    ----------
    file : LayerFile or None
        Of all dates, with the sign of displacement.
    numbers : ndarray of int64, shape (dates,)
        Its layers that are the dates of the network.
    rasters : tuple of Path
        Instead of the file one raster for each date: delays, positive.
    missing : tuple of float
        Value of each raster that stands for none; NaN where it names no such value.
    """

    file: LayerFile | None
    numbers: NDArray[np.int64]
    rasters: tuple[Path, ...] = ()
    missing: tuple[float, ...] = ()

    def rows(self, rows: Band) -> NDArray[np.float32]:
        """Apparent displacement of some rows, shape (dates, rows, columns) [m]; NaN: unknown."""
        if self.file is not None:
            return self.file.rows(rows)[self.numbers]
        found = np.stack(
            [RasterReader(path).read_band(0, rows.first, rows.rows) for path in self.rasters]
        )
        found[found == np.array(self.missing, np.float32)[:, None, None]] = np.nan
        return -found


def open_delays(path: Path, inputs: Inputs) -> Delays:
    """Open the delays of all dates.

    Parameters
    ----------
    path : Path
        File of MintPy's layout, or a folder of rasters.
    inputs : Inputs
        Of the network.

    Returns
    -------
    Delays
        One for each date.

    Raises
    ------
    InputError
        Files that cannot be read, or a date without delays.
    RequestError
        Another grid.
    """
    if path.is_dir():
        return _of_folder(path, inputs)
    file = LayerFile(path, SERIES)
    check_fits(path, file.shape, inputs.stack, _ARGUMENT)
    _check_days(path, set(file.days), inputs.days)
    return Delays(file=file, numbers=np.array([file.days.index(day) for day in inputs.days]))


def _of_folder(path: Path, inputs: Inputs) -> Delays:
    found: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        match = _DAY.search(file.name)
        if match is not None and file.suffix.lower() in (".tif", ".tiff", ".vrt"):
            if match[1] in found:
                rule = f"a folder with one raster for each day, {match[1]} has several"
                raise RequestError(_ARGUMENT, rule, path.name)
            found[match[1]] = file
    there = {day for day in inputs.days if f"{day:%Y%m%d}" in found}
    _check_days(path, there, inputs.days)
    rasters = tuple(found[f"{day:%Y%m%d}"] for day in inputs.days)
    missing = []
    for raster in rasters:
        check_fits(raster, RasterReader(raster).shape, inputs.stack, _ARGUMENT)
        opened = open_raster(str(raster), error=InputError)  # bands do not keep it open
        value = opened.GetRasterBand(1).GetNoDataValue()
        missing.append(math.nan if value is None else float(value))
    return Delays(
        file=None,
        numbers=np.arange(len(inputs.days)),
        rasters=rasters,
        missing=tuple(missing),
    )


def _check_days(path: Path, there: set[date], days: tuple[date, ...]) -> None:
    for day in days:
        if day not in there:
            raise InputError(f"{path.name} must have a delay for every date, {day:%Y%m%d} lacks")
