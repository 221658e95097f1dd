"""Requests for the bytes of files: redirects, credentials, refusals."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

import requests
import urllib3

from catalog.aside import aside
from catalog.errors import (
    AccessError,
    AnswerError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.model import Source
from catalog.retries import RETRIED, Patience, asked_wait_s
from catalog.wording import host_of, one_line, split_address, told_text

_TEXT_BYTES = 4096
_MOST_REDIRECTS = 8
_DEFAULT_PORTS = {"http": 80, "https": 443}
_QUOTA = 420
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How to speak to servers.

    Attributes
    ----------
    connect_timeout_s, read_timeout_s : float
        Until a connection stands, and between two pieces of an answer [s].
    minimum_speed : float
        [bytes/s] over each `speed_window_s`; slower answers are given up and taken up again.
    speed_window_s : float
        [s].
    largest_speed : float or None
        Of all downloads of one `Downloader` together [bytes/s].
    patience : Patience
        With failures.
    ca_bundle : Path or None
        Certificates to trust where a source names none; None takes those of requests. TLS is
        always checked.
    proxies : mapping of str to str
        By scheme; those of the environment where empty.
    connections_folder : Path or None
        Where processes share limits of connections; None: between threads only.
    """

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    minimum_speed: float = 1_000.0
    speed_window_s: float = 30.0
    largest_speed: float | None = None
    patience: Patience = field(default_factory=Patience)
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    connections_folder: Path | None = None

    def __post_init__(self) -> None:
        if self.ca_bundle is not None and not self.ca_bundle.exists():
            raise QueryError("ca_bundle", "a file or folder of certificates", self.ca_bundle.name)
        if self.largest_speed is not None and not self.largest_speed > 0.0:
            raise QueryError("speed", "larger than 0", self.largest_speed)


class OnTape(NamedTuple):
    """The provider brings the product from tape; it asks to come back after `wait_s` [s]."""

    wait_s: float | None


class Answer(NamedTuple):
    """An answer, and the headers with credentials that it was asked for with."""

    response: requests.Response
    sent: Mapping[str, str]


class InterruptedTransferError(Exception):
    """Something that may pass: the connection broke, or the server asks for patience."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason, wait_s)
        self.reason = reason
        self.wait_s = wait_s


class _WithoutQueries(logging.Filter):
    """Cuts what follows the question mark of an address, where signed addresses hold their key."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, shortened."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                word.partition("?")[0] if isinstance(word, str) else word for word in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())


def new_session() -> requests.Session:
    """Make a session that knows no credentials by itself, neither .netrc nor addresses."""
    session = requests.Session()
    session.auth = lambda request: request
    return session


def request_bytes(
    session: requests.Session,
    source: Source,
    network: Network,
    headers: Mapping[str, str],
    cancel: threading.Event,
) -> Answer:
    """Ask for a file, through redirects; credentials go to the host they are for only.

    Parameters
    ----------
    session : requests.Session
        Of `new_session`.
    source : Source
        Where it is.
    network : Network
        How to speak.
    headers : mapping of str to str
        Beside those of the credentials.
    cancel : threading.Event
        Ends the wait for an answer.

    Returns
    -------
    Answer
        Not read yet: 200, 202, 206 or 416; to be closed.

    Raises
    ------
    InterruptedTransferError
        It may work later.
    AccessError, NotFoundError, AnswerError
        It will not.
    CancelledError
        `cancel` was set.
    """
    answer = _follow(session, source, network, headers, cancel)
    # where nothing was sent, another host says so
    refused = answer.response.status_code == 401 and bool(answer.sent)
    if refused and source.credentials is not None and source.credentials.refuse():
        answer.response.close()
        answer = _follow(session, source, network, headers, cancel)
    if answer.response.status_code in (200, 202, 206, 416):
        return answer
    with answer.response as response:
        raise _refusal(response, source, answer.sent)


