"""Who may ask: keys in a header, as password or in the path; or a portal that knows its users."""

from __future__ import annotations

import base64
import binascii
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from processes.jobs.model import ANYBODY
from processes.log import event
from processes.users import USER_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOGGER = logging.getLogger(__name__)
PORTAL = "portal"
"""The user whose key lets a portal name others."""
_USER_NAME = re.compile(r"[!-~]{1,64}")
_KEY_PATH = re.compile(r"/key/([A-Za-z0-9_-]{16,128})(/.*)")
REMEMBER = 30.0
"""Time after which a key is looked up again [s]; a revoked one works so long."""
_MOST_REMEMBERED = 10_000
_WITHOUT_KEY = ("/outputs/", "/health")
"""Pages of jobs have addresses that are keys themselves."""


class Access:
    """Lets in who has a key and says who it is.

    Parameters
    ----------
    application : WSGI application
        Finds the user's name in the environment.
    find_user : callable or None
        ``find_user(key) -> name or None``; None: everybody may come in.
    user_header : str
        Header in which a portal in front names the user, for example X-Forwarded-User; empty:
        none is believed. Where there are keys, it is believed with that of the user ``portal``
        only.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        find_user: Callable[[str], str | None] | None,
        user_header: str = "",
    ) -> None:
        self._application = application
        self._find_user = find_user
        self._header = "HTTP_" + user_header.upper().replace("-", "_") if user_header else ""
        self._remembered: dict[str, tuple[str | None, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        key = _take_key(environ)
        user: str | None = ANYBODY
        if self._find_user is not None:
            user = self._user(key) if key else None
        if self._header and user in {ANYBODY, PORTAL}:
            name = environ.get(self._header, "").strip()
            user = name if _USER_NAME.fullmatch(name) else None
        if user is None and not environ["PATH_INFO"].startswith(_WITHOUT_KEY):
            event(LOGGER, "refused", code=401, reason="unknown key" if key else "no key or user")
            response = Response(
                "give a key: as X-API-Key, as the password of Basic credentials, or in the path\n",
                401,
                {"WWW-Authenticate": 'Basic realm="Fournaise", charset="UTF-8"'},
            )
            return response(environ, start_response)
        environ[USER_KEY] = user or ANYBODY
        return self._application(environ, start_response)

    def _user(self, key: str) -> str | None:
        now = time.monotonic()
        with self._lock:
            known = self._remembered.get(key)
        if known is not None and known[1] > now:
            return known[0]
        user = self._find_user(key) if self._find_user is not None else None
        with self._lock:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            if user is not None:  # what is no key is not remembered: there are too many of them
                self._remembered[key] = (user, now + REMEMBER)
        return user


def _take_key(environ: WSGIEnvironment) -> str:
    """Find the key of a request, and take it out of what is logged and handed on."""
    key = environ.pop("HTTP_X_API_KEY", "").strip()
    credentials = environ.pop("HTTP_AUTHORIZATION", "")
    path = _KEY_PATH.fullmatch(environ.get("PATH_INFO", ""))
    if path:
        environ["PATH_INFO"] = path[2]
        for name in ("RAW_URI", "REQUEST_URI"):
            environ.pop(name, None)
        key = key or path[1]
    return key or _password(credentials)


def _password(credentials: str) -> str:
    """Return the key in ``Basic user:key``, whatever the user's name, or in ``Bearer key``."""
    kind, _, value = credentials.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return text.partition(":")[2]
