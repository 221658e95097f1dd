"""Scratch folders leave nothing behind; results appear whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kernels.engine.workspace import publish, scratch_folder
from kernels.errors import ProcessingError


def test_the_scratch_folder_and_what_is_in_it_vanish(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "deep" / "deeper").mkdir(parents=True)
        (folder / "deep" / "block.tif").write_bytes(b"block")
        assert folder.parent == tmp_path
        assert folder.name.startswith(".")
    assert list(tmp_path.iterdir()) == []


def test_the_scratch_folder_vanishes_after_an_error(tmp_path: Path) -> None:
    def fail_halfway() -> None:
        with scratch_folder(tmp_path / "results") as folder:
            (folder / "half.tif").touch()
            raise ProcessingError("no result is possible")

    with pytest.raises(ProcessingError):
        fail_halfway()
    assert list(tmp_path.iterdir()) == []


def test_folders_made_for_it_go_but_results_and_older_folders_stay(tmp_path: Path) -> None:
    results = tmp_path / "new" / "results"
    with scratch_folder(results) as folder:
        (folder / "report.json").write_text("{}")
        publish(folder / "report.json", results / "report.json")
    assert [p.name for p in results.iterdir()] == ["report.json"]

    older = tmp_path / "older"
    older.mkdir()
    with scratch_folder(older):
        pass
    assert older.is_dir()


def test_the_folder_may_have_been_taken_away_by_someone_else(tmp_path: Path) -> None:
    near = tmp_path / "gone"
    with scratch_folder(near) as folder:
        folder.rmdir()
        near.rmdir()
    assert list(tmp_path.iterdir()) == []


def test_publish_makes_the_folder_and_replaces_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "results" / "picture.png"
    for content in (b"first", b"second"):
        source = tmp_path / "scratch.png"
        source.write_bytes(content)
        assert publish(source, target) == target
        assert target.read_bytes() == content
        assert not source.exists()


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "result.bin"
    whole = {bytes([n]) * 100_000 for n in range(2)}
    seen: set[bytes] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.add(target.read_bytes())

    publish(write(tmp_path, min(whole)), target)
    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for _ in range(50):
            for content in whole:
                publish(write(tmp_path, content), target)
    finally:
        stop.set()
        reader.join()
    assert seen
    assert seen <= whole


def write(folder: Path, content: bytes) -> Path:
    source = folder / ".scratch.bin"
    source.write_bytes(content)
    return source
