"""State vectors of neighbouring slices as one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from kernels.model import OrbitSource, StateVectors


def join_state_vectors(lists: Sequence[StateVectors]) -> StateVectors:
    """Join the state vectors of the slices of one pass.

    Lists of one orbit file agree where they overlap and are simply put together. The annotated
    ones of two slices of 2015 lie 0.92 m apart, more than a smooth orbit allows from one vector
    to the next: each then moves by half of the difference where they meet, and by less the
    further away, by none at its other end.

    Parameters
    ----------
    lists : sequence of StateVectors
        In order of time, in one epoch.

    Returns
    -------
    StateVectors
        With the least precise of the sources and all origins.
    """
    sources = [vectors.source for vectors in lists]
    origins = dict.fromkeys(vectors.origin for vectors in lists)
    return replace(
        reduce(_join, lists),
        source=max(sources, key=list(OrbitSource).index),
        origin=" and ".join(origins),
    )


def _join(one: StateVectors, other: StateVectors) -> StateVectors:
    """Join two lists: the first up to where they meet, the second from there on."""
    # vectors are seconds apart, the same instant may differ by rounding
    _, mine, theirs = np.intersect1d(
        np.round(one.times, 3), np.round(other.times, 3), return_indices=True
    )
    if mine.size == 0:
        later = other.times > one.times[-1]
        return _put_together(one, np.ones(one.times.size, np.bool_), other, later)
    meeting = float(one.times[mine].mean())
    position = (other.positions[theirs] - one.positions[mine]).mean(axis=0)
    velocity = (other.velocities[theirs] - one.velocities[mine]).mean(axis=0)
    return _put_together(
        _moved(one, 0.5 * position, 0.5 * velocity, still=float(one.times[0]), meeting=meeting),
        one.times <= meeting,
        _moved(
            other, -0.5 * position, -0.5 * velocity, still=float(other.times[-1]), meeting=meeting
        ),
        other.times > meeting + 0.5e-3,
    )


def _moved(
    vectors: StateVectors,
    position: NDArray[np.float64],
    velocity: NDArray[np.float64],
    *,
    still: float,
    meeting: float,
) -> StateVectors:
    """Move vectors by a difference at the meeting and linearly less towards the still end."""
    span = meeting - still
    share = (
        np.clip((vectors.times - still) / span, 0.0, 1.0) if span else np.ones(vectors.times.size)
    )
    return replace(
        vectors,
        positions=vectors.positions + share[:, np.newaxis] * position,
        velocities=vectors.velocities + share[:, np.newaxis] * velocity,
    )


def _put_together(
    one: StateVectors, mine: NDArray[np.bool_], other: StateVectors, theirs: NDArray[np.bool_]
) -> StateVectors:
    return replace(
        one,
        times=np.concatenate([one.times[mine], other.times[theirs]]),
        positions=np.concatenate([one.positions[mine], other.positions[theirs]]),
        velocities=np.concatenate([one.velocities[mine], other.velocities[theirs]]),
    )
