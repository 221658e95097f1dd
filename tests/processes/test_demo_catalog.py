"""The demonstration of the catalogue shows what it says, and fails in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples import demo_catalog
from tests.catalog.test_local import GRD, make_zip


def test_products_are_staged_resumed_and_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """On three tiny archives instead of simulated ones."""

    def pretend(folder: Path) -> list[Path]:
        return [make_zip(folder / "provider", number, 55.0, -21.5) for number in (1, 2, 3)]

    monkeypatch.setattr(demo_catalog, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(demo_catalog, "simulate_archives", pretend)
    monkeypatch.setattr(demo_catalog, "QUESTION", ["--area", "55.6,-21.1,55.8,-20.9"])
    monkeypatch.setattr(demo_catalog, "TRACK", ["-o", "54"])
    monkeypatch.setattr(demo_catalog, "_WAIT_MS", 10)
    assert demo_catalog.main() == 0
    out, err = capfd.readouterr()
    assert "3 products: 1 on disk, 2 on tape" in out
    assert f"{GRD.format(2)} went on at byte " in out
    assert "3 products are here, byte for byte what was sent" in out
    assert "0 new, 0 changed, 3 unchanged" in out
    assert "broke off, once more" in err
    assert (tmp_path / "demo" / demo_catalog.MAP).read_bytes().startswith(b"\x89PNG")


def test_a_failing_step_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_folder: Path) -> list[Path]:
        raise demo_catalog.DemoError("no disk")

    monkeypatch.setattr(demo_catalog, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(demo_catalog, "simulate_archives", fail)
    assert demo_catalog.main() == 1
    assert capsys.readouterr().err == "the demonstration failed: no disk\n"
