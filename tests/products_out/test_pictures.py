"""Pictures: of the stated size, in the right colours, at the right proportions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from osgeo import gdal

from kernels.errors import ProcessingError
from kernels.model import MapGrid, Shape
from kernels.products import pictures
from kernels.products.drawing import PictureSize, save_picture
from tests.products_out.limits import no_file_larger_than
from tests.products_out.test_raster import radar_grid

SHAPE = Shape(60, 60)
WAVELENGTH = 0.056


def map_grid(*, north: float = 0.3, shape: Shape = SHAPE) -> MapGrid:
    """Square pixels of 0.01 degrees."""
    return MapGrid(
        crs="EPSG:4326", west=55.0, north=north, x_spacing=0.01, y_spacing=0.01, shape=shape
    )


def draw_phase(path: Path, phase: NDArray[np.float32], **how: Any) -> PictureSize:
    """Draw phase over an even amplitude."""
    arguments: dict[str, Any] = {
        "amplitude": np.full(phase.shape, 90.0, np.float32),
        "is_data": np.ones(phase.shape, np.bool_),
        "grid": map_grid(shape=Shape(*phase.shape)),
        **how,
    }
    return pictures.phase_picture(
        path, phase=phase, title="Phase", subtitle="", wavelength=WAVELENGTH, **arguments
    )


def pixels(path: Path) -> NDArray[np.int16]:
    """Red, green and blue of a PNG, shape (rows, columns, 3)."""
    dataset = gdal.Open(str(path))
    assert dataset.GetDriver().ShortName == "PNG"
    found: NDArray[np.int16] = dataset.ReadAsArray()[:3].astype(np.int16)
    return found.transpose(1, 2, 0)


def commonest_colour(image: NDArray[np.int16]) -> NDArray[np.int16]:
    """The most frequent colour that is not a grey."""
    coloured = image[np.ptp(image, axis=2) > 20].astype(np.int64)
    number = np.bincount(coloured @ (65536, 256, 1)).argmax()
    return np.array((*divmod(number >> 8, 256), number & 255), np.int16)


def box_of(image: NDArray[np.int16], colour: NDArray[np.int16]) -> tuple[int, int]:
    """Height and width of the place where a colour is [pixels]."""
    rows, columns = np.nonzero((image == colour).all(axis=2))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_the_png_has_the_stated_size(tmp_path: Path) -> None:
    size = draw_phase(tmp_path / "a.png", np.zeros(SHAPE, np.float32))
    assert pixels(tmp_path / "a.png").shape == (size.height, size.width, 3)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]


def test_left_towards_is_orange_right_away_is_blue(tmp_path: Path) -> None:
    phase = np.full(SHAPE, np.pi / 2, np.float32)
    phase[:, :30] = -np.pi / 2
    draw_phase(tmp_path / "a.png", phase)
    image = pixels(tmp_path / "a.png")
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    orange = (red > green + 30) & (green > blue + 15)
    bluish = (blue > green + 15) & (green > red + 30)
    # The halves fill most of the sheet; the colour wheel is small.
    assert orange.mean() > 0.2
    assert bluish.mean() > 0.2
    left, right = np.nonzero(orange)[1], np.nonzero(bluish)[1]
    assert np.percentile(left, 95) <= np.percentile(right, 5)


def test_amplitude_is_lightness_and_not_hue(tmp_path: Path) -> None:
    amplitude = np.full(SHAPE, 10.0, np.float32)
    amplitude[:30] = 100.0
    draw_phase(tmp_path / "a.png", np.zeros(SHAPE, np.float32), amplitude=amplitude)
    image = pixels(tmp_path / "a.png")
    columns = slice(image.shape[1] // 4, image.shape[1] // 2)
    upper = np.median(image[image.shape[0] // 3, columns], axis=0)
    lower = np.median(image[2 * image.shape[0] // 3, columns], axis=0)
    assert (upper > lower + 40).all()
    assert upper.argmax() == lower.argmax() == 1


def test_missing_pixels_are_grey(tmp_path: Path) -> None:
    is_data = np.zeros(SHAPE, np.bool_)
    is_data[:, 40:] = True
    phase = np.where(is_data, 0.0, np.nan).astype(np.float32)
    draw_phase(tmp_path / "a.png", phase, is_data=is_data)
    image = pixels(tmp_path / "a.png")
    left = image[image.shape[0] // 2, image.shape[1] // 4]
    assert np.ptp(left) == 0
    assert 150 < left[0] < 250


def test_nothing_valid_is_a_grey_picture(tmp_path: Path) -> None:
    nothing = np.full(SHAPE, np.nan, np.float32)
    size = draw_phase(
        tmp_path / "a.png", nothing, amplitude=nothing, is_data=np.zeros(SHAPE, np.bool_)
    )
    assert pixels(tmp_path / "a.png").shape == (size.height, size.width, 3)


def test_degrees_of_longitude_shrink_towards_the_pole(tmp_path: Path) -> None:
    # A square in degrees around 60 N is twice as high as wide on the ground.
    draw_phase(tmp_path / "a.png", np.ones(SHAPE, np.float32), grid=map_grid(north=60.3))
    image = pixels(tmp_path / "a.png")
    height, width = box_of(image, commonest_colour(image))
    assert height / width == pytest.approx(2.0, rel=0.02)


def test_large_rasters_are_averaged_as_phasors(tmp_path: Path) -> None:
    # Pixels of 3 and -3 rad in turn: averages are pi (magenta), and 0 (green) would be wrong.
    phase = np.full((1800, 1800), 3.0, np.float32)
    phase[:, ::2] = -3.0
    draw_phase(tmp_path / "a.png", phase)
    red, green, blue = commonest_colour(pixels(tmp_path / "a.png"))
    assert min(red, blue) > green + 30


def test_the_wheel_says_radians_and_millimetres_towards_the_satellite(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[Figure] = []

    def keep(figure: Figure, _path: Path) -> PictureSize:
        drawn.append(figure)
        return PictureSize(1, 1)

    monkeypatch.setattr(pictures, "save_picture", keep)
    draw_phase(tmp_path / "a.png", np.zeros(SHAPE, np.float32))
    texts = [text.get_text() for text in drawn[0].texts]
    # Half of 56 mm is one turn; a quarter turn away from the satellite is -7 mm.
    for radians, millimetres in (("+π/2 rad", "−7.0 mm"), ("−π/2 rad", "+7.0 mm")):
        assert texts[texts.index(radians) + 1] == millimetres
    assert texts[texts.index("1 turn") + 1] == "28.0 mm"
    assert texts[texts.index("±π rad") + 1] == "±14.0 mm"


def test_coherence_of_one_is_brighter_than_of_zero(tmp_path: Path) -> None:
    coherence = np.zeros(SHAPE, np.float32)
    coherence[:, 30:] = 1.0
    size = pictures.coherence_picture(
        tmp_path / "a.png",
        coherence=coherence,
        is_data=np.ones(SHAPE, np.bool_),
        grid=radar_grid(SHAPE),
        title="Coherence",
        subtitle="",
    )
    image = pixels(tmp_path / "a.png")
    assert image.shape == (size.height, size.width, 3)
    row = image[size.height // 2].sum(axis=1)
    assert row[size.width // 2] > row[size.width // 5] + 200


def test_the_comparison_shows_what_is_towards_in_red_and_the_error_in_millimetres(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    truth = np.zeros(SHAPE, np.float32)
    truth[20:40, 20:40] = 0.05
    truth[:5] = np.nan
    recovered = truth + np.float32(0.002)
    drawn: list[Figure] = []

    def keep(figure: Figure, path: Path) -> PictureSize:
        drawn.append(figure)
        return save_picture(figure, path)

    monkeypatch.setattr(pictures, "save_picture", keep)
    size = pictures.displacement_comparison_picture(
        tmp_path / "a.png", recovered=recovered, truth=truth, grid=map_grid(), title="Displacement"
    )
    image = pixels(tmp_path / "a.png")
    assert image.shape == (size.height, size.width, 3)
    assert "Recovered − truth, rms 2 mm" in [text.get_text() for text in drawn[0].texts]
    red = (image[..., 0] > image[..., 1] + 60) & (image[..., 0] > image[..., 2] + 40)
    blue = image[..., 2] > image[..., 0] + 60
    # The squares of recovered and truth, and the constant difference; blue is in the bars only.
    assert red.mean() > 10 * blue.mean() > 0


def test_arrays_must_fit_the_grid(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="on a grid of shape"):
        draw_phase(tmp_path / "a.png", np.zeros((4, 4), np.float32), grid=map_grid())


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with no_file_larger_than(1000), pytest.raises(ProcessingError, match="could not be written"):
        draw_phase(tmp_path / "a.png", np.zeros(SHAPE, np.float32))
    assert list(tmp_path.iterdir()) == []
