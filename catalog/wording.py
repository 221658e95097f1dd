"""Words of others, made fit for one line of ours."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from catalog.errors import AnswerError

_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_MESSAGE = re.compile(r'"(?:ErrorMessage|message|detail|description|error)"\s*:\s*"([^"]*)"')
_OTHER = re.compile(r"[^A-Za-z0-9.:!?=,;\-_/ ]+")
_MOST = 200
_SHORTEST_SECRET = 4


def one_line(text: str) -> str:
    """Keep the characters that every protocol repeats unchanged; 200 of them at most."""
    return " ".join(_OTHER.sub(" ", text).split())[:_MOST]


def told_text(body: bytes, secrets: Mapping[str, str]) -> str:
    """Read what a server says in the text of a refusal.

    Parameters
    ----------
    body : bytes
        Its beginning: plain, HTML, XML or JSON.
    secrets : mapping of str to str
        Headers that were sent, which a server may repeat and we do not.

    Returns
    -------
    str
        One line; empty where there is nothing to read.
    """
    text = body.decode("utf-8", "replace")
    for secret in sorted(_secret_words(secrets), key=len, reverse=True):
        text = text.replace(secret, "...")
    found = _MESSAGE.search(text)
    return one_line(found[1] if found else _TAGS.sub(" ", text))


def _secret_words(headers: Mapping[str, str]) -> set[str]:
    words = set()
    for value in headers.values():
        scheme, _, rest = value.partition(" ")
        words |= {value, rest}
        if scheme.lower() == "basic":
            try:
                plain = base64.b64decode(rest, validate=True).decode("utf-8", "replace")
            except binascii.Error:
                continue
            words |= {plain, plain.partition(":")[2]}
    return {word for word in words if len(word) >= _SHORTEST_SECRET}


def host_of(address: str) -> str:
    """Name host and port of an address, without the user it may name; AnswerError for none."""
    return unquote(split_address(address).netloc.rpartition("@")[2])


def split_address(address: str) -> SplitResult:
    """Split an address that a server gave; AnswerError where it is none."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # is read, and refused, here only
    except ValueError:
        raise AnswerError(f"there is no such address as {one_line(address)[:60]}") from None
    return parts
