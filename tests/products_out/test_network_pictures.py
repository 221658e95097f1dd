"""The plot of a network and the matrix of its coherence."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from kernels.products import network_pictures
from kernels.products.drawing import PictureSize, save_picture
from kernels.products.network_pictures import coherence_matrix_picture, network_picture
from tests.products_out.test_pictures import pixels

DAYS = [date(2016, 6, 5) + timedelta(days=12 * number) for number in range(5)]
BASELINES = [10.0, -40.0, 0.0, 75.0, 30.0]
PAIRS = [(0, 1), (1, 2), (2, 4)]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures as they are saved."""
    figures: list[Figure] = []

    def keep(figure: Figure, path: Path) -> PictureSize:
        figures.append(figure)
        return save_picture(figure, path)

    monkeypatch.setattr(network_pictures, "save_picture", keep)
    return figures


def draw(path: Path, **how: object) -> PictureSize:
    values = {"days": DAYS, "baselines": BASELINES, "pairs": PAIRS, "reference": 2, "title": "N"}
    return network_picture(path, **(values | how))  # type: ignore[arg-type]


def test_lines_connect_the_dates_of_pairs(tmp_path: Path, drawn: list[Figure]) -> None:
    size = draw(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").shape == (size.height, size.width, 3)
    axes = drawn[0].axes[0]
    (lines,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    for segment, (a, b) in zip(lines.get_segments(), PAIRS, strict=True):
        np.testing.assert_array_equal(segment[:, 1], [BASELINES[a], BASELINES[b]])
        assert segment[1, 0] - segment[0, 0] == (DAYS[b] - DAYS[a]).days
    np.testing.assert_array_equal(lines.get_array(), [12.0, 12.0, 24.0])
    names = [name.get_text() for name in axes.get_xticklabels()]
    assert names == [day.isoformat() for day in DAYS]
    assert axes.get_ylabel() == "Perpendicular baseline [m]"


def test_coherence_colours_the_pairs(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", coherence=[0.0, 1.0, np.nan])
    image = pixels(tmp_path / "a.png")[:, :1500]  # without the colour bar
    for value in (0.0, 1.0):
        colour = np.rint(255 * np.array(colormaps["viridis"](value)[:3]))
        assert (image == colour).all(axis=2).sum() > 200
    assert (image == int("b0", 16)).all(axis=2).sum() > 200


def test_dates_close_together_are_not_all_named(tmp_path: Path, drawn: list[Figure]) -> None:
    days = [date(2016, 1, 1) + timedelta(days=k) for k in (0, 1, 2, 300, 600)]
    draw(tmp_path / "a.png", days=days)
    figure = drawn[0]
    canvas = figure.canvas
    boxes = [
        name.get_window_extent(canvas.get_renderer())  # type: ignore[attr-defined]
        for name in figure.axes[0].get_xticklabels()
        if name.get_text()
    ]
    right = sorted(box.x1 for box in boxes)
    assert len(right) >= 3
    assert min(np.diff(right)) > 0.15 * figure.dpi


def test_a_network_without_pairs_shows_its_dates(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", pairs=[])
    image = pixels(tmp_path / "a.png")
    red = (image[..., 0] > 180) & (image[..., 1] < 60) & (image[..., 2] < 60)
    assert red.sum() > 100


def test_the_matrix_has_the_colours_of_its_values(tmp_path: Path, drawn: list[Figure]) -> None:
    coherence = np.array([[1.0, 0.25, 0.5], [0.25, 1.0, np.nan], [0.5, np.nan, 1.0]])
    coherence_matrix_picture(tmp_path / "a.png", days=DAYS[:3], coherence=coherence, title="C")
    image = pixels(tmp_path / "a.png")
    figure = drawn[0]
    box = figure.axes[0].get_position()
    height, width = image.shape[:2]
    for (row, column), value in np.ndenumerate(coherence):
        # beside the middle, where the value is written
        x = (box.x0 + (column + 0.2) / 3 * box.width) * width
        y = (1.0 - box.y1 + (row + 0.2) / 3 * box.height) * height
        colour = np.array([int("d4", 16)] * 3)
        if np.isfinite(value):
            colour = np.rint(255 * np.array(colormaps["viridis"](value)[:3]))
        assert abs(image[int(y), int(x)] - colour).max() <= 2
    words = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(words) == ["0.25", "0.25", "0.50", "0.50"]


def test_large_matrices_name_some_dates(tmp_path: Path, drawn: list[Figure]) -> None:
    days = [date(2016, 1, 1) + timedelta(days=6 * k) for k in range(150)]
    coherence_matrix_picture(tmp_path / "a.png", days=days, coherence=np.eye(150), title="C")
    axes = drawn[0].axes[0]
    names = [name.get_text() for name in axes.get_yticklabels()]
    assert names[:2] == ["2016-01-01", days[4].isoformat()]
    assert not axes.texts
