"""The pictures of the page on accuracy: what it names is there, and is what benchmarks draw."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from benchmarks import geolocation, interferogram
from benchmarks.interferogram_errors import (
    ClosureErrors,
    Estimate,
    Merged,
    PairErrors,
    SeamErrors,
)
from kernels.model import Looks, RadarGrid, Shape

ROOT = Path(__file__).resolve().parents[2]
LOOKS = Looks(azimuth=4, range=16)
GRID = RadarGrid(
    epoch=datetime(2026, 1, 1),
    first_line_time=0.0,
    line_interval=8e-3,
    shape=Shape(60, 90),
    wavelength=0.0555,
    first_slant_range=8e5,
    slant_range_spacing=37.0,
)
RANDOM = np.random.default_rng(1)


def pair_errors() -> PairErrors:
    kept = RANDOM.random(GRID.shape) > 0.05
    return PairErrors(
        lines=RANDOM.normal(0.0, 1e-8, 5000),
        samples=RANDOM.normal(0.0, 1e-7, 5000),
        phase=RANDOM.normal(0.0, 2e-3, GRID.shape).astype(np.float32),
        coherence=(1.0 - RANDOM.exponential(1e-4, GRID.shape)).astype(np.float32),
        kept=kept,
        clear=kept & (RANDOM.random(GRID.shape) > 0.1),
        grid=GRID,
        looks=LOOKS,
    )


def estimate(scale: float) -> Estimate:
    return Estimate(
        error=scale * RANDOM.normal() / 2.0,
        deviation=scale / 2.0,
        errors=scale * RANDOM.normal(size=4),
        deviations=np.full(4, scale),
    )


def seam_errors() -> SeamErrors:
    ramp = np.linspace(0.0, 5.7, GRID.shape.lines, dtype=np.float32)[:, None] % 1.9 - 0.95
    phase = np.repeat(ramp, GRID.shape.samples, axis=1).astype(np.float32)
    return SeamErrors(
        shift=0.03,
        before=Merged(phase, np.full(4, 1.7), np.full(5, 0.3)),
        after=Merged(0.0 * phase, np.full(4, 7e-4), np.full(5, 3e-4)),
        grid=GRID,
        looks=LOOKS,
        overlaps=("IW1 5|6", "IW1 6|7", "IW2 5|6", "IW2 6|7"),
        clean=estimate(2e-6),
        noisy=tuple(estimate(4e-5) for _ in range(5)),
        bounds=np.full(4, 4e-5),
    )


def closure_errors() -> ClosureErrors:
    return ClosureErrors(RANDOM.normal(0.0, 4e-8, 9000), RANDOM.normal(0.0, 0.4, 9000))


def page_pictures() -> set[str]:
    return set(re.findall(r"images/(accuracy_\w+\.png)", (ROOT / "docs/accuracy.md").read_text()))


def test_each_picture_of_the_page_is_there_and_small() -> None:
    assert page_pictures()
    for name in page_pictures():
        file = ROOT / "docs" / "images" / name
        assert file.read_bytes().startswith(b"\x89PNG"), name
        assert file.stat().st_size < 150_000, name


def test_the_benchmarks_draw_the_pictures_of_the_page_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny: dict[str, Any] = {
        "_measure_case": lambda *_, **__: ({}, pair_errors()),
        "_products": lambda *_: (),
        "seam_request": lambda *_, **__: None,
        "seam_figures": lambda *_: ({}, seam_errors()),
        "offset_figures": lambda *_: {},
        "bits_figures": lambda *_: {},
        "closure_figures": lambda *_: ({}, closure_errors()),
    }
    for name, measured in tiny.items():
        monkeypatch.setattr(interferogram, name, measured)
    arguments = argparse.Namespace(shared=tmp_path, quick=True, pictures=tmp_path / "made" / "new")
    interferogram.run(arguments)
    assert {path.name for path in arguments.pictures.iterdir()} == page_pictures() - {
        geolocation.PICTURE
    }
    for path in arguments.pictures.iterdir():
        picture = imread(path)
        assert picture.std() > 0.05, f"{path.name} is blank"