def _follow(
    session: requests.Session,
    source: Source,
    network: Network,
    headers: Mapping[str, str],
    cancel: threading.Event,
) -> Answer:
    address = source.address
    for _ in range(_MOST_REDIRECTS):
        secret: Mapping[str, str] = {}
        if source.credentials is not None and _same_place(source.address, address):
            secret = aside(source.credentials.headers, cancel)  # may have to fetch a token
        every = {**headers, **secret}
        response = _get(session, source, address, network, headers=every, cancel=cancel)
        if not response.is_redirect:
            return Answer(response, secret)
        response.close()
        target = _redirected(address, response.headers["Location"])
        schemes = split_address(address).scheme, split_address(target).scheme
        if schemes[1] not in _DEFAULT_PORTS or schemes == ("https", "http"):
            raise AnswerError(one_line(f"{host_of(address)} leads to where nothing is protected"))
        address = target
    raise AnswerError(f"{one_line(host_of(source.address))} leads in circles")


def _redirected(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError:
        raise AnswerError(one_line(f"{host_of(address)} leads to no address")) from None


def _same_place(first: str, second: str) -> bool:
    places = [
        (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))
        for parts in (split_address(first), split_address(second))
    ]
    return places[0] == places[1]


def _get(
    session: requests.Session,
    source: Source,
    address: str,
    network: Network,
    *,
    headers: Mapping[str, str],
    cancel: threading.Event,
) -> requests.Response:
    host = one_line(host_of(address))
    timeouts = (network.connect_timeout_s, network.read_timeout_s)
    bundle = source.ca_bundle or network.ca_bundle

    def ask() -> requests.Response:
        return session.get(
            address,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=timeouts,
            verify=str(bundle) if bundle else True,
            proxies=dict(network.proxies),
        )

    try:
        return aside(ask, cancel, seconds=sum(timeouts), unwanted=requests.Response.close)
    # from None: what these say of themselves holds the address, and with it what may be secret
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise UnreachableError(f"the certificate of {host} is not trusted") from None
        raise InterruptedTransferError(f"no protected connection with {host}") from None
    except requests.exceptions.ProxyError:
        raise InterruptedTransferError(f"the proxy does not lead to {host}") from None
    except requests.exceptions.ConnectTimeout:
        wait = f"{network.connect_timeout_s:g}"
        raise InterruptedTransferError(f"no connection with {host} in {wait} s") from None
    except (requests.exceptions.Timeout, TimeoutError):
        wait = f"{network.read_timeout_s:g}"
        raise InterruptedTransferError(f"no answer from {host} in {wait} s") from None
    except requests.exceptions.ConnectionError:
        raise InterruptedTransferError(f"no connection with {host}") from None
    except (requests.exceptions.InvalidHeader, UnicodeError):
        raise AccessError(f"no header can hold the credentials for {host}") from None
    except ValueError:
        raise AnswerError(f"there is no such address as the one at {host}") from None
    except (requests.RequestException, OSError):
        raise InterruptedTransferError(f"the connection with {host} broke off") from None


def _refusal(response: requests.Response, source: Source, sent: Mapping[str, str]) -> Exception:
    status, host = response.status_code, one_line(host_of(source.address))
    said = told_text(beginning(response), sent)
    says = f"{host} says {status}" + (f": {said}" if said else "")
    if status == _QUOTA:
        return AccessError(f"the quota is used up, {says}")
    if status in (401, 403):
        return AccessError(f"no access, {says}")
    if status in _GONE:
        # "moved" is about the product, whoever asks
        if source.not_found_means_access and "moved" not in said:
            return AccessError(f"no such product or wrong credentials, {says}")
        return NotFoundError(f"no such product, {says}")
    if status in RETRIED or status >= 500:
        return InterruptedTransferError(says, _asked(response, source))
    return AnswerError(f"an unexpected answer, {says}")


def _asked(response: requests.Response, source: Source) -> float | None:
    asked = response.headers.get("Retry-After")
    return asked_wait_s(asked, unit_s=source.retry_after_unit_s)


def beginning(response: requests.Response) -> bytes:
    """Read once from a text that may never end."""
    try:
        return response.raw.read1(_TEXT_BYTES, decode_content=True) or b""
    except (urllib3.exceptions.HTTPError, OSError):
        return b""


def on_tape(response: requests.Response, source: Source) -> OnTape | None:
    """Read whether an answer says that the product is on its way from tape.

    Parameters
    ----------
    response : requests.Response
        Of `request_bytes`.
    source : Source
        What was asked for.

    Returns
    -------
    OnTape or None
        None where the bytes follow.
    """
    return OnTape(_asked(response, source)) if response.status_code == 202 else None
