"""The index of a datalake: one SQLite file with an R-tree of the footprints.

The file belongs on a local disk: SQLite's locks are not to be trusted on network file systems.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from catalog.areas import area_of, boxes_of
from catalog.describing import Description, Kind, State
from catalog.errors import StorageError
from catalog.matching import answers
from catalog.model import Product, Query, Storage

_VERSION = 1
_TABLES = """
CREATE TABLE products (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, root TEXT NOT NULL, kind TEXT NOT NULL,
    changed_ns INTEGER NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    name TEXT NOT NULL, collection TEXT NOT NULL, product_type TEXT NOT NULL, mode TEXT NOT NULL,
    polarisation TEXT NOT NULL, platform TEXT NOT NULL, start REAL, stop REAL,
    absolute_orbit INTEGER, relative_orbit INTEGER, direction TEXT NOT NULL, footprint TEXT,
    properties TEXT NOT NULL);
CREATE INDEX products_by_name ON products (name);
CREATE INDEX products_by_root ON products (root);
CREATE INDEX products_by_type ON products (collection, product_type, start);
CREATE INDEX products_nowhere ON products (id) WHERE footprint IS NULL;
CREATE VIRTUAL TABLE places USING rtree (id, west, east, south, north, +product INTEGER);
CREATE TRIGGER products_gone BEFORE DELETE ON products BEGIN
    DELETE FROM places WHERE id IN (old.id * 8, old.id * 8 + 1, old.id * 8 + 2, old.id * 8 + 3,
        old.id * 8 + 4, old.id * 8 + 5, old.id * 8 + 6, old.id * 8 + 7);
END;
"""
_BOXES = 8
"""Boxes that one footprint may have; further ones are joined."""
_SMALL = 0.05 * 360.0 * 180.0
"""Square degrees below which an area leaves fewer products than a type and a year."""
_COLUMNS = (
    *("path", "root", "kind", "changed_ns", "size", "state", "reason", "name", "collection"),
    *("product_type", "mode", "polarisation", "platform", "start", "stop", "absolute_orbit"),
    *("relative_orbit", "direction", "footprint", "properties"),
)
_MARKS = ", ".join("?" * len(_COLUMNS))
_INSERT = f"INSERT INTO products ({', '.join(_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608
_SAME_NAME = {"S2ST": "S2"}
"""Collections that are one on disk."""


class Mark(NamedTuple):
    """By what a change shows: time of the last one [ns] and size [bytes]."""

    changed_ns: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A product that the index holds, or is to hold."""

    path: Path
    root: Path
    kind: Kind
    mark: Mark
    description: Description


