"""A request describes each field once, refuses what breaks a rule, and survives plain values."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.chains.dinsar_pair.request import DinsarPairRequest
from kernels.chains.request import Request, option
from kernels.errors import RequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Request):
    """One field of each sort."""

    product: Path = option(title="Product", role="slc")
    tiles: tuple[Path, ...] = option(title="Tiles", role="dem")
    orbits: Path | None = option(default=None, title="Orbits")
    mode: str = option(default="fast", choices=("fast", "exact"), title="Mode")
    swaths: tuple[str, ...] = option(default=(), choices=("IW1", "IW2", "IW3"), title="Swaths")
    looks: int = option(default=2, minimum=1, maximum=64, title="Looks, 1 to 64")
    kernel: int = option(default=12, choices=(8, 12), title="Taps")
    spacing: float | None = option(
        default=None, unit="m", minimum=0.5, maximum=1_000_000.0, title="Spacing [m]"
    )
    thresholds: tuple[float, ...] = option(default=(0.3,), minimum=0.0, title="Thresholds")
    flatten: bool = option(default=True, title="Remove the topographic phase", abstract="Always.")


GIVEN: dict[str, Any] = {"product": Path("a.SAFE"), "tiles": (Path("N45"),)}


def survey(**values: Any) -> Survey:
    return Survey(**(GIVEN | values))


def test_a_field_describes_itself_in_the_order_of_declaration() -> None:
    infos = {info.name: info for info in Survey.describe()}
    assert list(infos) == [
        "product", "tiles", "orbits", "mode", "swaths", "looks", "kernel", "spacing",
        "thresholds", "flatten",
    ]  # fmt: skip
    assert [name for name, info in infos.items() if info.required] == ["product", "tiles"]
    assert [name for name, info in infos.items() if info.many] == ["tiles", "swaths", "thresholds"]
    assert [name for name, info in infos.items() if info.optional] == ["orbits", "spacing"]
    assert [info.kind for info in infos.values()] == [
        Path, Path, Path, str, str, int, int, float, float, bool,
    ]  # fmt: skip
    spacing = infos["spacing"]
    assert (spacing.unit, spacing.minimum, spacing.maximum) == ("m", 0.5, 1e6)
    assert (spacing.title, spacing.default) == ("Spacing [m]", None)
    assert infos["mode"].choices == ("fast", "exact")
    assert infos["tiles"].role == "dem"
    assert infos["flatten"].abstract == "Always."


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("product", None, "product must be given, got nothing"),
        ("product", "a.SAFE", "product must be a path, got a.SAFE"),
        ("product", 7, "product must be a path, got 7"),
        ("tiles", (), "tiles must be a list of at least one value, got an empty list"),
        ("tiles", Path("N45"), "tiles must be a list, got N45"),
        ("tiles", ("N45",), "tiles must be a path, got N45"),
        ("mode", "slow", "mode must be one of fast, exact, got slow"),
        ("mode", 1, "mode must be text, got 1"),
        ("mode", None, "mode must be given, got nothing"),
        ("swaths", ("IW1", "IW4"), "swaths must be one of IW1, IW2, IW3, got IW4"),
        ("looks", 0, "looks must be at least 1, got 0"),
        ("looks", 65, "looks must be at most 64, got 65"),
        ("looks", 2.0, "looks must be a whole number, got 2.0"),
        ("looks", True, "looks must be a whole number, got True"),
        ("looks", "2", "looks must be a whole number, got 2"),
        ("kernel", 10, "kernel must be one of 8, 12, got 10"),
        ("spacing", 0.25, "spacing must be at least 0.5, got 0.25"),
        ("spacing", 1_000_001.0, "spacing must be at most 1000000, got 1000001.0"),
        ("spacing", math.nan, "spacing must be a finite number, got nan"),
        ("spacing", math.inf, "spacing must be a finite number, got inf"),
        ("spacing", 10, "spacing must be a number, got 10"),
        ("spacing", False, "spacing must be a number, got False"),
        ("thresholds", (0.5, -0.5), "thresholds must be at least 0, got -0.5"),
        ("flatten", 1, "flatten must be true or false, got 1"),
        ("flatten", "yes", "flatten must be true or false, got yes"),
    ],
)
def test_a_broken_rule_names_the_field_the_rule_and_the_value(
    field: str, value: object, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        survey(**{field: value})
    assert str(caught.value) == message
    assert caught.value.argument == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("orbits", None),
        ("swaths", ()),
        ("swaths", ("IW3", "IW1")),
        ("looks", 1),
        ("looks", 64),
        ("spacing", 0.5),
        ("spacing", 1e6),
        ("thresholds", ()),
        ("flatten", False),
    ],
)
def test_a_value_on_the_bound_is_taken(field: str, value: object) -> None:
    assert getattr(survey(**{field: value}), field) == value


def test_plain_values_become_the_kinds_of_the_fields() -> None:
    request = Survey.from_values(
        {"product": "a.SAFE", "tiles": ["N45", "N46"], "spacing": 10, "thresholds": [0, 1]}
    )
    assert request == survey(tiles=(Path("N45"), Path("N46")), spacing=10.0, thresholds=(0.0, 1.0))
    assert [type(v) for v in (request.spacing, *request.thresholds)] == [float, float, float]


def test_a_single_value_stands_for_a_sequence_of_one() -> None:
    request = Survey.from_values({"product": "a.SAFE", "tiles": "N45", "swaths": "IW2"})
    assert (request.tiles, request.swaths) == ((Path("N45"),), ("IW2",))


def test_none_means_the_default() -> None:
    plain = {"product": "a.SAFE", "tiles": "N45"}
    assert Survey.from_values(plain | {"mode": None, "spacing": None}) == survey()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tiles": "N45"}, "product must be given, got nothing"),
        ({"product": "a.SAFE", "tiles": []}, "tiles must be a list of at least one value"),
        ({"product": "a.SAFE", "tiles": "N45", "look": 3}, "look must be one of product, tiles"),
        ({"product": "a.SAFE", "tiles": "N45", "spacing": 10**400}, "spacing must be a finite"),
    ],
)
def test_plain_values_that_make_no_request(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        Survey.from_values(values)


paths = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20
).map(Path)
surveys = st.builds(
    Survey,
    product=paths,
    tiles=st.lists(paths, min_size=1, max_size=3).map(tuple),
    orbits=st.none() | paths,
    mode=st.sampled_from(["fast", "exact"]),
    swaths=st.lists(st.sampled_from(["IW1", "IW2", "IW3"]), max_size=3).map(tuple),
    looks=st.integers(1, 64),
    kernel=st.sampled_from([8, 12]),
    spacing=st.none() | st.floats(0.5, 1e6),
    thresholds=st.lists(st.floats(0.0, 1e300), max_size=3).map(tuple),
    flatten=st.booleans(),
)


@given(surveys)
def test_a_request_comes_back_from_json_and_from_pickling(request: Survey) -> None:
    assert Survey.from_values(json.loads(json.dumps(request.to_values()))) == request
    assert pickle.loads(pickle.dumps(request)) == request


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
names = st.sampled_from([info.name for info in Survey.describe()])


@given(st.dictionaries(names | st.text(max_size=5), json_values))
def test_any_json_object_makes_a_checked_request_or_names_the_refused_input(
    values: dict[str, Any],
) -> None:
    refused = None
    try:
        request = Survey.from_values({"product": "a.SAFE", "tiles": "N45"} | values)
    except RequestError as error:
        refused = error.argument
    if refused is None:
        assert 1 <= request.looks <= 64
        assert request.spacing is None or 0.5 <= request.spacing <= 1e6
        assert isinstance(request.flatten, bool)
    else:
        assert refused in {*values, *(info.name for info in Survey.describe())}


PAIR: dict[str, Any] = {"reference": "a.SAFE", "secondary": "b.SAFE", "dem": "srtm"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"first_burst": 4, "last_burst": 3},
            "last_burst must be at least first_burst = 4, got 3",
        ),
        ({"spacing": 0.2}, "spacing must be at most 0.1 degrees for ortho = geographic, got 0.2"),
        ({"spacing": 0.5, "ortho": "utm"}, "spacing must be at least 1 metre for ortho = utm"),
        ({"memory_mb": 2_000_000}, "memory_mb must be at most 1000000, got 2000000"),
    ],
)
def test_rules_between_the_fields_of_a_pair(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        DinsarPairRequest.from_values(PAIR | values)


@pytest.mark.parametrize(
    "values",
    [
        {"first_burst": 3, "last_burst": 3},
        {"last_burst": 1},
        {"spacing": 0.1},
        {"spacing": 20, "ortho": "utm"},
    ],
)
def test_a_pair_that_keeps_the_rules_comes_back_from_json(values: dict[str, Any]) -> None:
    request = DinsarPairRequest.from_values(PAIR | values)
    plain = json.loads(json.dumps(request.to_values()))
    assert values.items() <= plain.items()
    assert DinsarPairRequest.from_values(plain) == request
