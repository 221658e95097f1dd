"""Access to providers: secrets from files, the environment or netrc, shown to nobody."""

from __future__ import annotations

import base64
import logging
import netrc
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from catalog.asking import Asker
from catalog.errors import AccessError, CatalogError, QueryError

_LOG = logging.getLogger(__name__)
_EARLY_S = 30.0
"""By which a token is refreshed before it expires [s]."""


class Login:
    """User and password; neither is shown."""

    __slots__ = ("password", "user")

    def __init__(self, user: str, password: str) -> None:
        self.user = user
        self.password = password

    def __repr__(self) -> str:
        return "Login(...)"


class BasicCredentials:
    """User and password with every request (RFC 7617)."""

    def __init__(self, login: Login) -> None:
        self._login = login

    def __repr__(self) -> str:
        return "BasicCredentials(...)"

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a request."""
        plain = f"{self._login.user}:{self._login.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(plain).decode()}"}

    def refuse(self) -> bool:
        """Say that a password stays the same."""
        return False


class KeyCredentials:
    """A key in a header of its own, or a lasting token as Bearer.

    Parameters
    ----------
    key : str
        The secret.
    header : str
        Its header.
    scheme : str
        Word before it.
    """

    def __init__(self, key: str, *, header: str = "X-API-Key", scheme: str = "") -> None:
        self._key = key
        self._header = header
        self._scheme = scheme

    def __repr__(self) -> str:
        return "KeyCredentials(...)"

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a request."""
        return {self._header: f"{self._scheme} {self._key}".strip()}

    def refuse(self) -> bool:
        """Say that a key stays the same."""
        return False


class TokenCredentials:
    """Short-lived tokens for user and password (OpenID Connect, as Keycloak serves it).

    Parameters
    ----------
    login : Login
        For the first token.
    address : str
        That tokens come from.
    client : str
        Name that the provider gave to programs like this one.
    asker : Asker
        Asks the address.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self,
        login: Login,
        *,
        address: str,
        client: str,
        asker: Asker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._login = login
        self._address = address
        self._client = client
        self._asker = asker
        self._clock = clock
        self._lock = threading.Lock()
        self._token = self._refresh_token = ""
        self._until = self._refresh_until = 0.0

    def __repr__(self) -> str:
        return "TokenCredentials(...)"

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a request; fetches or refreshes the token where needed."""
        with self._lock:
            if self._clock() >= self._until:
                self._renew()
            return {"Authorization": f"Bearer {self._token}"}

    def refuse(self) -> bool:
        """Forget the token; the next request gets another."""
        with self._lock:
            self._until = 0.0
        return True

    def _renew(self) -> None:
        if self._refresh_token and self._clock() < self._refresh_until:
            try:
                form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
                return self._fetch(form)
            except (AccessError, QueryError):  # it was withdrawn: begin anew
                self._refresh_token = ""
        login = {"username": self._login.user, "password": self._login.password}
        return self._fetch({"grant_type": "password", **login})

    def _fetch(self, form: Mapping[str, str]) -> None:
        try:
            answer = self._asker.post_form(self._address, {"client_id": self._client, **form})
        except QueryError as error:  # 400 invalid_grant
            raise AccessError("the provider of tokens refuses user and password") from error
        now = self._clock()
        self._token = str(answer.get("access_token", ""))
        self._refresh_token = str(answer.get("refresh_token", ""))
        self._until = now + _seconds(answer, "expires_in") - _EARLY_S
        self._refresh_until = now + _seconds(answer, "refresh_expires_in") - _EARLY_S
        if not self._token:
            raise AccessError("the provider of tokens sends none")


def _seconds(answer: Mapping[str, Any], name: str) -> float:
    value = answer.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def find_login(name: str, host: str, file: Path | None = None) -> Login | None:
    """Look for user and password of a provider.

    Parameters
    ----------
    name : str
        Of the catalogue; ``peps`` looks for FOURNAISE_PEPS_USER and FOURNAISE_PEPS_PASSWORD.
    host : str
        Looked up in netrc.
    file : Path, optional
        Text file with user and password in its first line, split at the first blank, as
        peps_download.py has it; the only place that is looked at where it is given.

    Returns
    -------
    Login or None
        None where there is none.

    Raises
    ------
    AccessError
        The file cannot be read or holds no two words.
    """
    if file is not None:
        user, _, password = _first_line(file).partition(" ")
        if not user or not password:
            raise AccessError(f"{file.name} must hold user and password, with a blank between them")
        return Login(user, password)
    user, password = _environment(name, "USER"), _environment(name, "PASSWORD")
    if user and password:
        return Login(user, password)
    found = _netrc(host)
    return Login(found[0], found[2]) if found and found[2] else None


def find_key(name: str, host: str, file: Path | None = None) -> str:
    """Look for the key of a provider; empty where there is none.

    Parameters
    ----------
    name : str
        Of the catalogue; ``geodes`` looks for FOURNAISE_GEODES_KEY.
    host : str
        Looked up in netrc, as a password.
    file : Path, optional
        Text file with the key in its first line.

    Returns
    -------
    str
        The key.

    Raises
    ------
    AccessError
        The file cannot be read or is empty.
    """
    if file is not None:
        key = _first_line(file)
        if not key:
            raise AccessError(f"{file.name} must hold a key in its first line")
        return key
    found = _netrc(host)
    return _environment(name, "KEY") or (found[2] if found else "")


def _environment(name: str, what: str) -> str:
    word = "".join(letter if letter.isalnum() else "_" for letter in name.upper())
    return os.environ.get(f"FOURNAISE_{word}_{what}", "")


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o077:
                _LOG.warning("%s can be read by others: chmod 600 would prevent it", file.name)
            return stream.readline().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"the credentials file {file.name} cannot be read") from error


def _netrc(host: str) -> tuple[str, str, str] | None:
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    if not host or not path.is_file():
        return None
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError) as error:
        # the parser's message may repeat a line of the file
        raise AccessError("the netrc file cannot be read") from _without_text(error)
    return None if found is None else (found[0], str(found[1]), found[2] or "")


def _without_text(error: Exception) -> CatalogError:
    return CatalogError(type(error).__name__)
