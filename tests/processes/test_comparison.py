"""The demonstration's unwrapping and comparison, on phases that are known."""

from __future__ import annotations

import numpy as np
import pytest

from examples import comparison


def test_a_wrapped_hill_is_unwrapped_exactly() -> None:
    rows, columns = np.indices((300, 420))
    # four fringes high, a quarter of it cut off by a bay without coherence, and an island
    truth = 25.0 * np.exp(-((rows - 140) ** 2 + (columns - 200) ** 2) / 60.0**2) + 0.01 * columns
    coherent = columns < 400
    coherent[200:, 150:] = False
    coherent[260:, 300:] = True
    found = comparison.unwrap(np.angle(np.exp(1j * truth)), coherent)
    assert np.isnan(found[~coherent]).all()
    assert np.isnan(found[280, 350])  # the island is not tied to the rest
    part = coherent & ~np.isnan(found)
    assert part[:195].mean() > 0.9
    error = (found - truth)[part]
    np.testing.assert_allclose(
        error, 2.0 * np.pi * np.rint(error.mean() / (2.0 * np.pi)), atol=1e-9
    )


def test_without_coherence_there_is_nothing_to_unwrap() -> None:
    with pytest.raises(ValueError, match="no pixel is coherent"):
        comparison.unwrap(np.zeros((9, 9)), np.zeros((9, 9), bool))


def test_points_are_looked_up_in_their_pixel_and_tied_far_from_the_source() -> None:
    rows, columns = np.indices((20, 30))
    displacement = 1e-3 * rows + 1e-2 * columns + 5.0
    displacement[0, 0] = np.nan
    west, north, size = 55.0, -21.0, 1e-3
    # a third of a pixel from its centre, one point in the pixel without value, one off the map
    longitude = np.append(west + (columns.ravel() + 0.8) * size, west - size)
    latitude = np.append(north - (rows.ravel() + 0.2) * size, north)
    truth = np.append(1e-3 * rows + 1e-2 * columns, 0.0)
    found = comparison.compare(
        displacement,
        (west, size, 0.0, north, 0.0, -size),
        longitude=longitude,
        latitude=latitude,
        truth=truth,
        distance=np.append(columns.ravel(), 0.0).astype(float),
    )
    assert found.truth.size == 20 * 30 - 1
    assert found.rms_error < 1e-9
    far = found.longitude > west + 27 * size
    assert abs(found.recovered[far].mean()) < 1e-9
    assert found.recovered.min() < -260.0  # millimetres
