"""The operator's own processes, as the example writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes.offered import offered_processes
from processes.settings import CHECKOUT, read_settings
from tests.processes.conftest import Service, make_configuration, service_of
from tests.processes.test_fuzz import EXECUTE
from tests.processes.test_runs import read_outputs

MODULES = "own_processes.days_between own_processes.file_list"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.syspath_prepend(str(CHECKOUT / "examples"))
    settings = read_settings([make_configuration(tmp_path, process_modules=MODULES)])
    offered = offered_processes(settings)
    assert "dinsar-pair" in offered
    with service_of(settings, *offered.values()) as service:
        yield service


def result(service: Service, name: str, inputs: str) -> object:
    accepted = service.client.get(f"{EXECUTE}&identifier={name}&datainputs={inputs}")
    assert accepted.status_code == 200
    service.run_next()
    (found,) = read_outputs(service.status(accepted)).values()
    return json.loads(service.client.get(found[1].partition("5000")[2], buffered=True).data)


def test_a_plain_process_runs_as_pywps_would_run_it(own: Service) -> None:
    days = "first_day=2018-07-20;second_day=2018-08-01"
    assert result(own, "days-between", f"{days}&responsedocument=report") == {
        "days": 12,
        "is_pair": True,
    }


def test_a_process_of_a_chain_finds_products_by_name(own: Service) -> None:
    product = own.settings.data_roots[0] / "S1A_X.SAFE"
    (product / "manifest.safe").write_text("12345")
    (product / "annotation").mkdir()
    (product / "annotation" / "empty.xml").touch()
    assert result(own, "file-list", "product=S1A_X;at_least=1") == {"manifest.safe": 5}
