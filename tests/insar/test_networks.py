"""Pairs of dates by hand, and the shifts of dates from those of pairs."""

from datetime import date

import numpy as np
import pytest

from kernels.errors import RequestError
from kernels.insar.esd_network import ShiftOfPair, solve_shifts
from kernels.insar.networks import (
    consecutive,
    listed,
    read_pair,
    small_baseline,
    star,
    subsets,
)

DAYS = [date(2016, 6, 5), date(2016, 6, 17), date(2016, 6, 29), date(2016, 8, 16)]


def test_networks_by_hand() -> None:
    assert star(4, 1) == ((1, 0), (1, 2), (1, 3))
    assert consecutive(4) == ((0, 1), (1, 2), (2, 3))
    found = small_baseline(DAYS, [0.0, 120.0, 40.0, 60.0], largest_days=24, largest_baseline=100.0)
    assert found == ((0, 2), (1, 2))
    assert subsets(4, found) == ((0, 1, 2), (3,))


def test_pairs_are_read_as_folders_are_named() -> None:
    assert read_pair("20160629_20160605") == (DAYS[0], DAYS[2])
    assert listed(DAYS, ("20160605_m_20160629_s", "2016-06-05_2016-06-29")) == ((0, 2),)


@pytest.mark.parametrize("text", ["20160605", "20160605_20160605", "20161305_20160605", "a_b"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="pairs must be two days as 20160605_20160629"):
        read_pair(text)


def test_a_day_without_image_is_refused() -> None:
    with pytest.raises(RequestError, match="of the days 20160605, 20160617, 20160629, 20160816"):
        listed(DAYS, ("20160605_20160701",))


def links_of(shifts: np.ndarray, pairs: list[tuple[int, int]]) -> list[ShiftOfPair]:
    return [ShiftOfPair(pair, shifts[pair[1]] - shifts[pair[0]], 1e-4) for pair in pairs]


def test_dates_get_the_shifts_that_their_pairs_were_made_of() -> None:
    shifts = np.array([0.0, 0.012, -0.003, 0.02])
    pairs = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    found = solve_shifts(4, links_of(shifts, pairs), {0: 0.0})
    np.testing.assert_allclose(found.shifts, shifts, atol=1e-12)
    assert found.known.all()
    assert found.used.all()


def test_a_pair_that_contradicts_is_left_out() -> None:
    shifts = np.array([0.0, 0.012, -0.003, 0.02])
    links = links_of(shifts, [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)])
    links[3] = links[3]._replace(shift=links[3].shift + 0.01)
    found = solve_shifts(4, links, {0: 0.0})
    np.testing.assert_allclose(found.shifts, shifts, atol=1e-12)
    assert found.used.tolist() == [True, True, True, False, True, True]


def test_a_single_pair_is_believed_and_a_date_without_pairs_is_not_known() -> None:
    found = solve_shifts(3, links_of(np.array([0.0, 0.5, 0.0]), [(0, 1)]), {0: 0.0})
    assert found.shifts.tolist() == [0.0, 0.5, 0.0]
    assert found.known.tolist() == [True, True, False]


def test_dates_that_are_fixed_stay_and_carry_the_new_ones() -> None:
    """Noise between old dates does not move them; the new one follows both of its neighbours."""
    links = [
        ShiftOfPair((0, 1), 0.011, 1e-4),
        ShiftOfPair((1, 2), 0.005, 1e-4),
        ShiftOfPair((0, 2), 0.017, 1e-4),
    ]
    found = solve_shifts(3, links, {0: 0.0, 1: 0.010})
    assert found.shifts[:2].tolist() == [0.0, 0.010]
    assert found.shifts[2] == pytest.approx(0.016)  # of 0.015 by the one and 0.017 by the other


def test_no_pairs_leave_all_but_the_fixed_unknown() -> None:
    found = solve_shifts(3, [], {1: 0.0})
    assert found.known.tolist() == [False, True, False]
    assert found.shifts.tolist() == [0.0, 0.0, 0.0]
