"""What attackers send is refused, and nothing that is secret is told to anybody."""

from __future__ import annotations

import base64
import json
import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import pytest
from lxml import etree
from sqlalchemy import text as sql
from werkzeug.test import Client

from processes.application import make_application
from processes.background import background_server, free_address
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.opening import open_store
from processes.jobs.store import JobStore
from processes.log import JsonLines, PlainLines
from processes.settings import Settings, read_settings
from processes.web.answers import without_secrets
from tests.processes.conftest import (
    GOOD,
    Service,
    make_configuration,
    processes_of,
    read_refusal,
    service_of,
)
from tests.processes.jobs.places import wait_for
from tests.processes.own_processes import EveryInput
from tests.processes.test_fuzz import EXECUTE, WPS, data_of, document_of

OUTSIDE = [
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:5000/metrics",
    "http://[::1]/",
    "file:///etc/passwd",
    "/etc/passwd",
    "/vsicurl/http://127.0.0.1/dem.tif",
    "/vsizip//etc/a.zip",
    "../elsewhere/secret.tif",
    "lake/../elsewhere/secret.tif",
    "link/secret.tif",
    "link",
    "../lake-secret/dem",
    "~/dem",
    "$HOME",
    "dem\0/../../elsewhere",
]


def lines(
    caplog: pytest.LogCaptureFixture, formatter: logging.Formatter | None = None
) -> list[str]:
    """Return the lines of the log, as the server writes them."""
    return [(formatter or JsonLines()).format(record) for record in caplog.records]


def events(caplog: pytest.LogCaptureFixture, text: str) -> list[dict[str, Any]]:
    """Return what the log tells of one kind."""
    return [told for told in map(json.loads, lines(caplog)) if told["event"] == text]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_the_data_folders(
    service: Service, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    inputs = f"product=S1A_X;dem={quote(name, safe='')}"
    refusal = read_refusal(
        service.client.get(f"{EXECUTE}&identifier=fake&datainputs={quote(inputs, safe='')}")
    )
    assert refusal.locator == "dem"
    assert "must be a path in the data folders of this server" in refusal.text
    (told,) = events(caplog, "refused")
    assert told["input"] == "dem"
    assert "must be a path in the data folders" in told["reason"]
    assert service.leftovers() == []


def test_absolute_paths_are_of_the_data_folders_or_refused(service: Service) -> None:
    (root,) = service.settings.data_roots
    assert service.execute([GOOD[0], ("dem", str(root / "dem"))]).status_code == 200
    for path in (root / "link/secret.tif", root.parent / "lake-secret/dem"):
        assert read_refusal(service.execute([GOOD[0], ("dem", str(path))])).locator == "dem"


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">'
        + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b;" * 9) for n in range(9))
        + b"]><a>&b8;</a>",
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        b"<!DOCTYPE a [<!ENTITY % b SYSTEM 'file:///etc/passwd'> %b;]><a/>",
        b"<a>" * 100_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"<a " + b" ".join(b"b%d='c'" % n for n in range(50_000)) + b"/>",
        b"<a>" + b"x" * 900_000,
    ],
)
def test_documents_that_grow_or_nest_are_refused(
    service: Service, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert read_refusal(service.post(body)).text
    assert len(events(caplog, "refused")) == 1
    assert sum(map(len, lines(caplog))) < 2000


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/x", "file:///etc/passwd", ""])
def test_references_are_never_followed(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    element = etree.fromstring(
        f"<a:Input xmlns:a='{WPS}'><b:Identifier xmlns:b='http://www.opengis.net/ows/1.1'>feature"
        f"</b:Identifier><a:Reference xmlns:c='http://www.w3.org/1999/xlink' c:href='{address}'>"
        "<a:Header key='a' value='b'/></a:Reference></a:Input>"
    )
    with service_of(Settings(state_folder=tmp_path), EveryInput()) as service:
        refusal = read_refusal(service.post(etree.tostring(document_of([element]))))
        assert refusal.text == "feature must be a value, references are never followed"
        (told,) = events(caplog, "refused")
        assert told["reason"] == refusal.text
        # an address as a value is a text that nobody opens
        literal = document_of([data_of("anyURI", None, "http://127.0.0.1:9/x", "LiteralData")])
        assert service.post(etree.tostring(literal)).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["user\nINFO accepted job=0", "\x1b[2J", "x" * 100_000],
)
def test_no_line_of_the_log_can_be_forged(
    service: Service, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert service.execute([*GOOD, (text.replace("\x1b", " "), "1")]).status_code == 400
    service.client.get(f"{EXECUTE}&identifier=fake&datainputs={quote(text, safe='')}=1")
    service.client.get(f"/{quote(text[:3000])}")
    for formatter in (JsonLines(), PlainLines()):
        for line in lines(caplog, formatter):
            assert line.isascii()
            assert line.isprintable()
            assert len(line) < 2000


def test_a_body_must_be_small_and_of_known_length(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    big = service.client.post("/wps", data=b"x" * 1_000_001)
    assert big.status_code == 413
    assert big.headers["Connection"] == "close"
    chunks = service.client.post("/wps", headers={"Transfer-Encoding": "chunked"})
    assert chunks.status_code == 411
    assert service.client.post("/wps", json={"a": 1}).status_code == 415
    assert [told["code"] for told in events(caplog, "refused")] == [413, 411, 415]


@pytest.mark.parametrize("path", ["/wps", "/outputs/", "/health", "/metrics", "/", "/key/"])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "ODD"])
def test_odd_methods_fail_nowhere(service: Service, method: str, path: str) -> None:
    assert service.client.open(path, method=method, buffered=True).status_code < 500


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/",
        "https://portal.test.evil.test/",
        "http://portal.test@evil.test/",
        "http://[",
        "file:///etc/passwd",
        "gopher://portal.test/",
        "a@b.test\r\nBcc: c@d.test",
        "-oQ/tmp@b.test",
    ],
)
def test_nobody_is_told_whom_the_operator_does_not_know(tmp_path: Path, address: str) -> None:
    settings = Settings(
        state_folder=tmp_path, notify_hosts=("portal.test",), smtp_server="127.0.0.1:9"
    )
    with service_of(settings, EveryInput()) as service:
        ask = f"{EXECUTE}&identifier=every-input&notifmail={quote(address, safe='')}"
        assert service.client.get(ask).status_code in {200, 400}
        assert [job.request.notify for job in service.store.jobs(limit=2)] in ([], [()])


