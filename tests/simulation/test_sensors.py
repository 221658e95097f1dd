"""Simulated X-band images have the azimuth spectra that their annotation says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from kernels.errors import RequestError
from kernels.model import GeographicBox
from kernels.products.sensors import open_slc
from kernels.simulation import Acquisition, Scene, StripMapMode, plane, simulate

GROUND = GeographicBox(55.4, -21.3, 56.0, -20.7)
CENTRE = datetime(2026, 1, 1, 2, 0, 0)


@pytest.mark.parametrize(
    ("beam", "platform", "drift"),
    [
        ("STRIP_011", "TSX1", 0.0),
        ("SPOT_045", "TDX1", -13_940.0),
        ("H4-05", "CSKS1", 0.0),
        ("S2-05", "CSKS3", -11_000.0),
    ],
)
def test_the_doppler_centroid_is_where_it_is_annotated_and_drifts(
    beam: str, platform: str, drift: float, tmp_path: Path
) -> None:
    """Phase between lines: the centroid of each part of the image, but for multiples of the PRF.

    Parts of 100 lines by 300 samples know it to some 1 % of the bandwidth.
    """
    mode = StripMapMode(beam=beam, lines=900, samples=300)
    series = simulate(
        Scene(dem=plane(GROUND)),
        [Acquisition(centre=CENTRE, platform=platform)],
        tmp_path,
        mode=mode,
    )
    image = open_slc(series.products[0]).slc(beam, "VV")
    assert image.pixels is not None
    pixels = image.pixels.read(0, 900)
    grid, burst = image.grid, image.bursts[0]
    frequency = 1.0 / grid.line_interval
    middle = 2.0 / 299_792_458.0 * grid.slant_range(150.0)
    for first in range(0, 900, 100):
        part = pixels[first : first + 100]
        found = np.angle(np.sum(part[1:] * part[:-1].conj())) / (2.0 * np.pi) * frequency
        since = (first + 49.5 - burst.mid_line) * grid.line_interval
        error = found - burst.doppler(middle) - drift * since
        error -= frequency * round(error / frequency)
        assert abs(error) < 0.02 * image.azimuth_bandwidth


def test_a_satellite_without_the_beam_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="platform must be among TSX1, TDX1, PAZ1, got S1A"):
        simulate(
            Scene(dem=plane(GROUND)),
            [Acquisition(centre=CENTRE)],
            tmp_path,
            mode=StripMapMode(beam="STRIP_011", lines=40, samples=40),
        )
