"""The error tree of Fournaise.

::

    FournaiseError
    ├── RequestError            the request itself breaks a rule (names the argument)
    ├── InputError              a file or product that the request names cannot be used
    │   ├── ProductError        a SAR product is damaged, incomplete or of the wrong kind
    │   ├── OrbitError          no usable orbit
    │   ├── DemError            the elevation model has no answer where one is needed
    │   └── PairError           two products that do not make a pair
    ├── ProcessingError         the data was readable but no result is possible
    │   └── UnwrappingError     no phase can be unwrapped
    └── Cancelled               the user asked to stop

Every message is one line that names the input and the rule it breaks. Messages keep to
letters, digits, blanks and ``. : ! ? = , ; - _ /`` so that a WPS server can repeat them
unchanged, and every error survives pickling (jobs run in other processes).
"""

from __future__ import annotations

import re


def _plain(text: str) -> str:
    """Replace what a WPS server would not repeat by single blanks."""
    return " ".join(re.findall(r"[\w.:!?=,;/-]+", text))


class FournaiseError(Exception):
    """Root of every error that Fournaise raises on purpose."""

    def __str__(self) -> str:
        """One line in the allowed characters, whatever a file name or a value holds."""
        return _plain(super().__str__())


class RequestError(FournaiseError):
    """An argument of a request breaks a rule.

    Parameters
    ----------
    argument : str
        Name of the field of the request.
    rule : str
        What the value must be, as a phrase after "must be".
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
        return _plain(f"{self.argument} must be {self.rule}, got {self.value}")


class InputError(FournaiseError):
    """A file or product named by the request cannot be used."""


class ProductError(InputError):
    """A SAR product is damaged, incomplete or of the wrong kind."""


class OrbitError(InputError):
    """No usable orbit for a product."""


class DemError(InputError):
    """The elevation model has no answer where one is needed."""


class PairError(InputError):
    """Two products that do not make an interferometric pair."""


class ProcessingError(FournaiseError):
    """The data was readable, but no result is possible."""


class UnwrappingError(ProcessingError):
    """No phase of an interferogram can be unwrapped."""


class Cancelled(FournaiseError):  # noqa: N818 - an outcome, not a mistake
    """The user asked to stop."""
