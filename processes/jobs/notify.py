"""Who is told that a job has ended: mail, and hosts that the operator allows."""

from __future__ import annotations

import logging
import queue
import re
import smtplib
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from functools import partial
from urllib.parse import unquote, urlsplit

import requests

from kernels.errors import ProcessingError, RequestError
from processes.jobs.log import event
from processes.jobs.model import Job
from processes.settings import Settings

TIMEOUT = 5.0
"""Of one connection [s]."""
TRIES = 3
TRY_PAUSE = 2.0
"""Before another try [s]."""
CLOSE_TIMEOUT = 3.0
"""What is still to be told when a worker stops has this long [s]."""
LOGGER = logging.getLogger(__name__)
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


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
    except ValueError as error:
        raise RequestError("notify", "a mailto, http or https address", address) from error
    if parts.scheme == "mailto":
        if not settings.smtp_server or not settings.smtp_sender:
            raise RequestError("notify", "an http address, this server sends no mail", address)
        if not _MAIL.fullmatch(unquote(parts.path)) or parts.query:
            raise RequestError("notify", "one mail address", address)
        return address
    if parts.scheme not in {"http", "https"}:
        raise RequestError("notify", "a mailto, http or https address", address)
    allowed = {host.lower() for host in settings.notify_hosts}
    if parts.hostname not in allowed or parts.username is not None:
        raise RequestError("notify", "on a host that this server may tell", parts.hostname)
    return address


class Notifier:
    """Tells the ends of jobs from a thread of its own, so that nobody waits.

    Parameters
    ----------
    settings : Settings
        The operator's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._waiting: queue.SimpleQueue[tuple[str, Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def tell(self, job: Job) -> None:
        """Have everybody told who wanted to know the end of a job."""
        for address in job.request.notify:
            self._waiting.put((address, job))

    def close(self) -> None:
        """Tell what is still to be told, for a few seconds."""
        self._waiting.put(None)
        self._thread.join(CLOSE_TIMEOUT)

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            address, job = item
            try:
                check_notify(address, self.settings)
                _try(partial(self._send, address, job))
            except (RequestError, ProcessingError) as error:
                event(LOGGER, "not told", job=job.id, reason=str(error))
            else:
                event(LOGGER, "told", job=job.id, kind=urlsplit(address).scheme)

    def _send(self, address: str, job: Job) -> None:
        parts = urlsplit(address)
        title = job.request.title or job.request.process
        if parts.scheme == "mailto":
            self._mail(unquote(parts.path), title, job)
            return
        record = {"id": job.id, "state": job.state.value, "title": title}
        # a redirection would lead to hosts that nobody allowed
        with requests.post(
            address, json=record, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            answer.raise_for_status()

    def _mail(self, recipient: str, title: str, job: Job) -> None:
        message = EmailMessage()
        message["From"] = self.settings.smtp_sender
        message["To"] = recipient
        message["Subject"] = " ".join(f"{title}: {job.state.value}".split())
        message.set_content(f"Job {job.id} {job.state.value}. {job.message}\n")
        server = smtplib.SMTP(self.settings.smtp_server, timeout=TIMEOUT)
        try:
            server.send_message(message)
        finally:
            with suppress(smtplib.SMTPException, OSError):  # the mail is not sent again for that
                server.quit()


def _try(send: Callable[[], None]) -> None:
    for count in range(TRIES):
        try:
            send()
        except (requests.RequestException, smtplib.SMTPException, OSError) as error:
            failure = type(error).__name__  # its text may hold the address, which may be a secret
            time.sleep(TRY_PAUSE if count < TRIES - 1 else 0.0)
        else:
            return
    raise ProcessingError(f"{TRIES} tries failed, the last with {failure}")
