"""Folders of jobs on full disks, and what jobs make of them."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from processes.jobs import folders
from processes.jobs.files import remove_tree
from processes.jobs.folders import AttemptFolder, End, Folders
from processes.jobs.model import JobState

NOBODY = 65534
ID = "0" * 32


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptFolder:
    folder = Folders(tmp_path).job(ID).attempt(1)
    folder.path.mkdir(parents=True)
    folder.job.output.mkdir()
    (folder.job.output / "big").write_bytes(bytes(1000))
    return folder


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_job_that_fills_the_disk_can_still_say_so(
    attempt: AttemptFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write = folders.write_beside

    def write_where_there_is_room(target: Path, text: str) -> Path:
        if (attempt.job.output / "big").exists():
            raise OSError(number, os.strerror(number))
        return write(target, text)

    monkeypatch.setattr(folders, "write_beside", write_where_there_is_room)
    end = End(JobState.FAILED, "the server could not read or write: No space left on device")
    assert attempt.write_end(end)
    assert attempt.read_end() == end


def test_other_troubles_of_the_disk_take_no_files(
    attempt: AttemptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_target: Path, _text: str) -> Path:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(folders, "write_beside", fail)
    with pytest.raises(OSError, match="Input/output"):
        attempt.write_end(End(None))
    assert (attempt.job.output / "big").exists()


def _remove_as_nobody(folder: Path) -> int:
    """Remove in a process without the rights of root; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            remove_tree(folder)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_read_only_copies_are_removed_and_what_they_link_to_is_left(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        everybodys = Path(tempfile.gettempdir())
        for folder in (tmp_path, *tmp_path.parents):
            if folder == everybodys:
                break
            folder.chmod(0o755)
    place, beside = tmp_path / "place", tmp_path / "beside"
    copy = place / "job" / "S1A_X.SAFE" / "measurement"
    copy.mkdir(parents=True)
    beside.mkdir()
    (copy / "iw1.tiff").write_text("x")
    (copy / "link").symlink_to(beside)
    if os.geteuid() == 0:
        for path in (place, *place.rglob("*"), beside):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    for folder in (copy, copy.parent, beside):
        folder.chmod(0o555)
    try:
        assert _remove_as_nobody(place / "job") == 0
        assert list(place.iterdir()) == []
        assert beside.stat().st_mode & 0o777 == 0o555
    finally:
        beside.chmod(0o755)
        shutil.rmtree(place)


def test_a_folder_is_removed_though_an_earlier_one_of_its_name_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_arguments, **_options: None)
        (tmp_path / "job" / "x").mkdir(parents=True)
        remove_tree(tmp_path / "job")
    (tmp_path / "job" / "x").mkdir(parents=True)
    remove_tree(tmp_path / "job")
    assert not (tmp_path / "job").exists()