def test_a_store_that_does_not_answer_is_told_as_such(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service.execute(GOOD)
    (job,) = service.store.jobs(limit=1)

    def fail(*_arguments: object, **_values: object) -> None:
        raise StoreUnavailableError("the job store does not answer, try again later")

    for name in ("by_token", "counts", "submit", "user_of_key"):
        monkeypatch.setattr(JobStore, name, fail)
    assert service.execute(GOOD).status_code == 503
    closed = Client(make_application(replace(service.settings, access="keys"), []))
    for client, path in (
        (service.client, f"/outputs/pywps-{job.token}.xml"),
        (service.client, f"/outputs/{job.token}/picture.tif"),
        (service.client, "/metrics"),
        (service.client, "/health"),
        (closed, "/wps"),
    ):
        response = client.get(path, headers={"X-API-Key": "x" * 43})
        assert response.status_code == 503
        assert b"the job store does not answer" in response.data
    assert "Traceback" not in caplog.text


def test_errors_of_the_database_hide_what_was_looked_for(service: Service) -> None:
    secret = "0f" * 16
    with (
        pytest.raises(StoreUnavailableError) as caught,
        service.store._database.reading() as connection,
    ):
        connection.execute(sql("SELECT :token FROM nothing, ,"), {"token": secret})
    assert secret not in str(caught.value.__cause__)


def test_descriptions_are_not_remembered_without_end(service: Service) -> None:
    ask = "/wps?service=WPS&version=1.0.0&request=DescribeProcess&identifier="
    wps_service = service.client.application
    while not hasattr(wps_service, "service"):
        wps_service = wps_service._application
    for number in range(100):
        assert service.client.get(f"{ask}fake{',fake' * number}").status_code == 200
        service.client.get(f"{ask}all,{number}")
    assert len(wps_service.service._documents) < 10


@dataclass(frozen=True)
class Guarded:
    """A real server with keys."""

    settings: Settings
    configuration: Path
    key: str

    def connect(self) -> socket.socket:
        host, _, port = self.settings.listen_address.partition(":")
        return socket.create_connection((host, int(port)), timeout=30.0)

    def say(self, request: bytes) -> bytes:
        """Send bytes and return what comes until the server closes the connection."""
        with closing(self.connect()) as connection:
            connection.sendall(request)
            return read_all(connection)

    def get(self, path: str, **headers: str) -> bytes:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(f"{self.settings.base_url}{path}", headers=names)
        with urlopen(request, timeout=30) as found:
            return bytes(found.read())

    @property
    def log(self) -> str:
        return (self.settings.state_folder / "server.log").read_text(errors="replace")

    def events(self, text: str) -> list[dict[str, Any]]:
        """Return what the log tells of one kind; every line of it is a JSON object."""
        told = map(json.loads, self.log.splitlines())
        return [one for one in told if one["event"] == text]


def read_all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:  # what was sent meanwhile was not read
        pass
    return found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    configuration = make_configuration(
        tmp_path_factory.mktemp("guarded"),
        listen_address=free_address(),
        process_modules="tests.processes.own_processes",
        access="keys",
    )
    settings = read_settings([configuration])
    with closing(open_store(settings)) as store:
        key = store.create_key("ann", now=time.time())
    with background_server(configuration):
        yield Guarded(settings, configuration, key)


def drip(connection: socket.socket) -> bytes:
    """Send a byte now and then until the server closes the connection."""
    found = b""
    connection.settimeout(0.5)
    for _ in range(120):
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            with suppress(OSError):
                connection.sendall(b" ")
        except ConnectionResetError:
            return found
        else:
            found += piece
            if not piece:
                return found
    raise AssertionError("the connection stays open")


def test_requests_that_drip_are_cut_off(guarded: Guarded) -> None:
    """Longer than any time between two bytes, shorter than the requests would take."""
    head = b"POST /wps HTTP/1.1\r\nHost: a\r\n"
    with closing(guarded.connect()) as first, closing(guarded.connect()) as second:
        first.sendall(head + b"Content-Length: 1000\r\n\r\n<a")
        second.sendall(head + b"X-Slow: ")
        with ThreadPoolExecutor(2) as pool:
            body, nothing = pool.map(drip, (first, second))
    assert body.startswith(b"HTTP/1.1 408 ")
    assert nothing == b""
    told = [(one["code"], one["reason"]) for one in guarded.events("refused")]
    assert (408, "a body must arrive within 10 s") in told


def test_a_body_that_ends_early_is_refused(guarded: Guarded) -> None:
    with closing(guarded.connect()) as connection:
        connection.sendall(b"POST /wps HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n<a")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")


def test_chunks_are_refused_and_not_read(guarded: Guarded) -> None:
    head = b"POST /wps HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    sent = 0
    with closing(guarded.connect()) as connection:
        connection.sendall(head)
        try:
            for _ in range(100):
                connection.sendall(chunk)
                sent += len(chunk)
        except OSError:  # closed by the server
            pass
    assert sent < 50e6
    told = [one["reason"] for one in guarded.events("refused") if one["code"] == 411]
    assert "give Content-Length, bodies in chunks are not read" in told


@pytest.mark.parametrize(
    "head",
    [
        b"X-Long: " + b"x" * 20_000,
        b"\r\n".join(b"X-%d: x" % number for number in range(200)),
        b"X-API-Key : x",
        b"Content-Length: -1",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Content-Length: 1\r\nTransfer-Encoding: chunked",
    ],
)
def test_odd_heads_are_refused(guarded: Guarded, head: bytes) -> None:
    request = b"GET /wps?service=WPS&request=GetCapabilities HTTP/1.1\r\nHost: a\r\n"
    answer = guarded.say(request + head + b"\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 4")


def test_no_secret_is_told(guarded: Guarded) -> None:
    """A key sent in every way, and the address of a job, stand in no log and in no process list."""
    key = guarded.key
    basic = base64.b64encode(f"ann:{key}".encode()).decode()
    ask = "/wps?service=WPS&request=GetCapabilities"
    for headers in ({"X_API_Key": key}, {"Authorization": f"Basic {basic}"}):
        assert b"Capabilities" in guarded.get(ask, **headers)
    accepted = guarded.get(
        f"/key/{key}{EXECUTE}&identifier=tiny&lineage=true&datainputs=seconds=0.5"
    )
    for request in (
        f"GET /key/{key} HTTP/1.1\r\nHost: a\r\nConnection: close",
        f"GET /KEY/{key}/wps?key={key} HTTP/1.1\r\nHost: a\r\nConnection: close",
        f"GET /key/{key}/wps HTTP/9.9",
        f"G(T /key/{key}/wps HTTP/1.1",
        f"GET /key/{key}/wps more HTTP/1.1",
        f"GET / HTTP/1.1\r\nX-API-Key: {key}\0",
        f"GET / HTTP/1.1\r\nAuthorization : Basic {basic}",
        f"GET / HTTP/1.1\r\n{key}",
    ):
        assert guarded.say(f"{request}\r\n\r\n".encode()).startswith(b"HTTP/1.1 4")
    path = urlsplit(etree.fromstring(accepted).get("statusLocation")).path
    status = b""

    def succeeded() -> bool:
        nonlocal status
        status = guarded.get(path)
        return b"ProcessSucceeded" in status

    wait_for(succeeded, pause=0.2)
    token = path.removeprefix("/outputs/pywps-").removesuffix(".xml")
    state = guarded.settings.state_folder
    wait_for(lambda: any((state / "logs").glob("*")))  # kept once the job has been told as ended
    logs = [guarded.log, *(file.read_text() for file in (state / "logs").glob("*"))]
    commands = [
        Path(f"/proc/{number}/{name}").read_bytes().decode(errors="replace")
        for number in processes_of(guarded.configuration)
        for name in ("cmdline", "environ")
    ]
    assert len(commands) > 4
    shown = [*logs, *commands]
    assert not any(token in text for text in shown)
    for text in (*shown, status.decode(), accepted.decode()):
        assert key not in text
        assert basic not in text
    asked = [
        one
        for one in guarded.events("request")
        if one["path"] == f"/outputs/pywps-{token[:4]}....xml"
    ]
    (job,) = {one["job"] for one in asked}
    assert {one["status"] for one in asked} == {200}
    assert [one["user"] for one in guarded.events("job accepted") if one["job"] == job] == ["ann"]
    (over,) = [one for one in guarded.events("attempt over") if one["job"] == job]
    assert over["state"] == "succeeded"


def test_secrets_in_a_text_are_cut() -> None:
    assert without_secrets(f"/key/{'k' * 43}/wps") == "/key/.../wps"
    assert without_secrets(f"a/{'0F' * 16}-x") == "a/0F0F...-x"
    assert without_secrets("/wps/keyring") == "/wps/keyring"
