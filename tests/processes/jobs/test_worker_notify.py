"""Ends of jobs are told to whom the operator allows, and to nobody else."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kernels.errors import RequestError
from processes.jobs import notify
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.model import JobState, Limits, Notice
from processes.jobs.notify import Notifier, check_notify
from processes.jobs.store import JobStore
from processes.settings import SMTP_PASSWORD, Settings
from tests.processes.jobs.places import fake_request, wait_for

ALLOWED = Settings(notify_hosts=("hooks.example.org", "ports.example.org:8080"))
MAILING = Settings(smtp_server="127.0.0.1:25", smtp_sender="Fournaise <server@example.org>")
PASSWORD = "correct horse"


@dataclass
class Hook:
    """A web hook that answers with these codes, the last one for ever."""

    codes: list[int]
    got: list[dict[str, object]] = field(default_factory=list)
    url: str = ""

    @property
    def allowed(self) -> Settings:
        return Settings(notify_hosts=(self.url.removeprefix("http://"),))


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    found = Hook([200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            code = found.codes.pop(0) if len(found.codes) > 1 else found.codes[0]
            self.send_response(code)
            self.send_header("Location", f"{found.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(notify, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(notify, "LOOK_INTERVAL", 0.01)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    found = JobStore(f"sqlite:///{tmp_path / 'queue.sqlite'}", Limits())
    found.migrate()
    yield found
    found.close()


def end_job(store: JobStore, *notify: str, title: str = "") -> str:
    request = dataclasses.replace(fake_request("good"), notify=notify, title=title)
    store.submit(request, now=time.time())
    job = store.claim("w1", lease=60.0, now=time.time())
    assert job is not None
    assert store.finish(job.id, 1, JobState.SUCCEEDED, now=time.time())
    return job.id


def are_left(store: JobStore) -> bool:
    """Whether anybody is still to be told, some day."""
    return store.take_notice(now=time.time() + 1e9, lease=0.0) is not None


def tell(store: JobStore, settings: Settings, until: Callable[[], object] = lambda: True) -> None:
    notifier = Notifier(store, settings)
    wait_for(until)
    notifier.close()


def test_a_hook_gets_identifier_state_and_title(store: JobStore, hook: Hook) -> None:
    job = end_job(store, f"{hook.url}/end?key=1", title="Mexico")
    tell(store, hook.allowed)
    assert hook.got == [{"id": job, "state": "succeeded", "title": "Mexico"}]
    assert not are_left(store)


def test_a_hook_is_told_again_until_it_answers(store: JobStore, hook: Hook) -> None:
    hook.codes = [500, 503, 307, 204]  # a redirection is not followed
    end_job(store, hook.url)
    tell(store, hook.allowed, lambda: len(hook.got) == 4)
    assert not are_left(store)
    assert len(hook.got) == 4


def test_who_was_not_told_is_told_by_the_next_worker(store: JobStore, hook: Hook) -> None:
    hook.codes = [500]
    end_job(store, hook.url)
    tell(store, hook.allowed, lambda: hook.got)
    hook.codes, before = [204], len(hook.got)
    again = JobStore(store._database.url.render_as_string(), Limits())
    tell(again, hook.allowed, lambda: len(hook.got) == before + 1)
    again.close()
    assert not are_left(store)


def test_pauses_grow_until_it_is_given_up(
    store: JobStore, hook: Hook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "FIRST_PAUSE", 10.0)
    hook.codes = [500]
    notifier = Notifier(store, dataclasses.replace(hook.allowed, notify_hours=1))
    notifier.close()  # what follows is done by hand
    end_job(store, f"{hook.url}/?key=secret")
    begin = time.time()
    tried = []
    with caplog.at_level("INFO"):
        for seconds in range(0, 7200, 10):
            monkeypatch.setattr(time, "time", lambda now=begin + 1.0 + seconds: now)
            if notice := store.take_notice(now=time.time(), lease=notify.HOLD):
                tried.append(seconds)
                notifier._tell(notice)
    assert tried == [0, 10, 50, 210, 850, 3410]
    assert len(hook.got) == 6
    assert not are_left(store)
    assert [record.message for record in caplog.records] == ["told later"] * 5 + [
        "not told, given up"
    ]
    assert "HTTPError 500" in str(vars(caplog.records[-1]))
    assert "secret" not in str([vars(record) for record in caplog.records])


def test_a_host_that_is_not_allowed_any_more_is_not_told(
    store: JobStore, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    end_job(store, f"{hook.url}/?key=secret")
    with caplog.at_level("INFO"):
        tell(store, ALLOWED)
    assert hook.got == []
    (record,) = caplog.records
    assert record.message == "not told"
    assert "secret" not in str(vars(record))
    assert not are_left(store)


@pytest.mark.parametrize(
    "address",
    [
        "http://elsewhere.example.org/",
        "http://hooks.example.org.evil.example/",
        "http://hooks.example.org:8080/",
        "http://hooks.example.org:99999/",
        "http://ports.example.org/",
        "http://hooks.example.org@evil.example/",
        "http://user:word@hooks.example.org/",
        "https://[::1]/",
        "https://[::1/",
        "http:///path",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "mailto:me@example.org",
        "",
    ],
)
def test_addresses_that_may_not_be_told_are_refused(address: str) -> None:
    with pytest.raises(RequestError, match="notify must be"):
        check_notify(address, ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.org/x",
        "https://HOOKS.example.org:443/",
        "http://ports.example.org:8080",
    ],
)
def test_hosts_that_the_operator_names_may_be_told(address: str) -> None:
    assert check_notify(address, ALLOWED) == address


@pytest.mark.parametrize(
    "address",
    ["mailto:", "mailto:me", "mailto:a@b.org,c@d.org", "mailto:a@b.org?bcc=c@d.org",
     "mailto:a%0aBcc:c@d.org@b.org", "mailto:a b@c.org"],
)  # fmt: skip
def test_a_mail_goes_to_one_plain_address(address: str) -> None:
    assert check_notify("mailto:jane.doe+jobs@example.org", MAILING)
    with pytest.raises(RequestError, match="notify must be one mail address"):
        check_notify(address, MAILING)


@dataclass
class MailServer:
    """Takes one mail over one connection, and notes what it was told."""

    socket: socket.socket
    context: ssl.SSLContext | None = None
    at_once: bool = False
    lines: list[str] = field(default_factory=list)

    def take(self) -> None:
        """Speak as much SMTP (RFC 5321, 3207, 4954) as a client needs, and part rudely."""
        connection, _ = self.socket.accept()
        if self.at_once and self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        connection.sendall(b"220 here\r\n")
        while self._talk(connection) == "STARTTLS" and self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        connection.close()

    def _talk(self, connection: socket.socket) -> str:
        answers = {"EHLO": b"250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN", "DATA": b"354 go"}
        answers |= {"AUTH": b"235 welcome", "STARTTLS": b"220 go"}
        in_text = False
        with connection.makefile("r", newline="\r\n", encoding="utf-8") as file:
            for line in map(str.rstrip, file):
                self.lines.append(line)
                if in_text and line != ".":
                    continue
                word = line.upper().partition(" ")[0]
                in_text = word == "DATA"
                connection.sendall(answers.get(word, b"250 fine") + b"\r\n")
                if word in {"QUIT", "STARTTLS"}:
                    return word
        return ""


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield MailServer(listening)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a certificate of 127.0.0.1 that is believed in this test."""
    file = tmp_path / "certificate.pem"
    options = f"-x509 -newkey rsa:2048 -nodes -keyout {file} -out {tmp_path}/public.pem -days 2"
    subject = "-subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    try:
        subprocess.run(
            ["openssl", "req", *options.split(), *subject.split()], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    file.write_text(file.read_text() + (tmp_path / "public.pem").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "public.pem"))
    return file


