"""Ends of jobs are told to whom the operator allows, and to nobody else."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kernels.errors import RequestError
from processes.jobs import notify
from processes.jobs.model import Job, JobState
from processes.jobs.notify import Notifier, check_notify
from processes.settings import Settings
from tests.processes.jobs.places import fake_request, wait_for

ALLOWED = Settings(notify_hosts=("127.0.0.1", "hooks.example.org"))
MAILING = Settings(smtp_server="127.0.0.1:25", smtp_sender="server@example.org")


@dataclass
class Hook:
    """A web hook that answers with these codes, the last one for ever."""

    codes: list[int]
    got: list[dict[str, object]] = field(default_factory=list)
    url: str = ""


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

    monkeypatch.setattr(notify, "TRY_PAUSE", 0.01)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def ended_job(*notify: str, title: str = "") -> Job:
    request = dataclasses.replace(fake_request("good"), notify=notify, title=title)
    return Job(id="1" * 32, token="2" * 32, request=request, state=JobState.SUCCEEDED, created=0.0)


def tell(settings: Settings, job: Job) -> None:
    notifier = Notifier(settings)
    notifier.tell(job)
    notifier.close()


def test_a_hook_gets_identifier_state_and_title(hook: Hook) -> None:
    tell(ALLOWED, ended_job(f"{hook.url}/end?key=1", title="Mexico"))
    assert hook.got == [{"id": "1" * 32, "state": "succeeded", "title": "Mexico"}]


def test_a_hook_that_stumbles_is_tried_three_times(hook: Hook) -> None:
    hook.codes = [500, 503, 204]
    tell(ALLOWED, ended_job(hook.url))
    assert len(hook.got) == 3
    hook.codes = [500]
    tell(ALLOWED, ended_job(hook.url))
    assert len(hook.got) == 6


def test_a_redirection_is_not_followed(hook: Hook) -> None:
    hook.codes = [307]
    tell(ALLOWED, ended_job(hook.url))
    assert len(hook.got) == 1


def test_a_host_that_is_not_allowed_is_not_told(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        tell(Settings(notify_hosts=("hooks.example.org",)), ended_job(f"{hook.url}/?key=secret"))
    assert hook.got == []
    (record,) = caplog.records
    assert record.message == "not told"
    assert "secret" not in str(vars(record))


@pytest.mark.parametrize(
    "address",
    [
        "http://elsewhere.example.org/",
        "http://hooks.example.org.evil.example/",
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
    ["mailto:", "mailto:me", "mailto:a@b.org,c@d.org", "mailto:a@b.org?bcc=c@d.org",
     "mailto:a%0aBcc:c@d.org@b.org", "mailto:a b@c.org"],
)  # fmt: skip
def test_a_mail_goes_to_one_plain_address(address: str) -> None:
    assert check_notify("mailto:jane.doe+jobs@example.org", MAILING)
    with pytest.raises(RequestError, match="notify must be one mail address"):
        check_notify(address, MAILING)


def test_a_mail_says_once_how_the_job_ended() -> None:
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_take_mail, args=(server, lines))
        thread.start()
        port = server.getsockname()[1]
        settings = dataclasses.replace(MAILING, smtp_server=f"127.0.0.1:{port}")
        tell(settings, ended_job("mailto:jane@example.org", title="Mexico\r\nBcc: x@example.org"))
        thread.join()
    recipients = [line for line in lines if line.lower().startswith("rcpt")]
    assert [line.partition(":")[2] for line in recipients] == ["<jane@example.org>"]
    assert "Subject: Mexico Bcc: x@example.org: succeeded" in lines


def _take_mail(server: socket.socket, lines: list[str]) -> None:
    """Speak as much SMTP (RFC 5321) as a client needs to hand over a mail, and part rudely."""
    connection, _ = server.accept()
    with connection, connection.makefile("r", newline="\r\n", encoding="utf-8") as file:
        connection.sendall(b"220 here\r\n")
        in_text = False
        for line in map(str.rstrip, file):
            lines.append(line)
            if in_text and line != ".":
                continue
            in_text = line.upper() == "DATA"
            connection.sendall(b"354 go\r\n" if in_text else b"250 fine\r\n")
            if line.upper() == "QUIT":
                return


def test_nobody_waits_for_a_hook_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", 0.05)
    monkeypatch.setattr(notify, "TRY_PAUSE", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        notifier = Notifier(ALLOWED)
        for _ in range(3):
            notifier.tell(ended_job(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        waiting = notifier._waiting
        wait_for(waiting.empty)
        notifier.close()
    assert not notifier._thread.is_alive()
