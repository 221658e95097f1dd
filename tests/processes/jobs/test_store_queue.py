"""Who is next: turns between users, order within one, and the place that a user is told."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from processes.jobs.model import JobState
from processes.jobs.store import JobStore
from tests.processes.jobs.stores import MakeStore, order, start


def end(store: JobStore, job_id: str) -> None:
    assert store.finish(job_id, 1, JobState.SUCCEEDED, now=1.0, keep=9.0)


def test_two_jobs_do_not_wait_for_forty_of_somebody_else(make_store: MakeStore) -> None:
    store = make_store(running=2)
    many = [store.submit(order("ann"), now=1.0).id for _ in range(40)]
    few = [store.submit(order("ben"), now=1.0).id for _ in range(2)]
    claimed = []
    for _ in range(4):
        claimed.append(start(store).id)
        end(store, claimed[-1])
    assert claimed == [many[0], few[0], many[1], few[1]]


def test_whoever_has_fewer_running_jobs_is_first(make_store: MakeStore) -> None:
    store = make_store(running=9)
    for user in ("ann", "ann", "ben", "ben"):
        store.submit(order(user), now=1.0)
    start(store)
    second = start(store)
    end(store, second.id)
    assert second.request.user == "ben"
    assert start(store).request.user == "ben"  # though ann was served longer ago


def test_one_user_runs_so_many_and_leaves_the_rest_to_others(make_store: MakeStore) -> None:
    store = make_store(running=4, running_per_user=1)
    for user in ("ann", "ann", "ben"):
        store.submit(order(user), now=1.0)
    assert [start(store).request.user for _ in range(2)] == ["ann", "ben"]
    assert store.claim("w1", lease=9.0, now=1.0) is None
    assert store.counts()[JobState.RUNNING] == 2


def test_no_more_run_than_may(make_store: MakeStore) -> None:
    store = make_store(running=2)
    for _ in range(3):
        store.submit(order(), now=1.0)
    first = start(store)
    start(store)
    assert store.claim("w1", lease=9.0, now=1.0) is None
    end(store, first.id)
    start(store)


def test_the_order_is_that_of_acceptance_whatever_the_clock_says(store: JobStore) -> None:
    ids = [store.submit(order(), now=now).id for now in (3.0, 1.0, 2.0)]
    assert [start(store).id for _ in range(2)] == ids[:2]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_the_written_rule(make_store: MakeStore, seed: int) -> None:
    """Against a slow reference that keeps lists."""
    store = make_store(running=5, running_per_user=3)
    chance = random.Random(seed)
    waiting: dict[str, list[str]] = defaultdict(list)
    running: list[tuple[str, str]] = []
    served: list[str] = []

    def expected() -> str | None:
        def rank(user: str) -> tuple[int, int]:
            turns = [turn for turn, name in enumerate(served) if name == user]
            return sum(name == user for name, _job in running), turns[-1] if turns else -1

        able = [user for user in waiting if waiting[user] and rank(user)[0] < 3]
        if not able or len(running) >= 5:
            return None
        return min(able, key=lambda user: (*rank(user), accepted.index(waiting[user][0])))

    accepted: list[str] = []
    for _ in range(80):
        action = chance.choice(["submit", "submit", "claim", "claim", "end"])
        if action == "submit":
            user = chance.choice("aaaabbc")
            accepted.append(store.submit(order(user), now=1.0).id)
            waiting[user].append(accepted[-1])
        elif action == "claim":
            user_next = expected()
            job = store.claim("w1", lease=9.0, now=1.0)
            assert (None if job is None else job.request.user) == user_next
            if job is not None:
                assert job.id == waiting[job.request.user].pop(0)
                running.append((job.request.user, job.id))
                served.append(job.request.user)
        elif running:
            end(store, running.pop(chance.randrange(len(running)))[1])


@pytest.mark.parametrize("seed", range(3))
def test_places_are_those_that_claims_then_follow(make_store: MakeStore, seed: int) -> None:
    store = make_store(running=100)
    chance = random.Random(seed)
    for user in chance.choices("aaaaabbc", k=8):
        store.submit(order(user), now=1.0)
    for _ in range(4):
        if chance.random() < 0.5:
            end(store, start(store).id)
        else:
            start(store)
    for user in chance.choices("aabbcd", k=8):
        store.submit(order(user), now=1.0)
    waiting = store.jobs(limit=99, state=JobState.ACCEPTED)
    places = {job.id: store.position(job.id) for job in waiting}
    claimed = [start(store).id for _ in waiting]
    assert [places[job] for job in claimed] == list(range(1, len(waiting) + 1))
    assert store.position(claimed[0]) == 0
