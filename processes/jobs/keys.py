"""Keys of users who call the service.

A key is 256 random bits. It is stored as its SHA-256 hash: nobody can guess what has that much
chance in it, so a slow hash, made for passwords that people choose, would protect nothing and cost
every request. It is looked up by its hash, so that the time of the search says nothing of the key.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from sqlalchemy import Connection, delete, insert, select

from kernels.errors import RequestError
from processes.jobs.schema import keys

_USER = re.compile(r"[\w.@-]{1,64}", re.ASCII)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def create(connection: Connection, user: str, *, now: float) -> str:
    """Make a key; a user may have several."""
    if not _USER.fullmatch(user):
        raise RequestError("user", "1 to 64 letters, digits or any of . @ _ -", user)
    key = secrets.token_urlsafe(32)
    connection.execute(insert(keys).values(hash=_hash(key), user=user, created=now))
    return key


def user_of(connection: Connection, key: str) -> str | None:
    """Return whose key it is; None where it is nobody's."""
    found: str | None = connection.scalar(select(keys.c.user).where(keys.c.hash == _hash(key)))
    return found


def revoke(connection: Connection, user: str) -> int:
    """Make every key of a user worthless, and return how many there were."""
    return connection.execute(delete(keys).where(keys.c.user == user)).rowcount


def users(connection: Connection) -> list[str]:
    """Return who has a key."""
    return list(connection.scalars(select(keys.c.user).distinct().order_by(keys.c.user)))
