"""Texts become values strictly."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import RequestError
from processes.texts import read_texts
from tests.processes.fake_chain import FakeRequest

INFOS = FakeRequest.describe()


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_whole_numbers_survive_a_round_trip(number: int) -> None:
    assert read_texts(INFOS, {"looks": [str(number)]}) == {"looks": number}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_a_round_trip_to_the_last_bit(number: float) -> None:
    value = read_texts(INFOS, {"spacing": [repr(number)]})["spacing"]
    assert math.copysign(1.0, value) == math.copysign(1.0, number)
    assert value == number


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)]
)
def test_booleans_are_the_four_of_xml_schema(text: str, value: bool) -> None:
    assert read_texts(INFOS, {"filtered": [text]})["filtered"] is value


def test_blank_texts_count_as_not_given_and_many_values_keep_their_order() -> None:
    texts = {"looks": [" "], "swaths": ["IW3", "", " IW1 "], "dem": ["a", "b"], "ending": []}
    assert read_texts(INFOS, texts) == {"swaths": ["IW3", "IW1"], "dem": [Path("a"), Path("b")]}


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("looks", "3.7", "a whole number"),
        ("looks", "3.0", "a whole number"),
        ("looks", "1_000", "a whole number"),
        ("looks", "9" * 5000, "a whole number"),
        ("looks", "٣", "a whole number"),
        ("spacing", "nan", "a number"),
        ("spacing", "inf", "a number"),
        ("spacing", "1,5", "a number"),
        ("filtered", "no", "true or false"),
        ("filtered", "maybe", "true or false"),
        ("filtered", "True", "true or false"),
        ("colour", "red", "one of product, dem, looks"),
    ],
)
def test_other_texts_are_refused_by_name_and_rule(name: str, text: str, rule: str) -> None:
    with pytest.raises(RequestError, match=f"^{name} must be {rule}") as caught:
        read_texts(INFOS, {name: [text]})
    assert caught.value.argument == name


def test_a_single_option_takes_one_value() -> None:
    with pytest.raises(RequestError, match="looks must be given once, got 2 values"):
        read_texts(INFOS, {"looks": ["3", "4"]})
