"""From the request to a checked network, before any phase is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.chains.insar_timeseries.request import InsarTimeseriesRequest
from kernels.engine.bands import Band
from kernels.errors import InputError, RequestError
from kernels.geometry.map_grids import pixel_positions
from kernels.insar.networks import read_pair, subsets
from kernels.insar.timeseries import Network
from kernels.model import MapGrid, Shape
from kernels.products.mintpy import InterferogramStack, check_fits, date_baselines, open_stack
from kernels.products.mintpy_scene import StackGeometry, open_geometry

_DAYS_OF_YEAR = 365.25
_FEWEST_DATES = 3
_SIGHT = ("slantRangeDistance", "incidenceAngle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is inverted.

    Attributes
    ----------
    stack : InterferogramStack
        The file.
    geometry : StackGeometry or None
        Of its cells.
    numbers : ndarray of int64, shape (pairs,)
        Pairs of the file that are used.
    days : tuple of date
        Of these pairs.
    network : Network
        Of these pairs and days.
    map_grid : MapGrid or None
        Of the cells, where the file is on a map already.
    warnings : tuple of str
        What was left out.
    """

    stack: InterferogramStack
    geometry: StackGeometry | None
    numbers: NDArray[np.int64]
    days: tuple[date, ...]
    network: Network
    map_grid: MapGrid | None
    warnings: tuple[str, ...]

    @property
    def pair_names(self) -> list[str]:
        """Of the pairs that are used, as 20160605_20160629."""
        return [
            f"{self.days[a]:%Y%m%d}_{self.days[b]:%Y%m%d}" for a, b in self.network.pairs.tolist()
        ]

    @property
    def subsets(self) -> tuple[tuple[int, ...], ...]:
        """Groups of dates that pairs connect."""
        return subsets(len(self.days), [(int(a), int(b)) for a, b in self.network.pairs])

    @property
    def has_positions(self) -> bool:
        """Whether the cells can be placed on a map."""
        return self.map_grid is not None or (
            self.geometry is not None and {"longitude", "latitude"} <= self.geometry.layers
        )

    @property
    def has_sight(self) -> bool:
        """Whether range and incidence of the cells are known."""
        return self.geometry is not None and set(_SIGHT) <= self.geometry.layers

    def positions(self, rows: Band) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes and latitudes [degrees] of some rows of cells; NaN where unknown."""
        if self.map_grid is not None:
            lines = np.arange(rows.first, rows.first + rows.rows, dtype=np.float64)
            samples = np.arange(self.stack.shape.samples, dtype=np.float64)
            found = pixel_positions(self.map_grid, *np.meshgrid(lines, samples, indexing="ij"))
            return np.degrees(found[0]), np.degrees(found[1])
        if self.geometry is None:
            raise InputError("positions of the cells need a geometry")
        return self.geometry.rows("longitude", rows), self.geometry.rows("latitude", rows)

    def height_sensitivity(self, rows: Band) -> NDArray[np.float64]:
        """Displacement per metre of height and metre of baseline [1/m]; NaN where unknown."""
        if self.geometry is None:
            raise InputError("the error of the elevation needs a geometry")
        ranges = self.geometry.rows("slantRangeDistance", rows)
        sine = np.sin(np.radians(self.geometry.rows("incidenceAngle", rows)))
        return np.asarray(1.0 / (ranges * sine))

    def without(self, dropped: NDArray[np.bool_], warnings: tuple[str, ...]) -> Inputs:
        """Return what remains without some of the pairs."""
        return _assembled(
            self.stack,
            self.geometry,
            self.numbers[~dropped],
            map_grid=self.map_grid,
            warnings=(*self.warnings, *warnings),
        )


def open_inputs(request: InsarTimeseriesRequest) -> Inputs:
    """Open the files of a request and choose the pairs.

    Parameters
    ----------
    request : InsarTimeseriesRequest
        Checked request.

    Returns
    -------
    Inputs
        Two dates or more.

    Raises
    ------
    InputError
        Files that cannot be used, or a stack without a pair.
    RequestError
        Files that do not fit each other or the request.
    """
    stack = open_stack(request.interferograms)
    geometry = None
    if request.geometry is not None:
        geometry = open_geometry(request.geometry)
        check_fits(geometry.path, geometry.shape, stack, "geometry")
        if request.dem_error and not set(_SIGHT) <= geometry.layers:
            rule = f"false without {' and '.join(_SIGHT)} in {geometry.path.name}"
            raise RequestError("dem_error", rule, "true")
    used, warnings = _choose(request, stack)
    found = _assembled(
        stack, geometry, np.flatnonzero(used), map_grid=_map_grid(stack), warnings=warnings
    )
    if geometry is not None and not found.has_positions:
        raise InputError(f"{geometry.path.name} must hold longitude and latitude of the cells")
    if len(found.days) < _FEWEST_DATES:
        raise InputError(
            f"{stack.path.name} must have pairs of {_FEWEST_DATES} dates or more for a velocity, "
            f"got {len(found.days)}"
        )
    if (day := request.zero_day) is not None and day not in found.days:
        rule = f"of the days {_listed(found.days)}"
        raise RequestError("reference_day", rule, request.reference_day)
    return found


def _choose(
    request: InsarTimeseriesRequest, stack: InterferogramStack
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Leave out what the file and the request say."""
    used = stack.used.copy()
    warnings = []
    if not used.all():
        warnings.append(
            f"{np.count_nonzero(~used)} pairs of {stack.path.name} are marked as dropped"
        )
    if not used.any():
        raise InputError(f"{stack.path.name} has no pair that is not marked as dropped")
    both = [(stack.days[a], stack.days[b]) for a, b in stack.pairs.tolist()]
    for text in request.excluded_pairs:
        pair = read_pair(text)
        if pair not in both:
            raise RequestError("excluded_pairs", f"of the pairs of {stack.path.name}", text)
        used[[own == pair for own in both]] = False
    if not used.any():
        raise RequestError("excluded_pairs", "some of the pairs", "all of them")
    return used, tuple(warnings)


