"""The server as the plugin of QGIS meets it, by the rules that the plugin follows.

They were read in, and the whole of it was seen to work with, OpenGeoLabs' OWSLib-based WPS Client
1.0 in QGIS 3.22: its forms, requests and layers, with a key in the address.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from osgeo import gdal
from owslib.wps import Process, WebProcessingService, WPSExecution

from processes.background import background_server, free_address
from processes.declared import declared_chains
from processes.jobs.opening import open_store
from processes.settings import read_settings
from tests.processes.over_wps import PATIENCE
from tests.processes.test_multitemporal_filter import GRID, write

PROCESS = "multitemporal-filter"
SUFFIXES = {"image/tiff; subtype=geotiff": "tif", "application/json": "json"}


@dataclass(frozen=True)
class Form:
    """What the plugin shows of a process: lists of choices, and lines of text."""

    choices: dict[str, list[str]]
    lines: dict[str, str]

    @classmethod
    def of(cls, process: Process) -> Form:
        choices: dict[str, list[str]] = {}
        lines = {}
        for put in process.dataInputs:
            assert put.dataType != "ComplexData"  # a list of vector layers
            assert not any(word in put.identifier for word in ("date", "datum", "column"))
            assert "date" not in put.title
            # a range is no list of values; a list takes texts and nothing else
            if put.allowedValues:
                assert all(type(value) is str for value in put.allowedValues), put.identifier
                default = put.defaultValue.split(",") if put.defaultValue else []
                assert set(default) <= set(put.allowedValues)
                choices[put.identifier] = default
            else:
                lines[put.identifier] = "" if put.defaultValue is None else str(put.defaultValue)
        return cls(choices, lines)

    def inputs(self) -> list[tuple[str, str]]:
        """Return every line, the empty ones too, and every checked choice."""
        checked = [(name, value) for name, values in self.choices.items() for value in values]
        return [*self.lines.items(), *checked]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve with keys; give the address with a key in its path."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "lake").mkdir()
    for day in range(1, 4):
        write(folder / "lake" / "series", day)
    configuration = folder / "pywps.cfg"
    configuration.write_text(
        f"[fournaise]\nlisten_address = {free_address()}\nstate_folder = var\n"
        "data_roots = lake\naccess = keys\n"
    )
    store = open_store(read_settings([configuration]))
    key = store.create_key("jane", now=time.time())
    store.close()
    with background_server(configuration) as url:
        yield url.removesuffix("/wps") + f"/key/{key}/wps"


def follow(job: WPSExecution) -> list[tuple[str, str, int]]:
    """Return what the plugin tells while it polls: status, message and per cent."""
    told = []
    deadline = time.monotonic() + PATIENCE
    while not job.isComplete() and time.monotonic() < deadline:
        job.checkStatus(sleepSecs=0.2)
        told.append((job.status, job.statusMessage, int(job.percentCompleted)))
    return told


def test_every_process_is_listed_and_has_a_form(address: str) -> None:
    wps = WebProcessingService(address)
    wps.getcapabilities()
    assert {process.identifier for process in wps.processes} == set(declared_chains())
    for listed in wps.processes:
        assert listed.abstract
        process = WebProcessingService(address).describeprocess(listed.identifier)
        assert process.abstract
        assert Form.of(process).inputs()


def test_an_untouched_form_with_one_line_filled_in_gives_layers(
    address: str, tmp_path: Path
) -> None:
    form = Form.of(WebProcessingService(address).describeprocess(PROCESS))
    form.lines["series"] = "series"
    job = WebProcessingService(address).execute(PROCESS, form.inputs(), output=[])
    told = follow(job)
    assert job.errors == []
    assert told[-1][0] == "ProcessSucceeded"
    assert all(message for _, message, _ in told)
    assert told[-1][2] == 100
    layers = {}
    for output in job.processOutputs:
        path = tmp_path / f"{output.identifier}.{SUFFIXES.get(output.mimeType, 'zip')}"
        for _ in job.getOutput(str(path), output.identifier) or ():
            pass
        layers[output.identifier] = path
    raster = gdal.Open(str(layers["filtered"]))
    assert (raster.RasterYSize, raster.RasterXSize) == GRID.shape


def test_a_refusal_names_the_input_in_what_the_plugin_shows(address: str) -> None:
    form = Form.of(WebProcessingService(address).describeprocess(PROCESS))
    for text, line in (
        ("", "series must be given"),
        ("nowhere", "series must be a path in the data folders of this server, got nowhere"),
    ):
        form.lines["series"] = text
        with pytest.raises(Exception, match=line):
            WebProcessingService(address).execute(PROCESS, form.inputs(), output=[])
