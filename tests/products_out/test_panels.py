"""Small multiples: every panel in its place, in the colours of its values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.model import Looks, Shape
from kernels.products import panels
from kernels.products.drawing import PictureSize, save_picture
from kernels.products.panels import ColourBar, Panel, PhaseWheel, panels_picture
from tests.products_out.test_pictures import SHAPE, WAVELENGTH, commonest_colour, map_grid, pixels
from tests.products_out.test_raster import radar_grid

WHEEL = PhaseWheel(wavelength=WAVELENGTH)


def full(value: float, shape: Shape = SHAPE) -> NDArray[np.float32]:
    """An even raster."""
    return np.full(shape, value, np.float32)


def boxes_of(path: Path, panels: list[Panel], colours: PhaseWheel | ColourBar) -> list[list[int]]:
    """Draw, and find left, top, right and bottom of the panels' frames [pixels]."""
    found = []

    def keep(figure, target):  # type: ignore[no-untyped-def]
        width, height = figure.get_size_inches() * figure.dpi
        for axes in figure.axes[: len(panels)]:
            box = axes.get_position()
            across = [round(x * width) for x in (box.x0, box.x1)]
            down = [round((1.0 - y) * height) for y in (box.y1, box.y0)]
            found.append([across[0], down[0], across[1], down[1]])
        return save_picture(figure, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kernels.products.panels.save_picture", keep)
        size = panels_picture(path, panels=panels, grid=map_grid(), colours=colours, title="All")
    assert pixels(path).shape == (size.height, size.width, 3)
    return found


def test_panels_stand_from_left_to_right_and_from_top_to_bottom_in_their_colours(
    tmp_path: Path,
) -> None:
    values = np.linspace(0.0, 1.0, 7)
    drawn = [Panel(f"{k}", full(value), "24 d, −35 m") for k, value in enumerate(values)]
    bar = ColourBar(label="Coherence", low=0.0, high=1.0, colour_map="gray", extend="neither")
    boxes = boxes_of(tmp_path / "a.png", drawn, bar)
    assert [(top, left) for left, top, *_ in boxes] == sorted((t, x) for x, t, *_ in boxes)
    image = pixels(tmp_path / "a.png")
    for value, (left, top, right, bottom) in zip(values, boxes, strict=True):
        middle = image[(top + bottom) // 2, (left + right) // 2]
        assert abs(middle - 255 * value).max() <= 1


@pytest.mark.parametrize("count", [1, 2, 5, 24])
def test_panels_do_not_overlap_and_stay_on_the_sheet(count: int, tmp_path: Path) -> None:
    drawn = [Panel("20160605_20160629", full(1.0), "24 d")] * count
    boxes = boxes_of(tmp_path / "a.png", drawn, WHEEL)
    rows, columns, _ = pixels(tmp_path / "a.png").shape
    covered = np.zeros((rows, columns), int)
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= columns
        assert 0 <= top < bottom <= rows
        covered[top:bottom, left:right] += 1
    assert covered.max() == 1
    assert covered.mean() > 0.25


def test_phase_is_averaged_as_phasors_and_what_is_missing_is_grey(tmp_path: Path) -> None:
    # Pixels of 3 and -3 rad in turn: averages are pi (magenta), and 0 (green) would be wrong.
    grid = map_grid(shape=Shape(960, 960))
    phase = np.full(grid.shape, 3.0, np.float32)
    phase[:, ::2] = -3.0
    phase[:480] = np.nan
    panels_picture(
        tmp_path / "a.png", panels=[Panel("p", phase)], grid=grid, colours=WHEEL, title="Phase"
    )
    image = pixels(tmp_path / "a.png")
    red, green, blue = commonest_colour(image)
    assert min(red, blue) > green + 30
    grey = (image == int("d4", 16)).all(axis=2).sum()
    coloured = (image == (red, green, blue)).all(axis=2).sum()
    assert grey == pytest.approx(coloured, rel=0.05)  # one half each, frame apart


def test_words_name_panels_and_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []

    def keep(figure, path):  # type: ignore[no-untyped-def]
        words.extend(text.get_text() for text in figure.texts)
        return PictureSize(1, 1)

    monkeypatch.setattr(panels, "save_picture", keep)
    bar = ColourBar(label="Displacement [mm]", low=-5.0, high=5.0, note="+ towards the satellite")
    grid = radar_grid(SHAPE)
    drawn = [Panel("20160605", full(1.0), "reference"), Panel("20160629", full(2.0))]
    panels_picture(
        tmp_path / "a.png", panels=drawn, grid=grid, colours=bar, title="T", looks=Looks(4, 16)
    )
    for text in ("20160605", "reference", "20160629", "Displacement [mm]", bar.note, "T"):
        assert text in words


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    for drawn in ([], [Panel("p", full(1.0))] * 25, [Panel("p", full(1.0, Shape(2, 2)))]):
        with pytest.raises(ValueError, match=r"panels|on a grid"):
            panels_picture(
                tmp_path / "a.png", panels=drawn, grid=map_grid(), colours=WHEEL, title=""
            )
    assert not list(tmp_path.iterdir())
