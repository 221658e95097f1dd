"""Who may ask, and how much."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client, TestResponse

from processes.application import make_application
from processes.jobs.store import JobStore
from processes.server import serve, serve_web
from processes.settings import ConfigurationError, Settings, check_access, read_settings
from processes.web import access
from tests.processes.conftest import GOOD, OWS, Service, make_configuration, service_of
from tests.processes.fake_process import Fake

CAPABILITIES = "/wps?service=WPS&request=GetCapabilities"


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Service]:
    """A server with keys, and a portal that names users of its own."""
    configuration = make_configuration(
        tmp_path,
        access="keys",
        user_header="X-Forwarded-User",
        jobs_queued_per_user="2",
        jobs_queued="3",
        requests_per_minute="60",
    )
    settings = read_settings([configuration])
    with service_of(settings, Fake(settings)) as service:
        yield service


def key_of(store: JobStore, user: str) -> str:
    return store.create_key(user, now=time.time())


def ask(service: Service, headers: dict[str, str], path: str = CAPABILITIES) -> int:
    return service.client.get(path, headers=headers).status_code


def execute(service: Service, headers: dict[str, str]) -> TestResponse:
    inputs = ";".join(f"{name}={value}" for name, value in GOOD)
    return service.client.get(
        "/wps?service=WPS&version=1.0.0&request=Execute&identifier=fake&status=true"
        f"&storeExecuteResponse=true&datainputs={inputs}",
        headers=headers,
    )


@pytest.mark.parametrize("address", ["0.0.0.0:5000", "[::]:5000", "192.0.2.1:80", "a.test:80"])
def test_an_open_server_does_not_listen_for_others(tmp_path: Path, address: str) -> None:
    settings = Settings(listen_address=address, state_folder=tmp_path)
    for start in (check_access, serve, serve_web):
        with pytest.raises(ConfigurationError, match="set access = keys"):
            start(settings)
    check_access(replace(settings, access="keys"))


@pytest.mark.parametrize("address", ["127.0.0.1:5000", "[::1]:5000", "localhost:80"])
def test_an_open_server_listens_on_its_machine(address: str) -> None:
    check_access(Settings(listen_address=address))


def test_a_key_opens_in_four_places(closed: Service) -> None:
    key = key_of(closed.store, "ann")
    basic = base64.b64encode(f"whoever:{key}".encode()).decode()
    assert ask(closed, {"X-API-Key": key}) == 200
    assert ask(closed, {"Authorization": f"Basic {basic}"}) == 200
    assert ask(closed, {"Authorization": f"Bearer {key}"}) == 200
    assert ask(closed, {}, f"/key/{key}{CAPABILITIES}") == 200
    assert execute(closed, {"Authorization": f"Basic {basic}"}).status_code == 200
    (job,) = closed.store.jobs(limit=2)
    assert job.request.user == "ann"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "x" * 43},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Bearer {'x' * 43}"},
        {"X-Forwarded-User": "ann"},
    ],
)
@pytest.mark.parametrize("path", [CAPABILITIES, "/metrics", "/", "/anything", "/key/short/wps"])
def test_nothing_opens_without_a_key(closed: Service, headers: dict[str, str], path: str) -> None:
    response = closed.client.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert closed.client.post("/wps", data=b"<a/>", headers=headers).status_code == 401


def test_health_and_pages_of_jobs_need_no_key(closed: Service) -> None:
    key = {"X-API-Key": key_of(closed.store, "ann")}
    status = etree.fromstring(execute(closed, key).data).get("statusLocation")
    assert ask(closed, {}, status.partition("5000")[2]) == 200
    assert ask(closed, {}, "/health") == 200


def test_a_revoked_key_is_worthless_at_once_or_soon(
    closed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"X-API-Key": key_of(closed.store, "ann")}
    monkeypatch.setattr(access, "REMEMBER", 0.0)
    assert ask(closed, key) == 200
    closed.store.revoke_keys("ann")
    assert ask(closed, key) == 401


def test_only_the_portal_may_name_users(closed: Service) -> None:
    portal = {"X-API-Key": key_of(closed.store, "portal")}
    ann = {"X-API-Key": key_of(closed.store, "ann")}
    assert ask(closed, portal) == 401
    assert execute(closed, portal | {"X-Forwarded-User": "bob@portal.test"}).status_code == 200
    assert execute(closed, ann | {"X-Forwarded-User": "bob@portal.test"}).status_code == 200
    assert [job.request.user for job in closed.store.jobs(limit=3)] == ["ann", "bob@portal.test"]
    for name in ("", "a b", "a" * 65, "\u00e9"):
        assert ask(closed, portal | {"X-Forwarded-User": name}) == 401


def test_a_portal_on_the_machine_of_an_open_server_names_users(tmp_path: Path) -> None:
    settings = Settings(state_folder=tmp_path, user_header="X-Forwarded-User")
    client = Client(make_application(settings, [Fake(settings)]))
    assert client.get(CAPABILITIES).status_code == 401
    assert client.get(CAPABILITIES, headers={"X-Forwarded-User": "bob"}).status_code == 200


def test_too_many_waiting_jobs_are_refused_as_busy(closed: Service) -> None:
    ann, bob = ({"X-API-Key": key_of(closed.store, user)} for user in ("ann", "bob"))
    assert [execute(closed, ann).status_code for _ in range(3)] == [200, 200, 429]
    assert [execute(closed, bob).status_code for _ in range(2)] == [200, 429]
    refused = etree.fromstring(execute(closed, bob).data).find("ows:Exception", OWS)
    assert refused.get("exceptionCode") == "ServerBusy"
    assert closed.leftovers() == []


def test_a_drained_server_is_busy(closed: Service) -> None:
    closed.store.drain(True)
    response = execute(closed, {"X-API-Key": key_of(closed.store, "ann")})
    assert response.status_code == 429
    assert b"ServerBusy" in response.data


def test_requests_that_come_too_often_are_refused_for_that_user(closed: Service) -> None:
    ann, bob = ({"X-API-Key": key_of(closed.store, user)} for user in ("ann", "bob"))
    codes = [ask(closed, ann, "/metrics") for _ in range(100)]
    assert set(codes[:60]) == {200}
    assert 429 in codes[60:]  # one more may pass each second
    assert ask(closed, bob) == 200


def test_jobs_of_others_are_reached_by_their_address_only(closed: Service) -> None:
    """Who has the address of a job may stop it, as its user may; identifiers open nothing."""
    ann, bob = ({"X-API-Key": key_of(closed.store, user)} for user in ("ann", "bob"))
    execute(closed, ann)
    (job,) = closed.store.jobs(limit=1)
    ask_for = "/wps?service=WPS&version=2.0.0&request={}&jobid={}"
    for name in (job.id, job.token[:-1], job.token[:-1] + "%00", "%", "*", "", "' OR '1'='1"):
        for operation in ("GetStatus", "GetResult", "Dismiss"):
            assert ask(closed, bob, ask_for.format(operation, name)) == 400
        for method in (closed.client.get, closed.client.delete):
            assert method(f"/outputs/pywps-{name}.xml", headers=bob).status_code == 404
    assert not closed.store.get(job.id).state.is_final
    assert ask(closed, {}, ask_for.format("Dismiss", job.token)) == 401
    assert closed.client.delete(f"/outputs/pywps-{job.token}.xml").status_code == 200
    assert closed.store.get(job.id).state.is_final
