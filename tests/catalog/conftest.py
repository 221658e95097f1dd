"""Fixtures of the catalogue's tests."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.scripted import ScriptedResto, Server, serving


@pytest.fixture(scope="module")
def _provider() -> Iterator[Server]:
    with serving(ScriptedResto()) as server:
        yield server


@pytest.fixture
def provider(_provider: Server) -> Server:
    """An empty scripted provider; one socket for all tests of a module."""
    _provider.provider.reset()
    return _provider


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    names = (folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(names[0]), "-keyout", str(names[1])),
        ],
        check=True,
        capture_output=True,
    )
    return names


@pytest.fixture
def protected(certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A provider behind TLS that only that certificate vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(ScriptedResto(), tls=context) as server:
        yield server
