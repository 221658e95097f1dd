"""One transfer of a file: from its address into the part on disk."""

from __future__ import annotations

import re
import threading

import requests
import urllib3

from catalog.errors import AnswerError, CatalogError, IntegrityError
from catalog.model import Source
from catalog.partial import PartialFile
from catalog.progress import Meter, pause
from catalog.requesting import (
    Answer,
    InterruptedTransferError,
    Network,
    OnTape,
    beginning,
    on_tape,
    request_bytes,
)
from catalog.watch import Watch
from catalog.wording import host_of, one_line, told_text

_CHUNK = 256 * 1024
_TEXTS = re.compile(r"text/.*|application/(json|.*\+json|xml|.*\+xml|xhtml)")
_TEXT_SUFFIXES = frozenset({".eof", ".xml", ".json", ".geojson", ".html", ".txt", ".csv"})


class BadBodyError(Exception):
    """An answer that is not the file; `final` is raised when it stays so."""

    def __init__(self, reason: str, final: type[CatalogError] = IntegrityError) -> None:
        super().__init__(reason, final)
        self.reason = reason
        self.final = final


def receive(
    session: requests.Session,
    source: Source,
    part: PartialFile,
    network: Network,
    *,
    cancel: threading.Event,
    meter: Meter,
) -> OnTape | None:
    """Ask for what is missing of a file and add what comes.

    Parameters
    ----------
    session : requests.Session
        Of `new_session`.
    source : Source
        Where it is.
    part : PartialFile
        What there is of it.
    network : Network
        How to speak.
    cancel : threading.Event
        Stops it.
    meter : Meter
        Is told of what comes, and may hold it back.

    Returns
    -------
    OnTape or None
        None when all bytes came.

    Raises
    ------
    InterruptedTransferError, BadBodyError
        It may work later.
    CatalogError
        It will not.
    """
    headers = {"Accept-Encoding": "identity", "User-Agent": "fournaise"}
    if part.digits is None and part.suffix != ".zip" and not part.tag:
        part.start_over()  # nobody would notice the halves of two versions
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
        if part.tag:
            headers["If-Range"] = part.tag
    answer = request_bytes(session, source, network, headers, cancel)
    with answer.response as response:
        if (later := on_tape(response, source)) is not None:
            return later
        _refuse_text(answer, source, part.suffix)
        encoded = _line_up(response, part)
        try:
            _take_body(response, source, part, network, cancel=cancel, meter=meter, encoded=encoded)
        except InterruptedTransferError:
            if encoded:  # a range is of the encoded bytes
                part.start_over()
            raise
    return None


def _refuse_text(answer: Answer, source: Source, suffix: str) -> None:
    response = answer.response
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    expected = suffix in _TEXT_SUFFIXES or response.status_code == 416
    if expected or not _TEXTS.fullmatch(kind):
        return
    said = told_text(beginning(response), answer.sent)
    host = one_line(host_of(source.address))
    raise BadBodyError(f"{host} sent a text instead of the product: {said}", AnswerError)


def _line_up(response: requests.Response, part: PartialFile) -> bool:
    """Let the part end where the answer begins; return whether the answer is encoded."""
    encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    told = re.match(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status_code == 416:
        if told is not None and told[2] == str(part.length):
            return False
        part.start_over()
        raise InterruptedTransferError("the server has no such part of the file", 0.0)
    if response.status_code == 206:
        if encoded or told is None or told[1] != str(part.length):
            part.start_over()
            raise InterruptedTransferError("the server sent another part than asked for", 0.0)
    elif part.length:
        part.start_over()
    tag = response.headers.get("ETag", "")
    part.tag = "" if tag.startswith("W/") or encoded else tag
    return encoded


def _take_body(
    response: requests.Response,
    source: Source,
    part: PartialFile,
    network: Network,
    *,
    cancel: threading.Event,
    meter: Meter,
    encoded: bool,
) -> None:
    if response.status_code == 416:
        return
    raw, began = response.raw, part.length
    told = response.headers.get("Content-Length", "")
    length = int(told) if told.isdecimal() and not encoded else None
    if source.size is not None and length is not None and began + length != source.size:
        raise BadBodyError(f"the server has {began + length} bytes, not {source.size}")
    if meter.total is None and length is not None:
        meter.total = began + length
    host = one_line(host_of(source.address))
    with Watch(
        raw, cancel, minimum_speed=network.minimum_speed, window_s=network.speed_window_s
    ) as watch:
        try:
            while (piece := raw.read1(_CHUNK, decode_content=encoded)) and not watch.ended:
                part.write(piece)
                watch.count(len(piece))
                meter.count(len(piece), part.length)
                if source.size is not None and part.length > source.size:
                    raise BadBodyError(f"more than {source.size} bytes arrived")
        except (urllib3.exceptions.HTTPError, OSError):
            pass  # how much is missing is told below
        else:
            if length is None and not watch.ended:
                return
    pause(cancel)
    if watch.too_slow:
        raise InterruptedTransferError(f"{host} sends too slowly")
    if length is None or part.length - began < length:
        raise InterruptedTransferError(f"the connection with {host} broke off")
