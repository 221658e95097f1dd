"""What holds for every declared process, so that every client can use it."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
from pywps import ComplexOutput, LiteralInput

from kernels.chains.artefacts import MediaType
from processes.binding import literal_input
from processes.chain_process import ChainProcess
from processes.declared import declared_chains, declared_names
from processes.offered import declared_processes
from processes.settings import Settings
from tests.processes.fake_chain import FakeRequest
from tests.processes.fake_process import Fake

KINDS = [*declared_processes(), Fake]


def test_every_chain_with_a_module_is_offered() -> None:
    assert "dinsar_pair" in declared_names()
    processes = [kind(Settings()) for kind in declared_processes()]
    assert {process.identifier for process in processes} == set(declared_chains())


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_follow_the_rules_of_the_clients(kind: type[ChainProcess]) -> None:
    process = kind(Settings())
    assert process.inputs
    for put in process.inputs:
        assert isinstance(put, LiteralInput)
        identifier = put.identifier.lower()
        # QGIS turns these into pickers of today or of a field
        assert not any(word in identifier for word in ("date", "datum", "column"))
        assert "date" not in put.title.lower()
    for output in process.outputs:
        assert isinstance(output, ComplexOutput)
        assert output.as_reference
        assert output.data_format.mime_type in set(MediaType)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("start_date", "First day"),
        ("update_rate", "Rate"),
        ("rate", "Update rate"),
        ("others", "Candidates"),
        ("vertical_datum", "Heights"),
        ("column", "Bands"),
    ],
)
def test_words_that_make_qgis_show_a_picker_are_refused(name: str, title: str) -> None:
    info = dataclasses.replace(FakeRequest.describe()[2], name=name, title=title)
    with pytest.raises(ValueError, match=f"{name}: QGIS"):
        literal_input(info, server_default=False)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_show_their_range_in_the_title(kind: type[ChainProcess]) -> None:
    for info in kind(Settings()).options:
        if info.kind is int and info.maximum is not None and not info.choices:
            assert f"{info.minimum:g} to {info.maximum:g}" in info.title


@pytest.mark.parametrize("kind", declared_processes())
def test_a_process_is_a_declaration(kind: type[ChainProcess]) -> None:
    assert len(inspect.getsource(inspect.getmodule(kind)).splitlines()) <= 30
    assert kind().identifier == kind.chain.name  # PyWPS makes processes without arguments


def test_choices_of_numbers_are_texts() -> None:
    """The list of choices in QGIS takes nothing else."""
    info = dataclasses.replace(FakeRequest.describe()[2], choices=(2, 4), default=4)
    put = literal_input(info, server_default=False)
    assert (put.data_type, put.data) == ("string", "4")
    assert [value.value for value in put.allowed_values] == ["2", "4"]


def test_inputs_say_how_often_and_what(tmp_path: object) -> None:
    inputs = {put.identifier: put for put in Fake(Settings()).inputs}
    occurrences = {name: (put.min_occurs, put.max_occurs) for name, put in inputs.items()}
    assert occurrences == {
        "product": (1, 1),
        "dem": (1, 100),
        "looks": (0, 1),
        "first_burst": (0, 1),
        "spacing": (0, 1),
        "filtered": (0, 1),
        "swaths": (0, 3),
        "ending": (0, 1),
    }
    assert [value.value for value in inputs["filtered"].allowed_values] == ["true", "false"]
    assert [value.value for value in inputs["swaths"].allowed_values] == ["IW1", "IW2", "IW3"]
    assert (inputs["looks"].data_type, inputs["looks"].data) == ("integer", 2)
    assert (inputs["looks"].allowed_values[0].minval, inputs["looks"].allowed_values[0].maxval) == (
        1,
        64,
    )
    assert (inputs["spacing"].data_type, inputs["spacing"].uom.uom) == ("float", "m")
    assert inputs["product"].data_type == "string"


def test_a_pair_takes_the_slices_of_either_pass() -> None:
    (kind,) = (kind for kind in KINDS if kind(Settings()).identifier == "dinsar-pair")
    puts = {put.identifier: put for put in kind(Settings()).inputs}
    assert puts["reference"].min_occurs == puts["secondary"].min_occurs == 1
    assert puts["reference"].max_occurs >= 10
    assert puts["secondary"].max_occurs >= 10
