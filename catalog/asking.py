"""Questions to catalogues over HTTP, answered in JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from catalog.errors import (
    AccessError,
    AnswerError,
    CatalogError,
    NotFoundError,
    QueryError,
    UnreachableError,
)
from catalog.retries import RETRIED, asked_wait_s
from catalog.wording import one_line, told_text

CONNECT_S, READ_S = 10.0, 60.0
_ATTEMPTS = 4
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
_ACCESS = frozenset({401, 402, 403, 407, 420})
_REFUSED_ARGUMENT = re.compile(r"Value for '(\w+)'")


class Asker:
    """Asks one catalogue.

    Parameters
    ----------
    name : str
        Of the catalogue, for errors.
    verify : bool or str
        Whether certificates are checked, or a file of authorities to check them against.
    proxy : str
        Address of a proxy; that of the environment where it is empty.
    wait : callable
        Waits so many seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        verify: bool | str = True,
        proxy: str = "",
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._wait = wait
        self._verify = verify
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        self._session = requests.Session()
        # else requests sends what it finds in a netrc file to whoever is asked
        self._session.auth = _no_login

    def get(
        self,
        address: str,
        parameters: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask with the parameters in the address; raises CatalogError."""
        return self._ask("GET", address, params=list(parameters), headers=headers)

    def post(
        self, address: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Ask with a JSON body; raises CatalogError."""
        return self._ask("POST", address, json=body, headers=headers)

    def post_form(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask with a form; raises CatalogError."""
        return self._ask("POST", address, data=form, headers=None)

    def _ask(
        self, method: str, address: str, *, headers: Mapping[str, str] | None, **options: Any
    ) -> dict[str, Any]:
        # a body, which may hold a password, stays with whom it was written to
        options["allow_redirects"] = method == "GET"
        sent = {"Accept": "application/geo+json, application/json", **(headers or {})}
        wait_s = _FIRST_WAIT_S
        for attempt in range(1, _ATTEMPTS + 1):
            asked_s = None
            try:
                # told here, as what a session says of certificates gives way to the environment
                response = self._session.request(
                    method,
                    address,
                    headers=sent,
                    timeout=(CONNECT_S, READ_S),
                    verify=self._verify,
                    proxies=self._proxies,
                    **options,
                )
            except requests.exceptions.SSLError as error:
                raise UnreachableError(
                    f"{self._name} has no certificate that is trusted"
                ) from error
            except (requests.ConnectionError, requests.Timeout) as error:
                failure = UnreachableError(f"{self._name} does not answer: {_kind(error)}")
            except requests.RequestException as error:
                raise AnswerError(f"{self._name} cannot be asked: {_kind(error)}") from error
            else:
                if response.status_code not in RETRIED and response.status_code < 500:
                    return self._read(response, sent)
                failure = UnreachableError(
                    f"{self._name} answers {response.status_code}: "
                    f"{told_text(response.content[:4096], sent) or 'no reason given'}"
                )
                asked_s = asked_wait_s(response.headers.get("Retry-After"), unit_s=1.0)
            if attempt < _ATTEMPTS:
                self._wait(min(wait_s if asked_s is None else asked_s, _LONGEST_WAIT_S))
                wait_s *= 2.0
        raise failure

    def _read(self, response: requests.Response, sent: Mapping[str, str]) -> dict[str, Any]:
        if response.status_code != 200:
            raise self._refusal(response, sent)
        try:
            answer = response.json()
        except (ValueError, RecursionError) as error:
            kind = one_line(response.headers.get("Content-Type", "without a type"))
            raise AnswerError(f"{self._name} must answer JSON, got {kind}") from error
        if not isinstance(answer, dict):
            raise AnswerError(f"{self._name} must answer a JSON object")
        code = answer.get("ErrorCode")
        if code is not None:  # resto also tells errors with status 200
            raise AnswerError(f"{self._name}: {one_line(str(answer.get('ErrorMessage', code)))}")
        return answer

    def _refusal(self, response: requests.Response, sent: Mapping[str, str]) -> CatalogError:
        status = response.status_code
        body = response.content[:4096].replace(b'\\"', b"'")  # quotes within a JSON text
        told = told_text(body, sent) or "no reason given"
        if status in _ACCESS:
            return AccessError(f"{self._name} refuses, {status}: {told}")
        if status in {404, 410}:
            return NotFoundError(f"{self._name} has no such thing: {told}")
        if status in {400, 422}:
            named = _REFUSED_ARGUMENT.search(body.decode("utf-8", "replace"))
            return QueryError(
                named[1] if named else "query", f"one that {self._name} understands", told
            )
        return AnswerError(f"{self._name} answers {status}: {told}")


def _no_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _kind(error: Exception) -> str:
    """Name an error of requests; its text may hold the address with everything in it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
