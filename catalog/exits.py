"""Exit codes of the command line, by what went wrong."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.errors import (
    AccessError,
    AnswerError,
    CancelledError,
    CatalogError,
    IntegrityError,
    NotFoundError,
    QueryError,
    StagingError,
    StorageError,
    UnreachableError,
)
from catalog.settings import SettingsError

_CODES: tuple[tuple[tuple[type[CatalogError], ...], int], ...] = (
    ((QueryError, SettingsError), 2),
    ((NotFoundError,), 3),
    ((UnreachableError, AnswerError), 4),
    ((AccessError,), 5),
    ((StagingError,), 6),
    ((IntegrityError,), 7),
    ((StorageError,), 8),
    ((CancelledError,), 130),
)


def exit_code(error: CatalogError) -> int:
    """Return the exit code of an error."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), 1)


def common_exit_code(errors: Iterable[CatalogError | None]) -> int:
    """Return the exit code of many products: 0 without errors, 1 where they have several causes."""
    codes = {exit_code(error) for error in errors if error is not None}
    return codes.pop() if len(codes) == 1 else int(bool(codes))
