"""Networks whose dates are known, and the series of another code."""

import re
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.errors import RequestError
from kernels.insar.timeseries import (
    Network,
    correct_cycles,
    fit_motion,
    invert,
    wrong_loops,
)

DATES = 12
PIXELS = 500


def network(pairs: list[tuple[int, int]] | None = None, dates: int = DATES) -> Network:
    """Dates every twelve days; each with its three followers unless pairs are given."""
    default = [(a, b) for a in range(dates) for b in range(a + 1, min(a + 4, dates))]
    return Network(
        times=np.linspace(0.0, (dates - 1) * 12.0 / 365.25, dates),
        pairs=np.array(pairs or default),
        baselines=np.random.default_rng(5).uniform(-100.0, 100.0, dates) * (np.arange(dates) > 0),
    )


def truth(net: Network, seed: int = 0) -> NDArray[np.float64]:
    """Phases of the dates [rad], the first one 0."""
    generator = np.random.default_rng(seed)
    walk = generator.normal(size=(net.times.size, PIXELS)).cumsum(axis=0)
    phases: NDArray[np.float64] = walk - walk[0]
    return phases


def observed(net: Network, phases: NDArray[np.float64]) -> NDArray[np.float64]:
    return phases[net.pairs[:, 1]] - phases[net.pairs[:, 0]]


@pytest.mark.parametrize("norm", ["l2", "l1"])
def test_a_connected_network_gives_its_dates_back(norm: str) -> None:
    net = network()
    phases = truth(net)
    found = invert(net, observed(net, phases), norm=norm)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.phases, phases, atol=2e-5)
    np.testing.assert_allclose(found.temporal_coherence, 1.0, atol=1e-9)


def test_weights_are_inverse_variances() -> None:
    """Two observations of one increment: the mean by weight."""
    net = network([(0, 1), (0, 2), (1, 2)], dates=3)
    phases = np.array([[1.0], [3.0], [1.0]])
    weights = np.array([[1.0], [2.0], [4.0]])
    found = invert(net, phases, weights)
    design = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    root = np.sqrt(weights)
    expected = np.linalg.lstsq(design * root, phases * root, rcond=None)[0]
    np.testing.assert_allclose(np.diff(found.phases, axis=0), expected, atol=1e-5)
    np.testing.assert_allclose(found.residuals, phases - design @ expected, atol=1e-5)


def test_pairs_that_do_not_know_a_pixel_are_left_out() -> None:
    net = network()
    phases = truth(net)
    pairs = observed(net, phases)
    pairs[np.random.default_rng(1).uniform(size=pairs.shape) < 0.2] = np.nan
    pairs[:, 7] = np.nan
    found = invert(net, pairs)
    assert np.isnan(found.phases[:, 7]).all()
    assert np.isnan(found.temporal_coherence[7])
    connected = np.array(
        [np.linalg.matrix_rank(net.design[np.isfinite(column)]) == DATES - 1 for column in pairs.T]
    )
    assert connected.sum() > 300
    np.testing.assert_allclose(found.phases[:, connected], phases[:, connected], atol=1e-4)


def test_weights_and_gaps_are_those_of_least_squares() -> None:
    """Cells that their pairs connect, against a dense solver; dates far apart in the network."""
    pairs = [(0, 1), (0, 7), (1, 2), (1, 11), (2, 3), (3, 4), (3, 9), (4, 5), (5, 6), (5, 8)]
    pairs += [(6, 7), (6, 10), (7, 8), (8, 9), (9, 10), (10, 11), (0, 5), (2, 10), (4, 11)]
    net = network(pairs)
    generator = np.random.default_rng(12)
    values = generator.normal(scale=5.0, size=(len(pairs), PIXELS)).astype(np.float32)
    values[generator.uniform(size=values.shape) < 0.15] = np.nan
    weights = generator.uniform(0.01, 20.0, values.shape).astype(np.float32)
    found = invert(net, values, weights)
    design = np.zeros((len(pairs), DATES))
    design[np.arange(len(pairs)), net.pairs[:, 0]] = -1.0
    design[np.arange(len(pairs)), net.pairs[:, 1]] = 1.0
    for pixel in range(PIXELS):
        known = np.isfinite(values[:, pixel])
        part = design[known, 1:]
        whole = np.linalg.matrix_rank(part) == DATES - 1
        assert found.connected[pixel] == whole
        if whole:
            root = np.sqrt(weights[known, pixel].astype(np.float64))
            expected = np.linalg.lstsq(
                part * root[:, None], values[known, pixel].astype(np.float64) * root, rcond=None
            )[0]
            np.testing.assert_allclose(found.phases[1:, pixel], expected, atol=1e-9)
    assert 100 < found.connected.sum() < PIXELS


