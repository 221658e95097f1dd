"""Joined slices against the data take that they were cut from."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval

from kernels.errors import ProductError
from kernels.geometry.orbit import Orbit
from kernels.model import SPEED_OF_LIGHT, GrdProduct, OrbitSource, Shape
from kernels.products.joining import join_slices
from kernels.products.sentinel1 import open_sentinel1
from kernels.products.slices import group_slices
from tests.products import grd_samples, samples


def cut(parent: Path, first_line: int, lines: int = 50, **changes: Any) -> GrdProduct:
    """Write and read one slice; its times count from the take's first line."""
    path = grd_samples.write_slice(parent, first_line, lines, **changes)
    return open_sentinel1(path).grd("VV", epoch=samples.START)


def test_touching_slices_hold_every_line_of_the_take_once(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, first) for first in (0, 50, 100)])
    assert image.grid.shape == Shape(150, 30)
    assert image.pixels is not None
    assert image.pixels.shape == (150, 30)
    take = grd_samples.pixels(0, 150)
    np.testing.assert_array_equal(image.pixels.read(0, 150), take)
    # windows on, before, after and across both seams
    for first, lines in ((49, 2), (45, 5), (50, 5), (40, 70), (100, 50), (50, 0)):
        window = image.pixels.read(first, lines, 3, 20)
        np.testing.assert_array_equal(window, take[first : first + lines, 3:23])


def test_overlapping_slices_hold_every_line_of_the_take_once(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, 0, 60), cut(tmp_path, 50, 50)])
    assert image.grid.shape.lines == 100
    assert image.pixels is not None
    np.testing.assert_array_equal(image.pixels.read(0, 100), grd_samples.pixels(0, 100))


def test_each_half_of_an_overlap_comes_from_the_slice_nearer_to_it(tmp_path: Path) -> None:
    """The ends of an image are its worst lines."""
    first, second = cut(tmp_path, 0, 60), cut(tmp_path, 50, 50)
    (image,) = join_slices([first, replace(second, pixels=first.pixels)])
    assert image.pixels is not None
    # the second's lines would be the take's from line 55 on, here they start again
    found = image.pixels.read(53, 4)[:, 0].tolist()
    assert found == [5301, 5401, 501, 601]


def test_a_shorter_slice_ends_in_no_data(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, 0, width=28), cut(tmp_path, 50)])
    assert image.pixels is not None
    window = image.pixels.read(49, 2, 26)
    assert window.tolist() == [[4927, 4928, 0, 0], [5027, 5028, 5029, 5030]]
    assert image.pixels.read(0, 3, 28).tolist() == [[0, 0]] * 3


def test_lines_keep_their_times(tmp_path: Path) -> None:
    first, second = cut(tmp_path, 0), cut(tmp_path, 50)
    (image,) = join_slices([first, second])
    assert image.grid.first_line_time == 0.0
    assert image.grid.line_interval == pytest.approx(0.5, abs=1e-12)
    assert (image.start, image.stop) == (first.start, second.stop)
    assert image.grid.bistatic_range == pytest.approx(first.grid.bistatic_range, abs=30.0)


def test_every_record_is_there_once(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, first) for first in (0, 50, 100)])
    records = image.grid.records
    assert [record.azimuth_time for record in records] == [5.0 * k for k in range(17)]
    for record in records:
        assert record.slant_to_ground == grd_samples.slant_to_ground(record.azimuth_time)


def test_calibration_goes_on_across_the_seam(tmp_path: Path) -> None:
    """Values of the files are the take's line plus the sample."""
    (image,) = join_slices([cut(tmp_path, 0, width=28), cut(tmp_path, 50)])
    lut = image.calibration
    assert lut is not None
    assert lut.lines.tolist() == [0, 20, 40, 50, 70, 90, 110]
    np.testing.assert_allclose(lut.times, 0.5 * lut.lines, atol=1e-9)
    assert lut.pixels.tolist() == [0, 29]
    assert lut.sigma_nought[:, 0].tolist() == lut.lines.tolist()
    assert lut.sigma_nought[3:, 1].tolist() == [79, 99, 119, 139]
    assert lut.gamma.shape == lut.beta_nought.shape == lut.digital_number.shape == (7, 2)


def test_noise_moves_with_its_lines(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, 0), cut(tmp_path, 50)])
    assert image.noise is not None
    assert [vector.line for vector in image.noise.vectors] == [0, 20, 50, 70]
    blocks = [
        (block.swath, block.first_line, block.last_line, block.lines.tolist())
        for block in image.noise.blocks
    ]
    assert blocks == [
        ("IW1", 0, 49, [0, 10, 49]),
        ("IW2", 0, 49, [0, 10, 49]),
        ("IW1", 50, 99, [50, 60, 99]),
        ("IW2", 50, 99, [50, 60, 99]),
    ]


def test_noise_blocks_of_an_overlap_are_cut_at_the_seam(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, 0, 60), cut(tmp_path, 50)])
    assert image.noise is not None
    extents = [(b.first_line, b.last_line) for b in image.noise.blocks if b.swath == "IW1"]
    assert extents == [(0, 54), (55, 99)]