def _assembled(
    stack: InterferogramStack,
    geometry: StackGeometry | None,
    numbers: NDArray[np.int64],
    *,
    map_grid: MapGrid | None,
    warnings: tuple[str, ...],
) -> Inputs:
    pairs = stack.pairs[numbers]
    there = np.unique(pairs)
    days = tuple(stack.days[number] for number in there)
    baselines = date_baselines(stack)[there]
    times = np.array([(day - days[0]).days for day in days]) / _DAYS_OF_YEAR
    return Inputs(
        stack=stack,
        geometry=geometry,
        numbers=numbers,
        days=days,
        network=Network(
            times=times,
            pairs=np.searchsorted(there, pairs),
            baselines=baselines - baselines[0],
        ),
        map_grid=map_grid,
        warnings=warnings,
    )


def _map_grid(stack: InterferogramStack) -> MapGrid | None:
    """Grid of a stack that is on a map already, as MintPy notes it."""
    values = stack.attributes
    if "X_FIRST" not in values:
        return None
    if "EPSG" not in values and values.get("X_UNIT", "").lower().startswith("m"):
        raise InputError(f"{stack.path.name} on a map in metres must have an attribute EPSG")
    try:
        return MapGrid(
            crs=f"EPSG:{int(values.get('EPSG', 4326))}",
            west=float(values["X_FIRST"]),
            north=float(values["Y_FIRST"]),
            x_spacing=float(values["X_STEP"]),
            y_spacing=-float(values["Y_STEP"]),
            shape=Shape(*stack.shape),
        )
    except (KeyError, ValueError) as error:
        raise InputError(f"{stack.path.name} has damaged attributes of its map") from error


def named(path: Path | None) -> str | None:
    """Name of a file for the report."""
    return None if path is None else path.name


def _listed(days: tuple[date, ...]) -> str:
    return ", ".join(f"{day:%Y%m%d}" for day in days)