def test_disconnected_subsets_are_tied_by_the_motion_model() -> None:
    """Six dates, then six others, no pair between them; the ground moves steadily."""
    halves = [(a, b) for a in range(DATES) for b in range(a + 1, DATES) if (a < 6) == (b < 6)]
    net = network(halves)
    velocity = np.linspace(-40.0, 40.0, PIXELS)
    phases = net.times[:, None] * velocity
    found = invert(net, observed(net, phases))
    np.testing.assert_allclose(found.phases, phases, atol=0.02)


@pytest.mark.parametrize("piece", [[6], [0], [6, 7, 8, 9, 10, 11]])
def test_the_model_is_one_more_equation_for_each_date(piece: list[int]) -> None:
    """Dates that no pair ties to the others, against a dense solver."""
    net = network()
    inside = np.isin(net.pairs, piece)
    generator = np.random.default_rng(13)
    values = observed(net, truth(net)) + 0.2 * generator.normal(size=(len(net.pairs), PIXELS))
    values = values.astype(np.float32)
    values[inside[:, 0] != inside[:, 1]] = np.nan
    weights = generator.uniform(0.05, 20.0, values.shape).astype(np.float32)
    found = invert(net, values, weights)
    assert not found.connected.any()
    known = np.isfinite(values[:, 0])
    pairs = np.zeros((known.sum(), DATES + 3))
    pairs[np.arange(known.sum()), net.pairs[known, 0]] = -1.0
    pairs[np.arange(known.sum()), net.pairs[known, 1]] = 1.0
    model = np.stack([np.ones(DATES), net.times, net.baselines / 100.0], axis=1)
    tied = 1e-3 * np.hstack([np.eye(DATES), -model])
    for pixel in range(0, PIXELS, 50):
        root = np.sqrt(weights[known, pixel].astype(np.float64))
        root /= root.max()
        design = np.vstack([pairs * root[:, None], tied])[:, 1:]
        right = np.concatenate([values[known, pixel] * root, np.zeros(DATES)])
        expected = np.linalg.lstsq(design, right, rcond=None)[0][: DATES - 1]
        np.testing.assert_allclose(found.phases[1:, pixel], expected, atol=1e-3)


def test_wrong_cycles_do_not_spread_in_the_l1_norm_and_are_corrected() -> None:
    net = network()
    phases = truth(net)
    noise = 0.1 * np.random.default_rng(2).normal(size=(len(net.pairs), PIXELS))
    pairs = observed(net, phases) + noise
    wrong = pairs.copy()
    generator = np.random.default_rng(3)
    where = generator.integers(3, len(net.pairs) - 3, PIXELS)
    wrong[where, np.arange(PIXELS)] += 2 * np.pi * generator.choice([-1, 1], PIXELS)
    assert (wrong_loops(net, pairs) == 0).all()
    assert (wrong_loops(net, wrong) > 0).all()
    robust = np.abs(invert(net, wrong, norm="l1").phases - phases).max()
    plain = np.abs(invert(net, wrong).phases - phases).max()
    assert robust < 1.0 < plain
    corrected, cycles = correct_cycles(net, wrong)
    np.testing.assert_allclose(corrected, pairs, atol=1e-9)
    assert (np.abs(cycles).sum(axis=0) == 1).all()


def test_triplets_are_all_closed_loops_of_three() -> None:
    every = list(combinations(range(DATES), 2))
    chosen = np.random.default_rng(6).permutation(len(every))[:40]
    net = network([every[k] for k in chosen])
    found = {tuple(np.concatenate(net.pairs[loop])) for loop in net.triplets}
    there = set(map(tuple, net.pairs.tolist()))
    expected = {
        (a, b, b, c, a, c)
        for a, b, c in combinations(range(DATES), 3)
        if {(a, b), (b, c), (a, c)} <= there
    }
    assert found == expected
    assert len(net.triplets) == len(expected) > 50


