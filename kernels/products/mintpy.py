"""Stacks of unwrapped interferograms as MintPy keeps them: one HDF5 file, written pair by pair.

Layout and names of attributes: MintPy's documentation, pages "Data structure" and "Attributes".
A phase of 0 is no data; pairs are named by the earlier and the later day, and a positive phase
means that the ground was further away at the later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernels.engine.bands import Band
from kernels.errors import InputError, ProcessingError, RequestError
from kernels.model import Shape
from kernels.products.hdf5_writing import Hdf5Writer, create_hdf5

STACK, GEOMETRY = "ifgramStack", "geometry"
"""Values of the attribute FILE_TYPE."""
_LAYOUT = "isce"
"""Value of the attribute PROCESSOR, from which MintPy knows that positions are kept by cell."""
_TINY = np.float32(1e-9)
"""Written for a phase that is exactly 0 [rad], which would mean no data."""


class StackRows(NamedTuple):
    """Some rows of all pairs.

    Attributes
    ----------
    phase : ndarray of float32, shape (pairs, rows, columns)
        Unwrapped, later minus earlier date [rad]; NaN where unknown.
    coherence : ndarray of float32, shape (pairs, rows, columns), or None
        NaN where unknown; None where the file has none.
    components : ndarray of int16, shape (pairs, rows, columns), or None
        Connected regions, 0 outside them; None where the file has none.
    """

    phase: NDArray[np.float32]
    coherence: NDArray[np.float32] | None
    components: NDArray[np.int16] | None


class StackWriter:
    """Takes pair after pair; made by `create_stack`."""

    def __init__(self, file: Hdf5Writer, pairs: Sequence[tuple[int, int]]) -> None:
        self._file = file
        self._pairs = tuple(pairs)
        self._missing = set(range(len(self._pairs)))

    def write(
        self,
        number: int,
        phase: NDArray[np.floating],
        coherence: NDArray[np.floating],
        components: NDArray[np.integer],
    ) -> None:
        """Write one pair.

        Parameters
        ----------
        number : int
            Of the pair, as listed to `create_stack`; in any order.
        phase : ndarray of float, shape (rows, columns)
            Unwrapped ``first * conj(second)`` of the pair as listed [rad]; NaN where unknown. Of
            a pair whose first image is the later one the negative is written.
        coherence : ndarray of float, shape (rows, columns)
            NaN where unknown.
        components : ndarray of int, shape (rows, columns)
            0 where the phase is not reliable.

        Raises
        ------
        ProcessingError
            The file system did not take it.
        """
        first, second = self._pairs[number]
        known = np.where(phase == 0.0, _TINY, phase if first < second else -phase)
        self._file.put("unwrapPhase", number, np.nan_to_num(known.astype(np.float32), nan=0.0))
        self._file.put("coherence", number, np.nan_to_num(coherence.astype(np.float32), nan=0.0))
        self._file.put("connectComponent", number, components.astype(np.int16))
        self._missing.discard(number)

    def drop_missing(self) -> None:
        """Mark the pairs that were not written as not to be used, as MintPy does."""
        for number in self._missing:
            self._file.put("dropIfgram", number, np.False_)
        self._missing.clear()

    def check_complete(self) -> None:
        """Raise ProcessingError where pairs are missing."""
        if self._missing:
            raise ProcessingError(f"{self._file.path.name} lacks {len(self._missing)} of its pairs")


@contextmanager
def create_stack(
    path: Path,
    *,
    days: Sequence[date],
    pairs: Sequence[tuple[int, int]],
    baselines: Sequence[float],
    shape: Shape,
    attributes: Mapping[str, str],
) -> Iterator[StackWriter]:
    """Write ifgramStack.h5 pair by pair; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    days : sequence of date
        In order of time, each once.
    pairs : sequence of (int, int)
        Numbers of the dates of first and second image; either may be the earlier one.
    baselines : sequence of float
        Perpendicular, of each date against one of them [m].
    shape : Shape
        Rows and columns.
    attributes : mapping of str to str
        Of the scene, from `mintpy_scene.scene_attributes`.

    Yields
    ------
    StackWriter
        Takes the pairs, from one thread.

    Raises
    ------
    ProcessingError
        The file system did not take the file, or pairs are missing at the end.
    """
    ordered = [tuple(sorted(pair)) for pair in pairs]
    names = [[f"{days[number]:%Y%m%d}".encode() for number in pair] for pair in ordered]
    full = (len(pairs), *shape)
    with create_mintpy(path, STACK, shape, {**attributes, "UNIT": "radian"}) as file:
        file.small("date", np.array(names, "S8"))
        file.small("bperp", np.array([baselines[b] - baselines[a] for a, b in ordered], np.float32))
        file.small("dropIfgram", np.ones(len(pairs), np.bool_))
        file.layer("unwrapPhase", full, np.float32)
        file.layer("coherence", full, np.float32)
        file.layer("connectComponent", full, np.int16)
        writer = StackWriter(file, pairs)
        yield writer
        writer.check_complete()


@contextmanager
def create_mintpy(
    path: Path, file_type: str, shape: Shape, attributes: Mapping[str, str]
) -> Iterator[Hdf5Writer]:
    """Create a file of MintPy's layout; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        Final name.
    file_type : str
        Value of FILE_TYPE, the name of the main layer.
    shape : Shape
        Rows and columns of the layers.
    attributes : mapping of str to str
        Further ones.

    Yields
    ------
    Hdf5Writer
        Takes the layers.

    Raises
    ------
    ProcessingError
        The file system did not take the file.
    """
    own = {"FILE_TYPE": file_type, "LENGTH": str(shape.lines), "WIDTH": str(shape.samples)}
    with create_hdf5(path, {"PROCESSOR": _LAYOUT, **attributes, **own}) as file:
        yield file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what HDF5 complains of while it reads into one InputError."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from error


def opened(path: Path) -> Any:
    """Open an HDF5 file to read; raises InputError naming what is wrong."""
    import h5py  # noqa: PLC0415  # not for the web tier

    if not path.is_file():
        raise InputError(f"{path.name} must be an HDF5 file, there is none of that name")
    if not h5py.is_hdf5(path):
        raise InputError(f"{path.name} must be an HDF5 file")
    with reading(path):
        return h5py.File(path, "r")


def attributes_of(file: Any) -> dict[str, str]:
    """Read the attributes of a file as text."""
    return {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in file.attrs.items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class InterferogramStack:
    """A network of unwrapped interferograms in a file of MintPy's layout.

    Attributes
    ----------
    path : Path
        Of the file.
    days : tuple of date
        In order of time.
    pairs : ndarray of int64, shape (pairs, 2)
        Numbers of the earlier and the later date.
    baselines : ndarray of float64, shape (pairs,)
        Perpendicular, later minus earlier [m]; 0 where the file has none.
    used : ndarray of bool, shape (pairs,)
        False for the pairs that someone marked as dropped.
    shape : Shape
        Rows and columns.
    wavelength : float
        [m].
    attributes : dict of str to str
        Of the file.
    layers : frozenset of str
        Names of its data sets.
    """

    path: Path
    days: tuple[date, ...]
    pairs: NDArray[np.int64]
    baselines: NDArray[np.float64]
    used: NDArray[np.bool_]
    shape: Shape
    wavelength: float
    attributes: dict[str, str]
    layers: frozenset[str]

    def rows(self, rows: Band, pairs: NDArray[np.int64] | None = None) -> StackRows:
        """Read some rows.

        Parameters
        ----------
        rows : Band
            Of the grid.
        pairs : ndarray of int64 or None
            Numbers of the pairs, increasing; None: all of them.

        Returns
        -------
        StackRows
            Of those pairs.

        Raises
        ------
        InputError
            The file is damaged.
        """
        numbers = range(len(self.pairs)) if pairs is None else pairs.tolist()
        with opened(self.path) as file, reading(self.path):
            phase = _layer(file, "unwrapPhase", numbers, rows, np.float32)
            coherence = _layer(file, "coherence", numbers, rows, np.float32)
            components = _layer(file, "connectComponent", numbers, rows, np.int16)
        if phase is None:
            raise InputError(f"{self.path.name} must have a data set unwrapPhase")
        phase[(phase == 0.0) | ~np.isfinite(phase)] = np.nan
        if coherence is not None:
            coherence[np.isnan(phase)] = np.nan
        return StackRows(phase, coherence, components)


def _layer(
    file: Any, name: str, numbers: Sequence[int], rows: Band, kind: Any
) -> NDArray[Any] | None:
    if name not in file:
        return None
    layer = file[name]
    found = np.empty((len(numbers), rows.rows, layer.shape[2]), kind)
    for place, number in enumerate(numbers):  # a list of numbers would be slow in HDF5
        found[place] = layer[number, rows.first : rows.first + rows.rows]
    return found


def open_stack(path: Path) -> InterferogramStack:
    """Open a stack of unwrapped interferograms.

    Parameters
    ----------
    path : Path
        ifgramStack.h5, written here or by MintPy.

    Returns
    -------
    InterferogramStack
        Checked; pixels are not read.

    Raises
    ------
    InputError
        No such file, or one that lacks what is needed.
    """
    with opened(path) as file, reading(path):
        attributes = attributes_of(file)
        for name in ("unwrapPhase", "date"):
            if name not in file:
                raise InputError(f"{path.name} must be a stack of MintPy with a data set {name}")
        phase, names = file["unwrapPhase"], file["date"][:]
        if phase.ndim != 3 or names.shape != (phase.shape[0], 2) or 0 in phase.shape:
            raise InputError(f"{path.name} must hold two days for each pair of unwrapPhase")
        count, shape = phase.shape[0], Shape(*phase.shape[1:])
        for name in ("coherence", "connectComponent"):
            if name in file and file[name].shape != phase.shape:
                raise InputError(f"{path.name}: {name} must have the shape of unwrapPhase")
        baselines = np.asarray(file["bperp"] if "bperp" in file else np.zeros(count), np.float64)
        used = np.asarray(file["dropIfgram"] if "dropIfgram" in file else np.ones(count), np.bool_)
        layers = frozenset(file)
    if baselines.shape != (count,) or used.shape != (count,):
        raise InputError(f"{path.name}: bperp and dropIfgram must have one value for each pair")
    both = [[read_stack_day(path, name) for name in pair] for pair in names]
    days = sorted({day for pair in both for day in pair})
    numbers = np.array([[days.index(day) for day in pair] for pair in both], np.int64)
    if np.any(numbers[:, 0] >= numbers[:, 1]):
        raise InputError(f"{path.name} must name the earlier day of each pair first")
    return InterferogramStack(
        path=path,
        days=tuple(days),
        pairs=numbers,
        baselines=np.nan_to_num(baselines),
        used=used,
        shape=shape,
        wavelength=_wavelength(path, attributes),
        attributes=attributes,
        layers=layers,
    )


def read_stack_day(path: Path, name: bytes | str) -> date:
    """Read a day as MintPy writes it, 20160605 or 160605; raises InputError."""
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
    digits = text[:8]
    if len(digits) == 6:
        digits = f"20{digits}" if digits < "60" else f"19{digits}"
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError as error:
        raise InputError(f"{path.name} must name days as 20160605, got {text}") from error


def _wavelength(path: Path, attributes: Mapping[str, str]) -> float:
    try:
        wavelength = float(attributes["WAVELENGTH"])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path.name} must have an attribute WAVELENGTH in metres") from error
    if not 0.001 < wavelength < 10.0:
        raise InputError(f"{path.name}: WAVELENGTH must be in metres, got {wavelength:g}")
    return wavelength


def date_baselines(stack: InterferogramStack) -> NDArray[np.float64]:
    """Find the perpendicular baseline of every date from those of the pairs.

    Parameters
    ----------
    stack : InterferogramStack
        Of any network.

    Returns
    -------
    ndarray of float64, shape (dates,)
        From the first date [m], least squares of smallest norm where the network leaves it open.
    """
    design = np.zeros((len(stack.pairs), len(stack.days)))
    rows = np.arange(len(stack.pairs))
    design[rows, stack.pairs[:, 0]] = -1.0
    design[rows, stack.pairs[:, 1]] = 1.0
    found = np.asarray(np.linalg.lstsq(design, stack.baselines, rcond=None)[0], np.float64)
    return np.asarray(found - found[0])


def check_fits(path: Path, shape: Shape, stack: InterferogramStack, argument: str) -> None:
    """Raise RequestError where a file is not on the grid of the interferograms."""
    if shape != stack.shape:
        rule = (
            f"on the grid of the interferograms, {stack.shape.lines} x {stack.shape.samples} cells"
        )
        raise RequestError(argument, rule, f"{path.name} of {shape.lines} x {shape.samples}")
