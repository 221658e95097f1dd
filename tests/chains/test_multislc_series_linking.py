"""Pairs of linked phases: what goes into the extra, and what comes out in the interferograms.

A stand-in of the extra's interface estimates the phases, slowly and with numpy alone.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.chains.multislc_series import linking
from kernels.chains.multislc_series.linking import link_swath
from kernels.chains.multislc_series.pair_files import RADAR
from kernels.chains.multislc_series.pairs import PairMaker
from kernels.chains.multislc_series.request import MultislcSeriesRequest
from kernels.chains.multislc_series.stack import Stack
from kernels.engine.progress import Progress
from kernels.errors import RequestError
from kernels.insar.phase_linking import link_phases, linked_sums, require_linking
from kernels.model import Looks, Shape
from kernels.products.raster import read_raster
from tests.series import Series
from tests.stacks import decaying, make_stack, shapes, speckle

PHASES = np.array([0.0, 1.0, -2.0, 0.3, 2.5, -1.2])
LOOKS = Looks(azimuth=4, range=16)


class _RowsColumns(NamedTuple):
    y: int
    x: int


class _Linked(NamedTuple):
    cpx_phase: NDArray[np.complex64]
    temp_coh: NDArray[np.float32]


def _link(
    slc_stack: NDArray[np.complex64],
    half_window: _RowsColumns,
    strides: _RowsColumns,
    *,
    nodata_mask: NDArray[np.bool_],
    compute_crlb: bool,
) -> _Linked:
    """Take the largest eigenvector of the coherence in windows around the cells' middles."""
    assert not compute_crlb
    assert np.isnan(slc_stack[:, nodata_mask]).all()
    dates, *shape = slc_stack.shape
    edges = []
    for size, step, half in zip(shape, strides, half_window, strict=True):
        middles = np.arange(size // step) * step + step // 2
        edges.append((np.maximum(middles - half, 0), np.minimum(middles + half + 1, size)))
    (top, bottom), (left, right) = edges

    def boxes(values: NDArray[np.complex64]) -> NDArray[np.complex128]:
        total = np.pad(values.cumsum(0, np.complex128).cumsum(1), ((1, 0), (1, 0)))
        rows = total[bottom] - total[top]
        return rows[:, right] - rows[:, left]

    pixels = np.where(nodata_mask, 0.0, slc_stack)
    matrices = np.empty((top.size, left.size, dates, dates), np.complex128)
    for i, j in np.ndindex(dates, dates):
        matrices[:, :, i, j] = boxes(pixels[i] * pixels[j].conj())
    vectors = np.linalg.eigh(matrices)[1][..., -1]
    phase = np.exp(1j * np.angle(vectors * vectors[..., :1].conj()))
    fit = matrices * phase.conj()[..., :, None] * phase[..., None, :]
    upper = np.triu_indices(dates, 1)
    quality = np.cos(np.angle(fit[:, :, *upper])).mean(axis=-1)
    lacks = np.lib.stride_tricks.sliding_window_view(nodata_mask, strides)
    lost = lacks[:: strides.y, :: strides.x].all(axis=(2, 3))
    phase[lost], quality[lost] = np.nan, np.nan
    return _Linked(np.moveaxis(phase, -1, 0), quality)


@pytest.fixture
def dolphin(monkeypatch: pytest.MonkeyPatch) -> None:
    library, phase_link = ModuleType("dolphin"), ModuleType("dolphin.phase_link")
    library.__spec__ = ModuleSpec("dolphin", None)
    vars(library).update(HalfWindow=_RowsColumns, Strides=_RowsColumns, phase_link=phase_link)
    vars(phase_link).update(run_phase_linking=_link)
    monkeypatch.setitem(sys.modules, "dolphin", library)
    monkeypatch.setitem(sys.modules, "dolphin.phase_link", phase_link)


@pytest.fixture(scope="module")
def stack(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Six dates whose coherence falls to 0.08; one lacks the first lines."""
    pixels = speckle(100.0**2 * decaying(6, PHASES, memory=2.0), shapes(tops_series)[0])
    pixels[2, :40] = 0.0
    made = make_stack(tops_series, tmp_path_factory.mktemp("stack"), [pixels])
    request = replace(made.request, ortho="none", linking="dolphin", memory_mb=2000)
    return replace(made, request=request)


def _pair(stack: Stack, folder: Path) -> NDArray[np.float32]:
    """Amplitude, phase, coherency and isData of the first date with the last one."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    maker = PairMaker(stack, "key", unbiased_looks=None, threads=1, scratch=scratch)
    made = maker.make((0, 5), folder, Progress())
    return read_raster(made.folder / RADAR).array


def _error(phase: NDArray[np.float32], truth: float) -> float:
    """Root mean square of the wrapped difference [rad]."""
    return float(np.sqrt(np.nanmean(np.square(np.angle(np.exp(1j * (phase - truth)))))))


@pytest.mark.usefixtures("dolphin")
def test_pairs_of_far_dates_have_the_linked_phase(stack: Stack, tmp_path: Path) -> None:
    raw = replace(stack, request=replace(stack.request, linking="none"))
    without, linked = _pair(raw, tmp_path / "raw"), _pair(stack, tmp_path / "linked")
    truth = PHASES[0] - PHASES[5]
    # 64 looks of coherence 0.08: the phase of the pair alone is all but noise
    assert _error(without[1], truth) > 0.8
    assert _error(linked[1], truth) < 0.35
    known = linked[3] == 1.0
    np.testing.assert_allclose(linked[0][known], without[0][known], rtol=1e-5)
    assert np.all((linked[2][known] > 0.0) & (linked[2][known] <= 1.0))
    assert np.median(linked[2][known]) > 2.0 * np.median(without[2][known])
    # what one date lacks no pair has, though both of its own dates have it
    assert not known[:10].any()
    assert np.any(without[3][:10] == 1.0)
    assert np.array_equal(known[10:], without[3][10:] == 1.0)


@pytest.mark.usefixtures("dolphin")
def test_the_cut_into_bands_changes_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = link_swath(stack, 0, tmp_path / "whole", progress=Progress())
    monkeypatch.setattr(linking, "rows_for_budget", lambda *_, **__: 7)
    cut = link_swath(stack, 0, tmp_path / "cut", progress=Progress())
    # the stand-in's cumulative sums round otherwise
    np.testing.assert_allclose(np.exp(1j * cut[:-1]), np.exp(1j * whole[:-1]), atol=1e-4)
    np.testing.assert_allclose(cut[-1], whole[-1], atol=1e-4)


@pytest.mark.usefixtures("dolphin")
def test_phases_are_against_the_first_date_and_of_the_sign_of_pairs() -> None:
    pixels = speckle(decaying(6, PHASES, memory=50.0), Shape(16, 64))
    linked = link_phases(pixels, LOOKS)
    assert linked.shape == (7, 4, 4)
    np.testing.assert_array_equal(linked[0], 0.0)
    expected = (PHASES - PHASES[0])[:, None, None]
    # some 200 looks of coherence 0.98 and less: 0.02 rad
    assert np.abs(np.angle(np.exp(1j * (linked[:-1] - expected)))).max() < 0.1
    assert np.all((linked[-1] > 0.9) & (linked[-1] <= 1.0))


@pytest.mark.usefixtures("dolphin")
def test_nothing_is_linked_where_no_pixel_is_in_all_dates() -> None:
    pixels = np.ones((3, 8, 32), np.complex64)
    pixels[1] = 0.0
    assert np.isnan(link_phases(pixels, LOOKS)).all()


def test_sums_keep_their_powers_and_get_phase_and_coherence() -> None:
    sums = np.array([[[3.0, 4.0, 8.0, 2.0], [1.0, 0.0, 1.0, 1.0], [0.0] * 4]], np.float32)
    linked = np.array([[[0.5, 0.0, 0.1]], [[-0.25, 0.0, 0.2]], [[0.9, np.nan, 0.5]]], np.float32)
    found = linked_sums(sums, linked)
    np.testing.assert_allclose(found[0, 0], [3.6 * np.cos(0.75), 3.6 * np.sin(0.75), 8.0, 2.0])
    np.testing.assert_array_equal(found[0, 1:], 0.0)


def test_an_absent_extra_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dolphin", None)
    with pytest.raises(RequestError, match=r"linking must be none .* pip install dolphin"):
        require_linking()


def test_temporal_coherence_is_not_freed_from_a_bias(stack: Stack) -> None:
    with pytest.raises(RequestError, match="coherence must be plain with linking"):
        replace(stack.request, coherence="unbiased")
    assert isinstance(replace(stack.request, linking="none"), MultislcSeriesRequest)
