"""Keys of users."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from kernels.errors import RequestError
from processes.jobs.store import JobStore


def test_a_key_names_its_user_until_it_is_revoked(store: JobStore) -> None:
    first, second = store.create_key("ann", now=1.0), store.create_key("ann", now=2.0)
    other = store.create_key("ben@lab.example", now=3.0)
    assert [store.user_of_key(key) for key in (first, second, other)] == [
        "ann",
        "ann",
        "ben@lab.example",
    ]
    assert store.users() == ["ann", "ben@lab.example"]
    assert store.revoke_keys("ann") == 2
    assert [store.user_of_key(key) for key in (first, second)] == [None, None]
    assert store.users() == ["ben@lab.example"]


@pytest.mark.parametrize("key", ["", "x", "\0", "\ud800", "é" * 1000, "' OR ''='"])
def test_what_is_no_key_names_nobody(store: JobStore, key: str) -> None:
    made = store.create_key("ann", now=1.0)
    for wrong in (key, made + key, made[:-1], made.swapcase()):
        if wrong != made:
            assert store.user_of_key(wrong) is None


def test_the_store_does_not_hold_the_key(store: JobStore) -> None:
    key = store.create_key("ann", now=1.0)
    assert len(key) == 43  # 256 bits, six to a character
    with store._database.reading() as connection:
        (row,) = connection.execute(text("SELECT * FROM keys")).all()
    assert key not in str(row)


@pytest.mark.parametrize("user", ["", "a b", "a/b", "a:b", "é", "x" * 65, "a\n"])
def test_names_that_are_none_get_no_key(store: JobStore, user: str) -> None:
    with pytest.raises(RequestError, match="user must be 1 to 64 letters"):
        store.create_key(user, now=1.0)
    assert store.users() == []