def mail(store: JobStore, server: MailServer, **options: object) -> None:
    thread = threading.Thread(target=server.take)
    thread.start()
    address = f"127.0.0.1:{server.socket.getsockname()[1]}"
    tell(store, dataclasses.replace(MAILING, smtp_server=address, **options))
    thread.join()


def test_a_mail_says_once_how_the_job_ended(store: JobStore, mail_server: MailServer) -> None:
    job = end_job(store, "mailto:jane@example.org", title="Mexico\r\nBcc: x@example.org")
    mail(store, mail_server)
    recipients = [line for line in mail_server.lines if line.lower().startswith("rcpt")]
    assert [line.partition(":")[2] for line in recipients] == ["<jane@example.org>"]
    assert "Subject: Mexico Bcc: x@example.org: succeeded" in mail_server.lines
    assert f"Message-ID: <{job}.1@example.org>" in mail_server.lines
    assert not are_left(store)


@pytest.fixture
def secure_server(mail_server: MailServer, certificate: Path) -> MailServer:
    mail_server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    mail_server.context.load_cert_chain(certificate)
    return mail_server


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_login_is_encrypted_and_its_password_stays_secret(
    store: JobStore,
    secure_server: MailServer,
    security: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secure_server.at_once = security == "tls"
    options: dict[str, object] = {"smtp_security": security, "smtp_user": "ann"}
    if secure_server.at_once:
        options["smtp_password_file"] = file = store._database.file.with_name("password")
        file.write_text(f"{PASSWORD}\n")
    else:
        monkeypatch.setenv(SMTP_PASSWORD, PASSWORD)
    end_job(store, "mailto:jane@example.org")
    with caplog.at_level(logging.DEBUG):
        mail(store, secure_server, **options)
    login = base64.b64encode(f"\0ann\0{PASSWORD}".encode()).decode()
    words = [line.partition(" ")[0].upper() for line in secure_server.lines]
    assert f"AUTH PLAIN {login}" in secure_server.lines
    assert "MAIL" in words[words.index("AUTH") :]
    assert ("STARTTLS" in words[: words.index("AUTH")]) == (security == "starttls")
    assert not are_left(store)
    assert PASSWORD not in str([vars(record) for record in caplog.records])
    assert PASSWORD.encode() not in store._database.file.read_bytes()


def test_a_server_with_a_wrong_certificate_gets_no_password(
    store: JobStore,
    secure_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv(SMTP_PASSWORD, PASSWORD)
    monkeypatch.setattr(secure_server, "take", _suppressing_ssl(secure_server.take))
    end_job(store, "mailto:jane@example.org")
    with caplog.at_level("INFO"):
        mail(store, secure_server, smtp_security="starttls", smtp_user="ann")
    assert not any(line.startswith("AUTH") for line in secure_server.lines)
    assert [record.message for record in caplog.records] == ["told later"]
    assert are_left(store)


def _suppressing_ssl(take: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with suppress(ssl.SSLError, OSError):
            take()

    return run


def test_nobody_waits_for_a_hook_that_does_not_answer(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for _ in range(3):
            end_job(store, f"http://{address}/")
        notifier = Notifier(store, Settings(notify_hosts=(address,)))
        notifier.close()
    assert not notifier._thread.is_alive()
    assert are_left(store)


def test_a_store_that_does_not_answer_stops_no_notices(
    store: JobStore, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, failures = store.take_notice, [1, 1]

    def take_or_fail(*, now: float, lease: float) -> Notice | None:
        if failures:
            failures.pop()
            raise StoreUnavailableError("a test")
        return take(now=now, lease=lease)

    monkeypatch.setattr(store, "take_notice", take_or_fail)
    end_job(store, hook.url)
    tell(store, hook.allowed, lambda: hook.got)
    assert len(hook.got) == 1
