"""The demonstration's unwrapping and comparison, on phases that are known."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from processes.settings import CHECKOUT


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(CHECKOUT / "examples")
    import comparison  # noqa: PLC0415 - scripts beside each other, no package

    return comparison


def test_a_wrapped_hill_is_unwrapped_exactly(comparison: ModuleType) -> None:
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


def test_without_coherence_there_is_nothing_to_unwrap(comparison: ModuleType) -> None:
    with pytest.raises(ValueError, match="no pixel is coherent"):
        comparison.unwrap(np.zeros((9, 9)), np.zeros((9, 9), bool))