def test_right_cycles_are_left_alone() -> None:
    net = network()
    pairs = observed(net, truth(net))
    corrected, cycles = correct_cycles(net, pairs)
    np.testing.assert_array_equal(corrected, pairs)
    assert not cycles.any()


def test_velocity_elevation_and_their_errors() -> None:
    net = network(dates=30)
    generator = np.random.default_rng(4)
    velocity = generator.uniform(-0.02, 0.02, 4000)
    height = generator.uniform(-15.0, 15.0, 4000)
    sensitivity = net.baselines / (850e3 * np.sin(np.radians(38.0)))
    series = net.times[:, None] * velocity + sensitivity[:, None] * height
    scatter = 0.003
    noisy = series + scatter * generator.normal(size=series.shape)
    found = fit_motion(net, noisy, sensitivity=sensitivity)
    exact = fit_motion(net, series, sensitivity=sensitivity)
    np.testing.assert_allclose(exact.velocity, velocity, atol=1e-12)
    np.testing.assert_allclose(exact.dem_error, height, atol=1e-6)
    # the stated error is the scatter of the estimates
    ratio = np.std(found.velocity - velocity) / np.sqrt(np.mean(found.velocity_error**2))
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert np.sqrt(np.mean(found.scatter**2)) == pytest.approx(scatter, rel=0.02)


@pytest.mark.parametrize(
    ("times", "pairs", "line"),
    [
        ([0.0], [(0, 1)], "dates must be two or more"),
        ([0.0, 0.1, 0.1], [(0, 1)], "each later than the one before"),
        ([0.0, 0.1], [(0, 2)], "pairs must be one or more, of dates 0 to 1"),
        ([0.0, 0.1], [(1, 0)], "pairs must be of an earlier and a later date"),
    ],
)
def test_networks_that_make_no_sense_are_refused(
    times: list[float], pairs: list[tuple[int, int]], line: str
) -> None:
    with pytest.raises(RequestError, match=line):
        Network(times=np.array(times), pairs=np.array(pairs), baselines=np.zeros(len(times)))


@pytest.mark.shared_data
def test_the_series_of_pyrate(shared_data: Path) -> None:
    """A reference series of PyRate, which used the twelve pairs of a tree for each pixel."""
    folder = shared_data / "nsbas_pyrate" / "small_test"
    files = sorted((folder / "ref_phase_est").glob("*corrected_method2geo_*.csv"))
    phases = np.stack([np.genfromtxt(file, delimiter=",") for file in files])
    pairs = [re.findall(r"\d{6}", file.name)[-2:] for file in files]
    days = sorted({day for pair in pairs for day in pair})
    instants = [datetime.strptime(day, "%y%m%d") for day in days]
    net = Network(
        times=np.array([(instant - instants[0]).days / 365.25 for instant in instants]),
        pairs=np.array([(days.index(first), days.index(second)) for first, second in pairs]),
        baselines=np.zeros(len(days)),
    )
    rows, columns = phases.shape[1:]
    reference = np.genfromtxt(folder / "time_series" / "ts_cum_interp0_method2.csv").reshape(
        (rows, columns, len(days) - 1), order="F"
    )
    series = (
        np.concatenate([np.zeros((rows, columns, 1)), reference], axis=2).reshape(-1, len(days)).T
    )
    pixels = phases.reshape(len(pairs), -1)
    known = np.isfinite(pixels).all(axis=0) & np.isfinite(series).all(axis=0)
    # the tree is where the reference fits the pairs exactly
    off = np.abs(pixels - observed(net, series))[:, known]
    tree = np.median(off, axis=1) < 1e-3
    assert np.count_nonzero(tree) == len(days) - 1
    found = invert(net, pixels[:, known], np.repeat(tree[:, None], known.sum(), axis=1) * 1.0)
    error = found.phases - series[:, known]
    assert known.sum() > 2000
    assert np.sqrt(np.mean(error**2)) < 0.002  # [mm], the digits of the reference
