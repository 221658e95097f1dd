"""Shift and constants out of cells whose phases follow from known ones."""

import math

import numpy as np
import pytest

from kernels.insar.esd import LARGEST_DEVIATION, Overlap, solve
from kernels.insar.overlaps import OverlapCells

INTERVAL = 2.0555563e-3  # [s]
ONE = np.zeros(8, np.int64)
"""One group: no constants."""


def cells(
    frequency: float,
    *,
    shift: float = 0.0,
    constant: float = 0.0,
    noise: float = 0.0,
    count: int = 800,
    spread: float = 0.03,
    seed: int = 0,
) -> OverlapCells:
    """Cells of an overlap whose Doppler difference changes by a share along range."""
    generator = np.random.default_rng(seed)
    frequencies = frequency * (1.0 + spread * np.linspace(-0.5, 0.5, count))
    levers = 2.0 * math.pi * frequencies * INTERVAL
    phases = levers * shift + constant + generator.normal(0.0, noise, count)
    return OverlapCells(
        phases=np.angle(np.exp(1j * phases)),
        levers=levers,
        coherences=np.full(count, 0.5),
        variances=np.full(count, max(noise, 0.01) ** 2),
        frequencies=frequencies,
    )


def in_a_row(*overlaps: OverlapCells) -> tuple[Overlap, ...]:
    return tuple(Overlap(first=k, second=k + 1, cells=c) for k, c in enumerate(overlaps))


def test_the_shift_of_clean_cells_is_found_to_rounding() -> None:
    overlaps = in_a_row(*(cells(f, shift=-0.03) for f in (4900.0, 4120.0, 4330.0)))
    found = solve(overlaps, ONE)
    assert found.shift == pytest.approx(-0.03, abs=1e-9)
    assert not found.ambiguous
    assert all(fit.used and abs(fit.shift + 0.03) < 1e-9 for fit in found.fits)
    # half a turn at the largest mean lever
    assert found.limit == pytest.approx(0.5 / (4900.0 * INTERVAL), rel=1e-3)


def test_noise_averages_as_its_deviation_says() -> None:
    errors, deviations = [], []
    for seed in range(30):
        overlaps = in_a_row(
            *(cells(4500.0, shift=0.02, noise=0.3, seed=100 * k + seed) for k in range(3))
        )
        found = solve(overlaps, ONE)
        errors.append(found.shift - 0.02)
        deviations.append(found.deviation)
    expected = 0.3 / (2.0 * math.pi * 4500.0 * INTERVAL) / math.sqrt(3 * 800)  # 1.05e-4 line
    # 30 draws: the standard deviation itself is known to 13 %; cells beyond 3 sigma are not heard
    assert np.std(errors) == pytest.approx(expected, rel=0.35)
    assert np.mean(deviations) == pytest.approx(expected, rel=0.35)
    assert abs(np.mean(errors)) < 4.0 * expected / math.sqrt(30)


def test_stray_cells_are_not_heard() -> None:
    clean = cells(4800.0, shift=0.01, noise=0.05)
    phases = clean.phases.copy()
    phases[::5] = 2.5  # a glacier: a fifth of the overlap tells something else
    stray = OverlapCells(
        phases=phases,
        levers=clean.levers,
        coherences=clean.coherences,
        variances=clean.variances,
        frequencies=clean.frequencies,
    )
    assert solve(in_a_row(stray), ONE).shift == pytest.approx(0.01, abs=1e-4)


def test_a_stray_overlap_is_left_out_and_told() -> None:
    good = [cells(4800.0, shift=0.01, noise=0.05, seed=k) for k in range(5)]
    found = solve(in_a_row(*good[:2], cells(4800.0, shift=0.025), *good[2:]), ONE)
    assert [fit.used for fit in found.fits] == [True, True, False, True, True, True]
    assert found.shift == pytest.approx(0.01, abs=1e-4)
    assert found.fits[2].shift == pytest.approx(0.025, abs=1e-4)
    assert found.fits[2].weight == 0.0


def test_weights_are_the_shares_of_information() -> None:
    overlaps = in_a_row(
        cells(4000.0, shift=0.01, noise=0.1, spread=0.0),
        cells(4000.0, shift=0.01, noise=0.2, spread=0.0, seed=1),
    )
    first, second = (fit.weight for fit in solve(overlaps, ONE).fits)
    assert first + second == pytest.approx(1.0)
    assert first / second == pytest.approx(4.0, rel=0.25)


