"""The network of PyRate's test data: its own series, and MintPy's of the same pairs.

Real interferograms with gaps. PyRate's series is of the twelve pairs of a
tree; MintPy's and ours are of all seventeen, not weighted, at cells whose pairs connect all dates.
The 5 x 5 cells of the reference are given their mean, so that it is that of MintPy's one cell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.timeseries_peer import invert_with_mintpy
from kernels.chains.insar_timeseries import InsarTimeseriesRequest
from kernels.chains.insar_timeseries.run import run
from kernels.engine.bands import Band
from kernels.engine.progress import Progress
from kernels.model import Shape
from kernels.products.mintpy import create_stack
from kernels.products.mintpy_results import SERIES, LayerFile

FOLDER = Path("nsbas_pyrate", "small_test")
_PHASES = "ref_phase_est"
_SERIES = "time_series/ts_cum_interp0_method2.csv"
_WAVELENGTH = 0.0562356424
"""Of ENVISAT [m]; phases are made of millimetres and displacement of phases with the same."""
_METRES = -_WAVELENGTH / (4.0 * np.pi)
_DIGITS = 1e-3
"""Of PyRate's series [mm]."""


class _Network(NamedTuple):
    """Pairs [mm], shape (pairs, rows, columns), and PyRate's series, shape (dates, ...)."""

    days: list[str]
    pairs: list[tuple[int, int]]
    millimetres: NDArray[np.float64]
    series: NDArray[np.float64]


def compare_pyrate(shared: Path, peer: Path | None, folder: Path) -> dict[str, float]:
    """Invert PyRate's pairs with ours and MintPy.

    Parameters
    ----------
    shared : Path
        Folder with FOLDER in it.
    peer : Path or None
        From `peer_python`; None: PyRate's series alone.
    folder : Path
        Receives all files.

    Returns
    -------
    dict of str to float
        Differences of displacement over all dates [mm], and how many cells they are of.

    Raises
    ------
    PeerError
        MintPy ended with an error.
    """
    network = _read(shared / FOLDER)
    known = np.isfinite(np.concatenate([network.millimetres, network.series])).all(axis=0)
    row, column = np.argwhere(_all_of_window(known))[0]
    around = np.s_[:, row - 2 : row + 3, column - 2 : column + 3]
    # the tree is where PyRate's series fits the pairs exactly
    off = [
        np.median(np.abs(values - (network.series[b] - network.series[a]))[known])
        for values, (a, b) in zip(network.millimetres, network.pairs, strict=True)
    ]
    tree = [number for number, value in enumerate(off) if value < _DIGITS]
    ours = _invert(_write(network, tree, (row, column), folder / "tree"))
    theirs = network.series - network.series[around].mean(axis=(1, 2))[:, None, None]
    known[around[1:]] = False  # these have their mean
    figures = _compare("pyrate", ours[:, known], theirs[:, known])
    if peer is not None:
        stack = _write(network, range(len(network.pairs)), (row, column), folder / "all")
        ours = _invert(stack)
        theirs = _read_series(invert_with_mintpy(peer, stack, "none", folder / "mintpy"))
        # MintPy leaves cells without a solution at 0
        solved = np.isfinite(ours).all(axis=0) & (theirs != 0.0).any(axis=0)
        figures |= _compare("pyrate_mintpy", ours[:, solved], theirs[:, solved])
    return figures


def _read(folder: Path) -> _Network:
    files = sorted((folder / _PHASES).glob("*corrected_method2geo_*.csv"))
    millimetres = np.stack([np.genfromtxt(file, delimiter=",") for file in files])
    names = [re.findall(r"\d{6}", file.name)[-2:] for file in files]
    days = sorted({day for pair in names for day in pair})
    rows, columns = millimetres.shape[1:]
    flat = np.genfromtxt(folder / _SERIES).reshape((rows, columns, len(days) - 1), order="F")
    series = np.concatenate([np.zeros((rows, columns, 1)), flat], axis=2)
    pairs = [(days.index(first), days.index(second)) for first, second in names]
    return _Network(days, pairs, millimetres, np.moveaxis(series, 2, 0))


def _all_of_window(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where all 5 x 5 cells around are known."""
    found = np.zeros_like(known)
    windows = np.lib.stride_tricks.sliding_window_view(known, (5, 5))
    found[2:-2, 2:-2] = windows.all(axis=(2, 3))
    return found


def _write(
    network: _Network, chosen: Sequence[int], reference: tuple[int, int], folder: Path
) -> Path:
    folder.mkdir()
    row, column = reference
    shape = Shape(*network.millimetres.shape[1:])
    with create_stack(
        folder / "ifgramStack.h5",
        days=[datetime.strptime(day, "%y%m%d").date() for day in network.days],
        pairs=[network.pairs[number] for number in chosen],
        baselines=[0.0] * len(network.days),
        shape=shape,
        attributes={
            "WAVELENGTH": repr(_WAVELENGTH),
            "ALOOKS": "1",
            "RLOOKS": "1",
            "REF_Y": str(row),
            "REF_X": str(column),
        },
    ) as writer:
        for place, number in enumerate(chosen):
            phase = 1e-3 * network.millimetres[number] / _METRES
            around = phase[row - 2 : row + 3, column - 2 : column + 3]
            around[:] = around.mean()
            known = np.isfinite(phase)
            writer.write(place, phase, known.astype(np.float32), known.astype(np.int64))
    return folder / "ifgramStack.h5"


def _invert(stack: Path) -> NDArray[np.float64]:
    request = InsarTimeseriesRequest(
        interferograms=stack,
        weighting="none",
        unwrapping_correction="none",
        disconnected="mask",
        minimum_pairs=0.0,
        minimum_temporal_coherence=0.0,
        dem_error=False,
        threads=1,
    )
    return _read_series(run(request, stack.parent / "ours", Progress()).artefact(SERIES).path)


def _read_series(path: Path) -> NDArray[np.float64]:
    """Displacement on every date, shape (dates, rows, columns) [mm]."""
    file = LayerFile(path, SERIES)
    return 1e3 * file.rows(Band(0, file.shape.lines)).astype(np.float64)


def _compare(name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, float]:
    difference = ours - theirs
    return {
        f"{name}_difference_rms_mm": float(f"{np.sqrt(np.square(difference).mean()):.3g}"),
        f"{name}_difference_max_mm": float(f"{np.abs(difference).max():.3g}"),
        f"{name}_rms_mm": float(f"{np.sqrt(np.square(theirs).mean()):.3g}"),
        f"{name}_compared_cells": difference.shape[1],
    }
