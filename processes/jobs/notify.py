"""Who is told that a job has ended: mail, and hosts that the operator allows.

Whom to tell stands in the store from the end of the job on, until it was told or given up: a worker
that is killed, or a host that does not answer, delays a notice and does not lose it. It is told
twice where the worker is killed in the moment after the first time.
"""

from __future__ import annotations

import logging
import os
import re
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

import requests

from kernels.errors import RequestError
from processes.jobs.errors import StoreUnavailableError
from processes.jobs.model import Notice
from processes.jobs.store import JobStore
from processes.log import event, warn_of
from processes.settings import SMTP_PASSWORD, Settings

TIMEOUT = 5.0
"""Of one step of a connection [s]."""
LOOK_INTERVAL = 2.0
"""Between two looks for notices whose time has come [s]."""
HOLD = 300.0
"""So long a notice is another worker's after that took it [s]; no try takes longer."""
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 3600.0
"""Before the second try, four times that before the third, and so on [s]."""
CLOSE_TIMEOUT = 3.0
"""What is still to be told when a worker stops has this long [s]; the next worker goes on."""
HOUR = 3600.0
LOGGER = logging.getLogger(__name__)
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PORTS = {"http": 80, "https": 443}
# what cannot be encoded, or is no host after all, is a ValueError
_FAILURES = (requests.RequestException, smtplib.SMTPException, OSError, ValueError)


def check_notify(address: str, settings: Settings) -> str:
    """Check an address that is to be told when a job ends.

    Parameters
    ----------
    address : str
        ``mailto:``, ``http:`` or ``https:``.
    settings : Settings
        Name the hosts that may be told, and the mail server.

    Returns
    -------
    str
        The same.

    Raises
    ------
    RequestError
        It may not be told.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise RequestError("notify", "a mailto, http or https address", address) from error
    if parts.scheme == "mailto":
        if not settings.smtp_server or not settings.smtp_sender:
            raise RequestError("notify", "an http address, this server sends no mail", address)
        if not _MAIL.fullmatch(unquote(parts.path)) or parts.query:
            raise RequestError("notify", "one mail address", address)
        return address
    if parts.scheme not in _PORTS:
        raise RequestError("notify", "a mailto, http or https address", address)
    allowed = {host.lower() for host in settings.notify_hosts}
    named = {f"{parts.hostname}:{port}"}
    if port == _PORTS[parts.scheme]:
        named.add(str(parts.hostname))
    if not named & allowed or parts.username is not None:
        raise RequestError("notify", "on a host that this server may tell", parts.hostname)
    return address


class Notifier:
    """Tells the ends of jobs from a thread of its own, so that nobody waits.

    Parameters
    ----------
    store : JobStore
        Knows whom to tell.
    settings : Settings
        The operator's.
    """

    def __init__(self, store: JobStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._ended = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Look at once whether there is anything to tell."""
        self._ended.set()

    def close(self) -> None:
        """Tell what is due, for a few seconds."""
        self._stopping = True
        self._ended.set()
        self._thread.join(CLOSE_TIMEOUT)

    def _work(self) -> None:
        while True:
            stopping = self._stopping
            self._ended.clear()
            try:
                while notice := self._store.take_notice(now=time.time(), lease=HOLD):
                    self._tell(notice)
            except StoreUnavailableError as error:
                warn_of(LOGGER, "notices wait for the store", error)
            if stopping:
                return
            if not self._stopping:
                self._ended.wait(LOOK_INTERVAL)

    def _tell(self, notice: Notice) -> None:
        told = {"job": notice.job, "tries": notice.tries}
        try:
            check_notify(notice.address, self._settings)
            self._send(notice)
        except RequestError as error:  # no longer allowed
            self._store.drop_notice(notice)
            event(LOGGER, "not told", **told, reason=str(error))
        except _FAILURES as error:
            due = time.time() + min(FIRST_PAUSE * 4 ** (notice.tries - 1), LONGEST_PAUSE)
            if due <= notice.created + self._settings.notify_hours * HOUR:
                self._store.put_notice_off(notice, due=due)
                event(LOGGER, "told later", **told, reason=_reason(error))
            else:
                self._store.drop_notice(notice)
                event(LOGGER, "not told, given up", **told, reason=_reason(error))
        else:
            self._store.drop_notice(notice)
            event(LOGGER, "told", **told, kind=urlsplit(notice.address).scheme)

    def _send(self, notice: Notice) -> None:
        parts = urlsplit(notice.address)
        if parts.scheme == "mailto":
            self._mail(unquote(parts.path), notice)
            return
        record = {"id": notice.job, "state": notice.state.value, "title": notice.title}
        # a redirection would lead to hosts that nobody allowed: whoever sends one was not told
        with requests.post(
            notice.address, json=record, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            if answer.status_code // 100 != 2:
                raise requests.HTTPError(response=answer)

    def _mail(self, recipient: str, notice: Notice) -> None:
        sender = self._settings.smtp_sender
        message = EmailMessage()
        message["From"] = sender
        message["To"] = recipient
        message["Subject"] = " ".join(f"{notice.title}: {notice.state.value}".split())
        message["Date"] = formatdate(notice.created)
        # the same in every try, so that a mail that came twice can be told
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{notice.job}.{notice.number}@{domain}>"
        message.set_content(f"Job {notice.job} {notice.state.value}. {notice.message}\n")
        with _mail_server(self._settings) as server:
            server.send_message(message)


@contextmanager
def _mail_server(settings: Settings) -> Iterator[smtplib.SMTP]:
    """Connect to the mail server, encrypted and logged in as the operator wants."""
    parts = urlsplit(f"//{settings.smtp_server}")
    host, port = parts.hostname or "", parts.port or 0
    context = ssl.create_default_context()
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, _password(settings))
        yield server
    finally:
        with suppress(smtplib.SMTPException, OSError):  # the mail is not sent again for that
            server.quit()


def _password(settings: Settings) -> str:
    if settings.smtp_password_file is not None:
        return settings.smtp_password_file.read_text(encoding="utf-8").strip()
    return os.environ.get(SMTP_PASSWORD, "")


def _reason(error: Exception) -> str:
    """Name a failure without its text, which may hold the address, which may be a secret."""
    answer = getattr(error, "response", None)
    code = getattr(error, "smtp_code", None) or getattr(answer, "status_code", None)
    return type(error).__name__ + (f" {code}" if code else "")
