"""Values out of XML."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import ProductError
from kernels.products.elements import Element, parse_time


def parse(text: str) -> Element:
    return Element.parse(text.encode(), origin="a.xml")


@given(st.datetimes(min_value=datetime(2014, 1, 1), max_value=datetime(2060, 1, 1)))
def test_times_keep_their_microseconds(instant: datetime) -> None:
    text = instant.isoformat(timespec="microseconds")
    assert parse_time(text) == parse_time(f"UTC={text}") == parse_time(f"{text}Z") == instant


def test_digits_beyond_the_microsecond_are_dropped() -> None:
    assert parse_time("2019-01-01T17:15:15.990739999") == datetime(2019, 1, 1, 17, 15, 15, 990739)


@pytest.mark.parametrize(
    "text", ["", "2019-01-01", "2019-13-01T00:00:00", "2019-01-01T00:00:00+02:00", "TAI=x"]
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"UTC time|month"):
        parse_time(text)


@given(st.text(max_size=30))
def test_no_text_passes_for_a_time_without_being_one(text: str) -> None:
    try:
        instant = parse_time(text)
    except ValueError:
        return
    assert instant.isoformat()[:19] in text


def test_seconds_from_an_epoch_are_exact_to_a_nanosecond() -> None:
    root = parse("<p><t>2019-01-02T00:00:00.000001</t></p>")
    assert root.seconds("t", datetime(2019, 1, 1)) == pytest.approx(86400.000001, abs=1e-9)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_lists_of_numbers_come_back(values: list[float]) -> None:
    root = parse(f"<p><v>{' '.join(repr(value) for value in values)}</v></p>")
    np.testing.assert_array_equal(root.numbers("v"), np.array(values, dtype=float))


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda root: root.number("b/c"), "a.xml has no element b/c"),
        (lambda root: root.number("word"), "a.xml: element word must be a number, got none"),
        (lambda root: root.number("nan"), "a.xml: element nan must be a number, got nan"),
        (lambda root: root.integer("half"), "a.xml: element half must be a whole number, got 1.5"),
        (lambda root: root.numbers("word"), "a.xml: element word must be a list of numbers, got"),
        (lambda root: root.time("word"), "a.xml: element word must be a UTC time, got none"),
    ],
)
def test_errors_name_file_and_element(read: object, message: str) -> None:
    root = parse("<p><word>none</word><nan>nan</nan><half>1.5</half></p>")
    with pytest.raises(ProductError) as caught:
        read(root)  # type: ignore[operator]
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("content", [b"", b"<a><b></a>", b"no xml", b"<a>"])
def test_malformed_xml_is_named(content: bytes) -> None:
    with pytest.raises(ProductError, match=r"a\.xml is not well-formed XML"):
        Element.parse(content, origin="a.xml")


def test_entities_of_a_document_are_not_expanded(tmp_path: object) -> None:
    root = parse('<!DOCTYPE p [<!ENTITY e SYSTEM "file:///etc/hostname">]><p><v>&e;</v></p>')
    assert root.text("v") == ""