@pytest.mark.parametrize("shift", [0.08, -0.085])
def test_a_shift_beyond_the_ambiguity_is_noticed(shift: float) -> None:
    # 2 pi at 0.0993, 0.118 and 0.112 line: three swaths do not repeat together
    overlaps = in_a_row(*(cells(f, shift=shift, noise=0.2) for f in (4900.0, 4120.0, 4330.0)))
    found = solve(overlaps, ONE)
    assert found.ambiguous
    # the three contradict each other: no shift is better than a wrong one
    assert not found.known
    assert found.shift == 0.0


def test_few_cells_are_not_heard() -> None:
    overlaps = in_a_row(cells(4800.0, shift=0.01, count=10))
    found = solve(overlaps, ONE)
    assert found.shift == 0.0
    assert math.isinf(found.deviation)
    assert [fit.used for fit in found.fits] == [False]


def test_no_overlap_at_all_gives_nothing() -> None:
    found = solve((), np.zeros(1, np.int64))
    assert found.shift == 0.0
    assert found.fits == ()


def test_constants_of_bursts_are_told_from_the_shift_where_levers_differ() -> None:
    constants = np.array([0.0, 1.5, -1.2, 2.9])
    overlaps = tuple(
        Overlap(
            first=k,
            second=k + 1,
            cells=cells(
                4800.0,
                shift=-0.03,
                constant=constants[k] - constants[k + 1],
                noise=0.1,
                count=8000,
                seed=k,
            ),
        )
        for k in range(3)
    )
    found = solve(overlaps, np.arange(4))
    assert found.known
    assert found.connected
    assert found.shift == pytest.approx(-0.03, abs=4.0 * found.deviation)
    # the levers' 3 % carry the shift's error into the constants, about 62 rad per line
    errors = np.angle(np.exp(1j * (found.constants - constants)))
    np.testing.assert_allclose(errors, 0.0, atol=3 * 62.0 * 4.0 * found.deviation)
    assert all(math.isnan(fit.shift) for fit in found.fits)


def test_equal_levers_leave_the_shift_to_the_orbits() -> None:
    overlaps = in_a_row(
        cells(4800.0, shift=0.01, constant=-1.5, spread=0.0, noise=0.1),
        cells(4800.0, shift=0.01, constant=-1.5, spread=0.0, noise=0.1, seed=1),
    )
    found = solve(overlaps, np.arange(3))
    assert not found.known
    assert found.shift == 0.0
    assert found.deviation > LARGEST_DEVIATION
    # constants take it all: no seam shows
    step = 1.5 - 2.0 * math.pi * 4800.0 * INTERVAL * 0.01
    np.testing.assert_allclose(found.constants, [0.0, step, 2.0 * step], atol=0.03)


def test_constants_of_swaths_come_from_their_common_ground() -> None:
    swaths = np.array([0, 0, 1, 1])
    overlaps = (
        Overlap(first=0, second=1, cells=cells(4900.0, shift=0.02)),
        Overlap(first=2, second=3, cells=cells(4120.0, shift=0.02)),
        Overlap(first=0, second=2, cells=cells(1500.0, shift=0.02, constant=-1.4)),
        Overlap(first=1, second=2, cells=cells(-3000.0, shift=0.02, constant=-1.4)),
    )
    found = solve(overlaps, swaths)
    assert found.shift == pytest.approx(0.02, abs=1e-7)
    np.testing.assert_allclose(found.constants, [0.0, 1.4], atol=1e-6)


def test_unconnected_constants_are_told() -> None:
    overlaps = (Overlap(first=0, second=1, cells=cells(4900.0)),)
    found = solve(overlaps, np.array([0, 0, 1]))
    assert not found.connected
    assert found.constants[1] == 0.0


def test_a_known_shift_is_not_estimated() -> None:
    overlaps = in_a_row(cells(4800.0, shift=0.01, constant=-1.5))
    found = solve(overlaps, np.arange(2), estimate_shift=False)
    assert found.shift == 0.0
    assert found.known
    mean = 1.5 - 2.0 * math.pi * 4800.0 * INTERVAL * 0.01
    assert found.constants[1] == pytest.approx(mean, abs=0.01)
