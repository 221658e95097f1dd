"""Corrections of timing and tides through the whole chain."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from kernels.chains.dinsar_pair import corrections, run
from kernels.chains.dinsar_pair.corrections import correct_pairs
from kernels.chains.dinsar_pair.inputs import open_pair
from kernels.engine.progress import Progress
from kernels.errors import ProductError, RequestError
from kernels.products.raster import read_raster
from tests.series import Series


def test_the_bistatic_term_can_be_left_out(tops_series: Series) -> None:
    pairs = open_pair(tops_series.request())
    assert pairs[0].layout.grid.bistatic_range is not None
    (plain,) = correct_pairs(tops_series.request(corrections=("none",)), pairs)
    bursts = [plain.reference, plain.secondary]
    assert {burst.grid.bistatic_range for image in bursts for burst in image.bursts} == {None}
    assert plain.layout.grid.bistatic_range is None
    assert {p.burst.grid.bistatic_range for p in plain.layout.placements} == {None}
    assert plain.corrections == ()


def test_corrections_are_told_and_leave_the_phase(tops_series: Series, tmp_path: Path) -> None:
    """Alike in both images they move the ground by decimetres and the phase by little."""
    found = {}
    for name, chosen in (("some", ("bistatic",)), ("all", ("bistatic", "doppler_range"))):
        request = tops_series.request(corrections=chosen, spacing=0.0005)
        result = run(request, tmp_path / name, Progress())
        report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
        assert report["corrections"]["applied"] == sorted(chosen)
        found[name] = read_raster(result.artefact("interferogram").path).array, report
    shifts = found["all"][1]["corrections"]["largest_shifts"]["IW1"]
    # 500 lines of 1.6 degrees/s: 0.9 kHz at either end
    assert 0.05 < shifts["range_m"] < 0.2
    assert "largest_shifts" not in found["some"][1]["corrections"]
    first, second = (found[name][0] for name in ("some", "all"))
    both = (first[3] == 1.0) & (second[3] == 1.0)
    assert both.mean() > 0.3
    change = np.angle(np.exp(1j * (second[1] - first[1])))[both]
    # 0.1 m of range is less than 0.1 m of height on these slopes, and a turn is 190 m
    assert 0.0 < np.sqrt(np.mean(change**2)) < 0.01


def test_shifts_of_the_fm_rate_are_told(tops_series: Series) -> None:
    request = tops_series.request(corrections=("bistatic", "fm_rate"))
    pairs = correct_pairs(request, open_pair(request))
    told = corrections.describe_corrections(request, pairs)
    shifts = told["largest_shifts"]["IW1"]
    assert shifts["range_m"] == 0.0
    # the simulated orbit is 1 % from that of the annotated rate, which is a real one
    assert 1e-3 < shifts["azimuth_s"] < 0.01


def test_an_unknown_chirp_rate_is_named(tops_series: Series) -> None:
    pairs = open_pair(tops_series.request())
    image = pairs[0].secondary
    bursts = tuple(replace(burst, range_chirp_rate=None) for burst in image.bursts)
    without = (replace(pairs[0], secondary=replace(image, bursts=bursts)),)
    with pytest.raises(ProductError, match=f"{image.name} has no chirp rate"):
        correct_pairs(tops_series.request(corrections=("doppler_range",)), without)


@pytest.mark.parametrize(
    "options",
    [
        {"corrections": ("none", "fm_rate")},
        {"tides": "on", "flattening": "none"},
        {"corrections": ("troposphere",)},
    ],
)
def test_what_contradicts_itself_is_refused(
    tops_series: Series, options: dict[str, object]
) -> None:
    with pytest.raises(RequestError):
        tops_series.request(**options)


def test_tides_shift_the_phase_by_their_difference(
    tops_series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ground that the tide lifts by 5 mm at the second date, as if the package said so."""
    lift = 0.005

    def lifted(points: np.ndarray, instant: datetime) -> np.ndarray:
        up = points / np.linalg.norm(points, axis=1, keepdims=True)
        return lift * up * (instant.day != 1)

    monkeypatch.setattr(corrections, "tidal_displacement", lifted)
    phases = {}
    for tides in ("off", "on"):
        result = run(tops_series.request(tides=tides, spacing=0.0005), tmp_path / tides, Progress())
        phases[tides] = read_raster(result.artefact("interferogram").path).array[[1, 3]]
        report = json.loads(result.artefact("report").path.read_text(encoding="utf-8"))
    difference = report["corrections"]["tide_range_difference_m"]
    incidence = np.radians(report["swaths"][0]["incidence_angle_deg"])
    assert difference["mean"] == pytest.approx(-lift * np.cos(incidence), rel=0.02)
    both = (phases["off"][1] == 1.0) & (phases["on"][1] == 1.0)
    step = np.angle(np.exp(1j * (phases["on"][0] - phases["off"][0])))[both]
    wavelength = report["wavelength_m"]
    # what is nearer by 4 mm loses that much of the phase, so that its removal adds it
    expected = -4.0 * np.pi / wavelength * difference["mean"]
    assert np.median(np.abs(step)) == pytest.approx(expected, rel=0.03)
    assert np.sign(np.median(step)) == 1.0
