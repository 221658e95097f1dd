"""Errors survive pickling, and their messages can be repeated by a WPS server."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pywps.app.exceptions import ProcessError

from kernels import errors

ALLOWED = re.compile(r"[\w .:!?=,;/-]*")


def every_error() -> list[type[errors.FournaiseError]]:
    """All classes of the tree, root first."""
    found = [errors.FournaiseError]
    for kind in found:
        found += kind.__subclasses__()
    return found


def make(kind: type[errors.FournaiseError], text: str) -> errors.FournaiseError:
    if kind is errors.RequestError:
        return errors.RequestError("dem", "a folder", text)
    return kind(text)


def test_the_tree_is_the_one_of_the_docstring() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    here = [kind for kind in every_error() if kind.__module__ == errors.__name__]
    assert sorted(drawn) == sorted(kind.__name__ for kind in here[1:])


@pytest.mark.parametrize("kind", every_error())
def test_an_error_survives_pickling(kind: type[errors.FournaiseError]) -> None:
    error = make(kind, "a (strange) file.zip")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.args, str(copy), vars(copy)) == (error.args, str(error), vars(error))


@pytest.mark.parametrize("kind", every_error())
@given(text=st.text())
def test_a_message_keeps_to_the_alphabet_in_one_line(
    kind: type[errors.FournaiseError], text: str
) -> None:
    message = str(make(kind, text))
    assert ALLOWED.fullmatch(message)
    assert message == " ".join(message.split())


def test_a_message_without_odd_characters_is_kept_word_for_word() -> None:
    message = "S1A_IW.SAFE: burst 3 of IW2 must be inside, e.g. 1-9; is it = 12, or 13/14?!"
    assert str(errors.ProductError(message)) == message
    assert str(ProcessError(message)) == message, "a WPS server repeats it"


def test_a_request_error_names_the_argument_the_rule_and_the_value() -> None:
    error = errors.RequestError("range_looks", "at most 64", 65)
    assert str(error) == "range_looks must be at most 64, got 65"
    assert (error.argument, error.rule, error.value) == ("range_looks", "at most 64", 65)