def test_tie_points_move_with_their_lines(tmp_path: Path) -> None:
    (image,) = join_slices([cut(tmp_path, 0), cut(tmp_path, 50)])
    ties = image.geolocation
    assert image.grid.bistatic_range is not None
    delay = 0.5 * ties.slant_range_times - image.grid.bistatic_range / SPEED_OF_LIGHT
    times = image.grid.first_line_time + ties.lines * image.grid.line_interval + delay
    np.testing.assert_allclose(times, ties.zero_doppler_times, atol=2e-6)
    assert np.unique(ties.lines)[[0, -1]].tolist() == [0.0, 99.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"first_line": 51},
        {"first_line": 50, "late": 0.05},
        {"first_line": 50, "origin": grd_samples.ORIGIN + 5.0},
        {"first_line": 50, "manifest_text": grd_samples.manifest(version="003.71")},
    ],
)
def test_slices_off_the_raster_stay_apart(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A gap, a part of a line, another first slant range, another processor."""
    first, second = cut(tmp_path, 0), cut(tmp_path, **changes)
    assert join_slices([first, second]) == (first, second)


def test_a_slice_without_calibration_stays_apart(tmp_path: Path) -> None:
    first, second = cut(tmp_path, 0), replace(cut(tmp_path, 50), calibration=None)
    assert join_slices([first, second]) == (first, second)


def test_metadata_alone_is_joined_too(tmp_path: Path) -> None:
    slices = [
        replace(cut(tmp_path, first), calibration=None, noise=None, pixels=None)
        for first in (0, 50)
    ]
    (image,) = join_slices(slices)
    assert (image.calibration, image.noise, image.pixels) == (None, None, None)
    assert image.grid.shape.lines == 100


def test_the_joined_reader_serves_other_processes_and_refuses_what_is_outside(
    tmp_path: Path,
) -> None:
    (image,) = join_slices([cut(tmp_path, 0), cut(tmp_path, 50)])
    sent = pickle.loads(pickle.dumps(image.pixels))
    np.testing.assert_array_equal(sent.read(48, 4), grd_samples.pixels(48, 4))
    with pytest.raises(ProductError, match=f"{image.name}: window must be inside 100 lines and 30"):
        sent.read(99, 2)


def test_equal_orbits_are_put_together(tmp_path: Path) -> None:
    """Vectors lie at whole 10 s on one straight line."""
    (image,) = join_slices([cut(tmp_path, first) for first in (0, 50, 100)])
    vectors = image.state_vectors
    assert vectors.times.tolist() == [10.0 * k for k in range(-7, 15)]
    np.testing.assert_allclose(vectors.positions[:, 1], 7500.0 * vectors.times, atol=1e-6)
    np.testing.assert_array_equal(vectors.positions[:, 0], 7e6)
    assert vectors.source is OrbitSource.ANNOTATION
    assert vectors.origin.count(" and ") == 2


def test_orbits_that_lie_apart_meet_half_way(tmp_path: Path) -> None:
    """The second lies 1 m outside; from vector to vector no step is larger than 0.1 m."""
    first, second = (
        cut(tmp_path, 0),
        cut(tmp_path, 50, orbit=grd_samples.orbit_list(25.0, offset=1.0)),
    )
    (image,) = join_slices([first, second])
    vectors = image.state_vectors
    outside = vectors.positions[:, 0] - 7e6
    assert (outside[0], outside[-1]) == (0.0, 1.0)
    assert np.diff(outside).min() >= 0.0
    assert np.diff(outside).max() < 0.1
    np.testing.assert_allclose(vectors.positions[:, 1], 7500.0 * vectors.times, atol=1e-6)


@pytest.mark.shared_data
def test_real_slices_go_on_as_if_never_cut(shared_data: Path) -> None:
    """Two slices of 2015: their rasters are 0.0003 lines apart, their orbits 0.92 m."""
    products = [open_sentinel1(path) for path in shared_data.glob("grd_slices/*20150222*.zip")]
    (one,) = group_slices(products).passes
    (image,) = one.grd("VV", need_pixels=False)
    grid, ties = image.grid, image.geolocation
    assert grid.shape.lines == 2 * 16685
    times = grid.first_line_time + ties.lines * grid.line_interval
    ranges = 0.5 * SPEED_OF_LIGHT * ties.slant_range_times
    assert grid.bistatic_range is not None
    delays = (ranges - grid.bistatic_range) / SPEED_OF_LIGHT
    np.testing.assert_allclose(times + delays, ties.zero_doppler_times, rtol=0, atol=3e-6)
    records = np.array([record.azimuth_time for record in grid.records])
    np.testing.assert_allclose(np.diff(records), 1.0, atol=1e-6)
    # the record of the first slice's last row is the second's: without it, 17 m
    nearest = np.abs(times[:, np.newaxis] - records).argmin(axis=1)
    found = [
        polyval(pixel * grid.ground_range_spacing, grid.records[k].ground_to_slant)
        for pixel, k in zip(ties.pixels, nearest, strict=True)
    ]
    np.testing.assert_allclose(found[:-21], ranges[:-21], rtol=0, atol=0.01)
    start, stop = float(times.min()), float(times.max())
    orbit = Orbit.fit(image.state_vectors, start=start, stop=stop)
    assert orbit.residual < 0.01
