"""Pictures of the interferogram benchmark's errors: what the page on accuracy shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from benchmarks.error_charts import (
    BAR_COLOUR,
    BOTTOM,
    LEFT,
    SMALL,
    TOP,
    draw_map,
    draw_sizes,
    dress,
    map_height,
)
from benchmarks.interferogram_errors import (
    ClosureErrors,
    Merged,
    PairErrors,
    SeamErrors,
    root_mean_square,
)
from kernels.model import Looks
from kernels.products.colours import phase_colours
from kernels.products.drawing import Sheet, draw_view, save_picture, view_of
from kernels.products.pictures import draw_colour_wheel
from kernels.products.preview import looked_grid, phase_cells, preview_looks

PICTURES = (
    "accuracy_residual.png",
    "accuracy_coherence.png",
    "accuracy_coregistration.png",
    "accuracy_seams.png",
    "accuracy_shift.png",
    "accuracy_closure.png",
)
"""Names of the files, in the order of `draw_pictures`."""

PHASE_BAR, COHERENCE_BAR = 0.003, 0.999
LINES_BAR, SAMPLES_BAR = 1e-4, 1e-5
JUMP_BAR = 0.01
SHIFT_BAR, NOISY_SHIFT_BAR = 5e-5, 1e-4
"""What each figure must stay within: [rad], [1], [lines], [samples], [rad], [lines]."""

_CHART = 4.2
"""Width of a chart [inches]."""
_GAP = 0.9
_WHEEL_COLUMN = 3.0
_MAP_SIDE = 300
"""Most cells of a map of wrapped phase on either side."""
_TURN = 128
"""Colours of a turn: more would only make the file large."""


def draw_pictures(
    folder: Path,
    *,
    iw: PairErrors,
    stripmap: PairErrors,
    seams: SeamErrors,
    closure: ClosureErrors,
) -> None:
    """Write all pictures.

    Parameters
    ----------
    folder : Path
        Made where it is missing; files of the same names are replaced.
    iw, stripmap : PairErrors
        Of the two pairs.
    seams : SeamErrors
        Of the pair with an error in azimuth.
    closure : ClosureErrors
        Of three dates.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in PICTURES]
    _residual(paths[0], iw, stripmap)
    _coherence(paths[1], iw, stripmap)
    _coregistration(paths[2], iw, stripmap)
    _seams(paths[3], seams)
    _shift(paths[4], seams)
    _closure(paths[5], closure)


def _two_charts(title: str, subtitle: str, *, height: float = 3.2) -> tuple[Sheet, Axes, Axes]:
    sheet = Sheet(
        width=LEFT + 2 * _CHART + _GAP + 0.4,
        height=TOP + height + BOTTOM,
        title=title,
        subtitle=subtitle,
    )
    left = sheet.axes(LEFT, TOP, _CHART, height)
    return sheet, left, sheet.axes(LEFT + _CHART + _GAP, TOP, _CHART, height)


def _map_and_sizes(title: str, subtitle: str, pair: PairErrors) -> tuple[Sheet, Axes, Axes]:
    """Lay out a map with a colour bar below, and a chart."""
    height = map_height(pair.grid, _CHART)
    sheet = Sheet(
        width=LEFT + 2 * _CHART + _GAP + 0.4,
        height=TOP + max(height, 2.6) + 1.4,
        title=title,
        subtitle=subtitle,
    )
    sheet.text(LEFT, TOP - 0.15, "IW pair, Alps; grey: layover, shadow, no data", size=11)
    chart = sheet.axes(LEFT + _CHART + _GAP, TOP, _CHART, max(height, 2.6) + 0.55)
    return sheet, sheet.axes(LEFT, TOP, _CHART, height), chart


def _looks(pair: PairErrors) -> str:
    return f"{pair.looks.azimuth} x {pair.looks.range} looks (azimuth x range)"


