"""Fixtures of the catalogue's tests."""

from __future__ import annotations

from collections.abc import Iterator

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
