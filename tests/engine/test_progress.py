"""Progress of nested pieces adds up, and anyone can stop the whole."""

from __future__ import annotations

import pytest

from kernels.engine.progress import Progress
from kernels.errors import Cancelled


def test_pieces_of_pieces_add_up() -> None:
    told: list[tuple[float, str]] = []
    whole = Progress.to(lambda share, step: told.append((share, step)))
    second_half = whole.part(0.5, 1.0)
    second_half.update(0.5, "half of the second half")
    second_half.part(0.5, 1.0).update(1.0, "all")
    assert told == [(0.75, "half of the second half"), (1.0, "all")]


def test_a_share_outside_is_brought_inside() -> None:
    told: list[float] = []
    piece = Progress.to(lambda share, _step: told.append(share)).part(0.2, 0.4)
    piece.update(-1.0, "before")
    piece.update(7.0, "after")
    assert told == pytest.approx([0.2, 0.4])


def test_every_piece_hears_that_the_whole_is_cancelled() -> None:
    told: list[float] = []
    whole = Progress.to(lambda share, _step: told.append(share))
    piece = whole.part(0.0, 0.5).part(0.5, 1.0)
    piece.check()
    whole.cancelled.set()
    with pytest.raises(Cancelled):
        piece.check()
    with pytest.raises(Cancelled):
        piece.update(0.5, "too late")
    assert told == []


def test_cancelling_one_piece_of_work_leaves_another_alone() -> None:
    one, other = (Progress.to(lambda _share, _step: None) for _ in range(2))
    one.cancelled.set()
    other.check()
    Progress().check()


def test_a_piece_under_one_name_keeps_its_shares() -> None:
    told: list[tuple[float, str]] = []
    whole = Progress.to(lambda share, step: told.append((share, step)))
    piece = whole.part(0.5, 1.0).named("filter")
    piece.update(0.5, "reading")
    piece.part(0.5, 1.0).update(1.0, "writing")
    assert told == [(0.75, "filter"), (1.0, "filter")]
    whole.cancelled.set()
    with pytest.raises(Cancelled):
        piece.check()