def _residual(path: Path, iw: PairErrors, stripmap: PairErrors) -> None:
    errors = {
        "IW": iw.phase[iw.kept],
        "IW, no layover in reach": iw.phase[iw.clear],
        "StripMap": stripmap.phase[stripmap.kept],
    }
    rms = {name: root_mean_square(values) for name, values in errors.items()}
    sheet, area, chart = _map_and_sizes(
        "Residual phase of a pair without displacement",
        f"{_looks(iw)}: {rms['IW']:.2g} rad RMS, StripMap {rms['StripMap']:.2g} rad; "
        f"bar: {PHASE_BAR:g} rad",
        iw,
    )
    draw_map(
        sheet,
        area,
        np.square(1e3 * iw.phase),
        iw.kept,
        grid=iw.grid,
        looks=iw.looks,
        norm=LogNorm(0.3, 30.0),
        root=True,
        label="Residual phase, RMS [mrad]",
    )
    draw_sizes(
        chart,
        {f"{name}, {rms[name]:.2g} rad RMS": values for name, values in errors.items()},
        label="Residual phase of a window [rad]",
        bar=PHASE_BAR,
    )
    save_picture(sheet.figure, path)


def _coherence(path: Path, iw: PairErrors, stripmap: PairErrors) -> None:
    lacks = {
        "IW": 1.0 - iw.coherence[iw.kept].astype(np.float64),
        "StripMap": 1.0 - stripmap.coherence[stripmap.kept].astype(np.float64),
    }
    means = {name: 1.0 - float(values.mean()) for name, values in lacks.items()}
    sheet, area, chart = _map_and_sizes(
        "Coherence of an unchanged scene",
        f"{_looks(iw)}: mean {means['IW']:.5f}, StripMap {means['StripMap']:.5f}; "
        f"bar: {COHERENCE_BAR:g}",
        iw,
    )
    draw_map(
        sheet,
        area,
        np.float32(1.0) - iw.coherence,
        iw.kept,
        grid=iw.grid,
        looks=iw.looks,
        norm=LogNorm(1e-5, 1e-2),
        root=False,
        label="1 − coherence, mean",
    )
    draw_sizes(
        chart,
        {f"{name}, mean {means[name]:.5f}": values for name, values in lacks.items()},
        label="1 − coherence of a window",
        bar=round(1.0 - COHERENCE_BAR, 6),
    )
    save_picture(sheet.figure, path)


def _coregistration(path: Path, iw: PairErrors, stripmap: PairErrors) -> None:
    sheet, azimuth, across = _two_charts(
        "Coregistration against the truth",
        f"{iw.lines.size:,} nodes of the IW pair, {stripmap.lines.size:,} of the StripMap pair, "
        "outside layover",
    )
    parts = (
        (azimuth, iw.lines, stripmap.lines, "Azimuth error [lines]", LINES_BAR),
        (across, iw.samples, stripmap.samples, "Range error [samples]", SAMPLES_BAR),
    )
    for axes, of_iw, of_stripmap, label, bar in parts:
        series = {
            f"IW, {root_mean_square(of_iw):.2g} RMS": of_iw,
            f"StripMap, {root_mean_square(of_stripmap):.2g} RMS": of_stripmap,
        }
        draw_sizes(axes, series, label=label, bar=bar)
    save_picture(sheet.figure, path)


def _seams(path: Path, seams: SeamErrors) -> None:
    """Draw wrapped phase before and after, with one colour wheel."""
    height = map_height(seams.grid, _CHART)
    sheet = Sheet(
        width=LEFT + 2 * _CHART + 0.4 + _WHEEL_COLUMN,
        height=TOP + max(height, 2.9) + BOTTOM,
        title="Seams without and with enhanced spectral diversity",
        subtitle=f"the secondary's lines are off by {abs(seams.shift):g}; "
        f"mean jumps must stay below {JUMP_BAR:g} rad",
    )
    for place, (name, merged) in enumerate((("Without", seams.before), ("With", seams.after))):
        left = LEFT + place * (_CHART + 0.4)
        largest = max(np.abs(merged.jumps).max(), np.abs(merged.swath_jumps).max())
        sheet.text(left, TOP - 0.15, f"{name}: mean jumps up to {largest:.2g} rad", size=11)
        axes = sheet.axes(left, TOP, _CHART, height)
        _draw_phase(axes, merged, seams, y_axis=place == 0)
    draw_colour_wheel(sheet, seams.grid.wavelength, shaded=False)
    save_picture(sheet.figure, path)