class ProductIndex:
    """Products of folders, for fast questions.

    Parameters
    ----------
    path : Path
        SQLite file; made where it is missing.

    Raises
    ------
    StorageError
        The file cannot be opened or is of another kind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the index {path.name} cannot be made: {error.strerror}") from error
        with self._connection() as connection:
            if _version(connection) == 0:
                script = f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {_VERSION};COMMIT;"
                try:
                    connection.executescript(script)
                except sqlite3.OperationalError:
                    if _version(connection) == 0:  # else another process has made it just now
                        raise
            if _version(connection) != _VERSION:
                raise StorageError(f"{path.name} is an index of another version: remove it")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=30.0)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StorageError(f"the index {self._path.name} cannot be used: {error}") from error

    def marks(self, root: Path) -> dict[str, tuple[Mark, State, Kind]]:
        """Return mark, state and kind of all products of a root, by path."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT path, changed_ns, size, state, kind FROM products WHERE root = ?",
                (str(root),),
            )
            return {
                path: (Mark(at, size), State(state), Kind(kind))
                for path, at, size, state, kind in rows
            }

    def put(self, entries: Iterable[Entry]) -> None:
        """Add products, in place of what the index held at their paths."""
        with self._connection() as connection:
            for entry in entries:
                connection.execute("DELETE FROM products WHERE path = ?", (str(entry.path),))
                number = connection.execute(_INSERT, _row(entry)).lastrowid or 0
                connection.executemany(
                    "INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)",
                    _places(entry.description.product, number),
                )

    def remove(self, paths: Iterable[str]) -> None:
        """Take products out that are no longer there."""
        with self._connection() as connection:
            connection.executemany(
                "DELETE FROM products WHERE path = ?", [(path,) for path in paths]
            )

    def counts(self) -> dict[State, int]:
        """Return how many products there are in each state."""
        with self._connection() as connection:
            rows = connection.execute("SELECT state, count(*) FROM products GROUP BY state")
            return {State(state): count for state, count in rows}

    def troubled(self) -> list[tuple[Path, State, str]]:
        """Return products that cannot be used: path, state and reason."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT path, state, reason FROM products WHERE state <> 'ready' ORDER BY path"
            )
            return [(Path(path), State(state), reason) for path, state, reason in rows]

    def find(self, query: Query) -> list[Product]:
        """Find usable products, newest first.

        Parameters
        ----------
        query : Query
            A place is not looked at.

        Returns
        -------
        list of Product
            Each path once.
        """
        products = self._select(*_conditions(query))
        return [product for product in products if answers(query, product)]

    def find_named(self, name: str) -> list[Product]:
        """Find usable products of a name, of any collection."""
        return self._select(["state = ?", "name = ?"], [State.READY.value, name])

    def _select(self, words: list[str], values: list[Any]) -> list[Product]:
        with self._connection() as connection:
            rows = connection.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM products WHERE {' AND '.join(words)} "  # noqa: S608
                "ORDER BY start DESC, name, path",
                values,
            ).fetchall()
        return [_product(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    words: list[str] = ["state = ?"]
    values: list[Any] = [State.READY.value]
    exact = {
        "collection": _SAME_NAME.get(query.collection, query.collection),
        "product_type": query.product_type,
        "absolute_orbit": query.absolute_orbit,
        "relative_orbit": query.relative_orbit,
        "platform": query.platform,
        "mode": query.mode,
    }
    for column, value in exact.items():
        if value:
            words.append(f"{column} = ?")
            values.append(value)
    for word, moment in (("start >= ?", query.start), ("start <= ?", query.stop)):
        if moment is not None:
            words.append(word)
            values.append(moment.timestamp())
    if query.names:
        words.append(f"name IN ({', '.join('?' * len(query.names))})")
        values += query.names
    area = area_of(query)
    if area is not None:
        boxes = boxes_of(area)
        if sum((east - west) * (north - south) for west, south, east, north in boxes) < _SMALL:
            # a plus takes a column's index away: the places are read first, and few rows after
            words[1:] = [f"+{word}" for word in words[1:]]
        one = (
            "SELECT product FROM places WHERE west <= ? AND east >= ? AND south <= ? AND north >= ?"
        )
        every = " UNION ".join(
            [*([one] * len(boxes)), "SELECT id FROM products WHERE footprint IS NULL"]
        )
        words.append(f"id IN ({every})")
        for west, south, east, north in boxes:
            values += [east, west, north, south]
    return words, values


def _places(product: Product, number: int) -> list[tuple[int, float, float, float, float, int]]:
    if product.footprint is None:
        return []
    boxes = boxes_of(product.footprint)
    if len(boxes) > _BOXES:
        wests, souths, easts, norths = zip(*boxes, strict=True)
        boxes = [type(boxes[0])(min(wests), min(souths), max(easts), max(norths))]
    return [
        (number * _BOXES + k, box.west, box.east, box.south, box.north, number)
        for k, box in enumerate(boxes)
    ]


def _row(entry: Entry) -> tuple[Any, ...]:
    product = entry.description.product
    return (
        *(str(entry.path), str(entry.root), entry.kind.value, *entry.mark),
        *(entry.description.state.value, entry.description.reason),
        *(product.name, product.collection, product.product_type, product.mode),
        *(product.polarisation, product.platform),
        *(moment and moment.timestamp() for moment in (product.start, product.stop)),
        *(product.absolute_orbit, product.relative_orbit, product.direction),
        product.footprint and json.dumps(product.footprint, separators=(",", ":")),
        json.dumps(dict(product.properties)),
    )


def _product(row: dict[str, Any]) -> Product:
    return Product(
        identifier=row["path"],
        catalog="local",
        storage=Storage.LOCAL,
        path=Path(row["path"]),
        start=_moment(row["start"]),
        stop=_moment(row["stop"]),
        footprint=row["footprint"] and json.loads(row["footprint"]),
        properties=json.loads(row["properties"]),
        size=row["size"] if row["kind"] != Kind.SAFE else None,
        **{
            column: row[column]
            for column in (
                *("name", "collection", "product_type", "mode", "polarisation", "platform"),
                *("absolute_orbit", "relative_orbit", "direction"),
            )
        },
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(round(seconds, 6), UTC)
