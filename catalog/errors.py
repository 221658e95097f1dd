"""What can go wrong between a question and a product on disk; one line each.

::

    CatalogError                root
    ├── QueryError              the question breaks a rule; names the argument
    ├── UnreachableError        a server does not answer, whatever was tried
    ├── AnswerError             a server answers what is none of its protocol
    ├── AccessError             credentials are missing, wrong or expired, or a quota is used up
    ├── NotFoundError           no such product, or it has moved
    ├── StagingError            a product did not come from tape in time
    ├── IntegrityError          what arrived is not the product: size, checksum, archive
    ├── StorageError            the disk cannot hold it
    └── CancelledError          asked to stop

Messages keep to letters, digits, blanks and ``. : ! ? = , ; - _ /`` whatever a server or a user
says, so that a WPS server can repeat them unchanged.
"""

from __future__ import annotations

import re

_SHOWN = 200
"""Letters of a value that a message repeats."""


def _plain(text: str) -> str:
    """Replace what a WPS server would not repeat by single blanks."""
    return " ".join(re.findall(r"[\w.:!?=,;/-]+", text))


class CatalogError(Exception):
    """Root of every error that the catalogue raises on purpose."""

    def __str__(self) -> str:
        """One line in the allowed characters."""
        return _plain(super().__str__())


class QueryError(CatalogError):
    """An argument of a query breaks a rule.

    Parameters
    ----------
    argument : str
        Name of the argument.
    rule : str
        What it must be, as a phrase after "must be".
    value : object
        What was given.
    """

    def __init__(self, argument: str, rule: str, value: object) -> None:
        super().__init__(argument, rule, value)
        self.argument = argument
        self.rule = rule
        self.value = value

    def __str__(self) -> str:
        """Name the argument, the rule and the value."""
        return _plain(f"{self.argument} must be {self.rule}, got {str(self.value)[:_SHOWN]}")


class UnreachableError(CatalogError):
    """A server does not answer."""


class AnswerError(CatalogError):
    """A server answers what is none of its protocol."""


class AccessError(CatalogError):
    """Credentials are missing, wrong or expired, or a quota is used up."""


class NotFoundError(CatalogError):
    """There is no such product, or it has moved."""


class StagingError(CatalogError):
    """A product did not come from tape in time."""


class IntegrityError(CatalogError):
    """What arrived is not the product."""


class StorageError(CatalogError):
    """The disk cannot hold the product."""


class CancelledError(CatalogError):
    """The user asked to stop."""