def _draw_phase(axes: Axes, merged: Merged, seams: SeamErrors, *, y_axis: bool) -> None:
    cells = preview_looks(seams.grid.shape, _MAP_SIDE)
    phase = phase_cells(merged.phase, np.isfinite(merged.phase), cells)
    known = np.isfinite(phase)
    step = 2.0 * np.pi / _TURN
    colours = np.where(known[..., None], phase_colours(np.round(phase / step) * step), 0.0)
    both = Looks(seams.looks.azimuth * cells.azimuth, seams.looks.range * cells.range)
    view = view_of(looked_grid(seams.grid, cells), both)
    axes.imshow(
        np.dstack([colours, known]),
        extent=view.extent,
        origin="upper",
        aspect="auto",
        interpolation="nearest",
    )
    draw_view(axes, view, y_axis=y_axis)


def _shift(path: Path, seams: SeamErrors) -> None:
    """Draw what every overlap says of the shift, without noise and at coherence 0.5."""
    joint = 1.0 / np.sqrt(np.sum(seams.bounds**-2.0))
    rms = root_mean_square(np.array([draw.error for draw in seams.noisy]))
    sheet, clean, noisy = _two_charts(
        "Azimuth shift from the overlaps of bursts: error by overlap",
        f"joint error {abs(seams.clean.error):.1g} line without noise, {rms:.2g} line RMS at "
        f"coherence 0.5 (Cramer-Rao {joint:.2g}); bars: {SHIFT_BAR:g} and {NOISY_SHIFT_BAR:g}",
    )
    joint_place = seams.bounds.size
    places = np.arange(joint_place + 1)
    sheet.text(LEFT, TOP - 0.15, "Without noise; bars: standard deviation as reported", size=11)
    clean.errorbar(
        places,
        1e6 * np.append(seams.clean.errors, seams.clean.error),
        1e6 * np.append(seams.clean.deviations, seams.clean.deviation),
        fmt="o",
        color="#1b6ca8",
        capsize=3,
    )
    right = LEFT + _CHART + _GAP
    text = f"Coherence 0.5, {len(seams.noisy)} draws; grey: Cramer-Rao bound"
    sheet.text(right, TOP - 0.15, text, size=11)
    bounds = 1e6 * np.append(seams.bounds, joint)
    noisy.bar(places, 2.0 * bounds, bottom=-bounds, width=0.8, color="#d0d0d0")
    for number, draw in enumerate(seams.noisy):
        beside = places + 0.1 * (number - 0.5 * (len(seams.noisy) - 1))
        noisy.plot(beside, 1e6 * np.append(draw.errors, draw.error), "o", ms=4, color="#d1772b")
    for axes, bar in ((clean, SHIFT_BAR), (noisy, NOISY_SHIFT_BAR)):
        axes.axhline(0.0, color="black", linewidth=0.8)
        for limit in (-1e6 * bar, 1e6 * bar):
            axes.hlines(limit, joint_place - 0.45, joint_place + 0.45, BAR_COLOUR, linestyles="--")
        dress(axes, "", "Error [µline]")
        axes.set_xticks(places, [*seams.overlaps, "joint"], fontsize=SMALL)
    clean.set_yscale("symlog", linthresh=1.0)
    save_picture(sheet.figure, path)


def _closure(path: Path, closure: ClosureErrors) -> None:
    one, several = closure
    sheet, left, right = _two_charts(
        "Phase closure of three dates at coherence 0.6",
        f"one look: at most {np.abs(one).max():.2g} rad, rounding of float32; "
        f"2 x 8 looks (azimuth x range): {root_mean_square(several):.2g} rad RMS",
    )
    draw_sizes(
        left, {f"{one.size:,} pixels": one}, label="Closure phase at one look [rad]", bar=None
    )
    right.hist(several, bins=120, range=(-np.pi, np.pi), color="#1b6ca8")
    dress(right, "Closure phase at 2 x 8 looks [rad]", "Cells")
    right.set_xticks([-np.pi, 0.0, np.pi], ["−π", "0", "π"])
    save_picture(sheet.figure, path)
