"""Pairs of every sensor whose truth is known: unit coherence, nothing moved, 100 m apart."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from kernels.chains.dinsar_pair import DinsarPairRequest, run
from kernels.engine.progress import Progress
from kernels.errors import FournaiseError
from kernels.model import Shape, SlcProduct
from kernels.products.raster import read_raster
from kernels.products.sensors import open_slc
from kernels.simulation import (
    Acquisition,
    Derivation,
    Scene,
    StripMapMode,
    Track,
    save_dem,
    simulate,
    simulate_on_image,
)
from tests.chains.test_steps_of_pair import Steps, combined, grid_of, of_chain, resampled
from tests.products import cosmo_samples
from tests.series import CENTRE, START, Series, hills

BASELINE = 100.0
DELAY = 1.27e-3
"""Of the second date's first line [s], so that its lines lie a quarter of a line off."""
TSX_ANNOTATION = "tsx/TSX1_SAR__SSC______SM_S_SRA_20080310T133220_20080310T133228.xml"


class Pair(NamedTuple):
    """Two dates and the elevation under them."""

    reference: Path
    secondary: Path
    dem: Path

    def request(self, **options: Any) -> DinsarPairRequest:
        values = {
            "reference": (self.reference,),
            "secondary": (self.secondary,),
            "dem": (self.dem,),
            "dem_heights": "ellipsoid",
            "memory_mb": 200,
        }
        return DinsarPairRequest(**(values | options))


def simulated(
    folder: Path,
    beam: str,
    platforms: tuple[str, str],
    *,
    shape: Shape = Shape(360, 480),  # noqa: B008
    days: int = 12,
    **track: Any,
) -> Pair:
    dem = hills(*CENTRE)
    save_dem(dem, folder / "dem.tif")
    series = simulate(
        Scene(dem=dem),
        [
            Acquisition(centre=START, platform=platforms[0]),
            Acquisition(
                centre=START + timedelta(days=days),
                platform=platforms[1],
                perpendicular_baseline=BASELINE,
                timing_offset=DELAY,
            ),
        ],
        folder,
        mode=StripMapMode(beam=beam, lines=shape.lines, samples=shape.samples),
        track=Track(**track),
    )
    return Pair(*series.products, folder / "dem.tif")


def figures(folder: Path, request: DinsarPairRequest) -> tuple[float, float, dict[str, Any]]:
    """Root mean square of the phase [rad], mean coherence, report."""
    result = run(request, folder, Progress())
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".tif"))
        archive.extract(name, folder)
    _, phase, coherence, is_data = read_raster(folder / name).array
    known = is_data == 1.0
    assert known.mean() > 0.8
    rms = float(np.sqrt(np.mean(phase[known].astype(np.float64) ** 2)))
    return rms, float(coherence[known].mean()), result.report


@pytest.mark.parametrize(
    ("beam", "platforms", "looks", "shape"),
    [
        ("S6", ("S1A", "S1A"), (3, 3), Shape(360, 480)),
        ("STRIP_011", ("TSX1", "PAZ1"), (6, 5), Shape(360, 480)),
        ("SPOT_045", ("TSX1", "TDX1"), (12, 10), Shape(5200, 120)),
        ("H4-05", ("CSKS1", "CSKS3"), (5, 5), Shape(360, 480)),
        ("S2-05", ("CSKS2", "CSKS2"), (16, 16), Shape(9200, 120)),
    ],
)
def test_a_still_scene_has_no_phase(
    beam: str, platforms: tuple[str, str], looks: tuple[int, int], shape: Shape, tmp_path: Path
) -> None:
    """Relief, and Doppler centroids that vary with range.

    Those of spotlights drift by 8300 and 10300 Hz over these images: spectra wrap around.
    """
    pair = simulated(tmp_path, beam, platforms, shape=shape)
    rms, coherence, report = figures(tmp_path / "out", pair.request(spacing=1e-4))
    (swath,) = report["swaths"]
    assert (swath["looks"]["azimuth"], swath["looks"]["range"]) == looks
    assert swath["swath"] == beam
    assert swath["perpendicular_baseline_m"] == pytest.approx(BASELINE, abs=0.5)
    assert rms <= 0.01
    assert coherence > 0.99


def test_without_its_drift_a_spotlight_is_incoherent(tmp_path: Path) -> None:
    """At the ends of the image spectra lie half a sampling rate off their annotated centre."""
    pair = simulated(tmp_path, "S2-05", ("CSKS2", "CSKS2"), shape=Shape(9200, 120))
    with h5py.File(pair.secondary, "a") as file:
        centroid, drift, curvature = file.attrs["Centroid vs Azimuth Time Polynomial"]
        assert drift == pytest.approx(-11_000.0, rel=0.03)
        file.attrs["Centroid vs Azimuth Time Polynomial"] = np.array([centroid, 0.0, curvature])
    _, coherence, _ = figures(tmp_path / "wrong", pair.request(spacing=1e-4))
    assert coherence < 0.95


def test_steps_of_a_spotlight_give_the_bits_of_the_chain(tmp_path: Path) -> None:
    pair = simulated(tmp_path, "SPOT_045", ("TSX1", "TSX1"), shape=Shape(900, 160))
    series = Series(
        reference=pair.reference,
        still=pair.secondary,
        moved=None,
        dem=pair.dem,
        truth=tmp_path / "truth",
    )
    whole = of_chain(series, tmp_path / "chain")
    files = grid_of(series, tmp_path / "grid")
    image = resampled(series, files["grid"], tmp_path)
    found = combined(series, Steps(files["grid"], files["offsets"], image), tmp_path)
    np.testing.assert_array_equal(found, whole)


def real_terrasar_x(shared_data: Path, _: Path) -> SlcProduct:
    return open_slc(shared_data / TSX_ANNOTATION).slc("STRIP_011", "HH", need_pixels=False)


def real_cosmo_skymed(shared_data: Path, folder: Path) -> SlcProduct:
    path = cosmo_samples.write_real(folder, shared_data)
    image = open_slc(path).slc("H4-05", "HH", need_pixels=False)
    path.unlink()
    return image


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("read", "place", "shape"),
    [
        (real_terrasar_x, (-111.9, 36.03, 11), Shape(360, 600)),
        (real_cosmo_skymed, (1.46, 43.6, 16), Shape(9200, 120)),
    ],
)
def test_real_metadata(
    read: Callable[[Path, Path], SlcProduct],
    place: tuple[float, float, int],
    shape: Shape,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    """The middle of a real StripMap and of a real Spotlight: their orbits, times and rates."""
    image = read(shared_data, tmp_path)
    longitude, latitude, days = place
    dem = hills(longitude, latitude)
    save_dem(dem, tmp_path / "dem.tif")
    series = simulate_on_image(
        Scene(dem=dem),
        image,
        [Derivation(days=days, perpendicular_baseline=BASELINE)],
        tmp_path,
        shape=shape,
        delay=DELAY,
    )
    pair = Pair(*series.products, tmp_path / "dem.tif")
    request = pair.request(polarisation="HH", spacing=1e-4)
    rms, coherence, report = figures(tmp_path / "out", request)
    baseline = report["swaths"][0]["perpendicular_baseline_m"]
    # perpendicular to the line of sight to mean height; the baseline varies by 1 m over 500 m of it
    assert abs(baseline) == pytest.approx(BASELINE, abs=2.0)
    assert rms <= 0.01
    assert coherence > 0.99


@pytest.fixture(scope="module")
def cosmo(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("cosmo")
    return simulated(folder, "H4-05", ("CSKS1", "CSKS2"), shape=Shape(120, 160))


@pytest.fixture(scope="module")
def terrasar(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("terrasar")
    return simulated(folder, "STRIP_011", ("TSX1", "TSX1"), shape=Shape(120, 160))


def refusal(request: DinsarPairRequest, folder: Path) -> str:
    """The line that a run ends with; nothing is left behind."""
    with pytest.raises(FournaiseError) as caught:
        run(request, folder / "out", Progress())
    line = str(caught.value)
    assert "\n" not in line
    assert not (folder / "out").exists()
    return line


def test_two_sensors_make_no_pair(cosmo: Pair, terrasar: Pair, tmp_path: Path) -> None:
    line = refusal(cosmo.request(secondary=(terrasar.secondary,)), tmp_path)
    assert line == (
        "secondary must be of the same sensor as the reference, got TerraSAR-X and COSMO-SkyMed"
    )


def test_two_modes_make_no_pair(cosmo: Pair, tmp_path: Path) -> None:
    spotlight = simulated(tmp_path, "S2-05", ("CSKS1", "CSKS2"), shape=Shape(60, 60))
    line = refusal(cosmo.request(secondary=(spotlight.secondary,)), tmp_path)
    assert line == "secondary must be of the same mode as the reference, got SL and SM"


def test_two_beams_make_no_pair(cosmo: Pair, tmp_path: Path) -> None:
    other = tmp_path / cosmo.secondary.name
    other.write_bytes(cosmo.secondary.read_bytes())
    with h5py.File(other, "a") as file:
        file.attrs["Multi-Beam ID"] = b"H4-08"
    line = refusal(cosmo.request(secondary=(other,)), tmp_path)
    assert line.endswith("have no common swath or beam, got H4-05 and H4-08")


def test_two_look_sides_make_no_pair(cosmo: Pair, tmp_path: Path) -> None:
    other = tmp_path / cosmo.secondary.name
    other.write_bytes(cosmo.secondary.read_bytes())
    with h5py.File(other, "a") as file:
        file.attrs["Look Side"] = b"LEFT"
    line = refusal(cosmo.request(secondary=(other,)), tmp_path)
    assert line == "secondary must look to the same side as the reference, got left and right"


def test_ascending_and_descending_make_no_pair(cosmo: Pair, tmp_path: Path) -> None:
    ascending = simulated(
        tmp_path, "H4-05", ("CSKS1", "CSKS2"), shape=Shape(120, 160), ascending=True
    )
    line = refusal(cosmo.request(secondary=(ascending.secondary,)), tmp_path)
    assert line == (
        "secondary must fly in the same direction as the reference, got ascending and descending"
    )


def test_tracks_of_cosmo_skymed_are_told_apart_by_their_view(cosmo: Pair, tmp_path: Path) -> None:
    """Satellites count their own orbits: an orbit 60 km aside, at 720 km, is another track."""
    other = tmp_path / cosmo.secondary.name
    other.write_bytes(cosmo.secondary.read_bytes())
    with h5py.File(other, "a") as file:
        times, positions, velocities = (
            np.array(file.attrs[name])
            for name in (
                "State Vectors Times",
                "ECEF Satellite Position",
                "ECEF Satellite Velocity",
            )
        )
        across = np.cross(positions, velocities)
        across *= 6.0e4 / np.linalg.norm(across, axis=1, keepdims=True)
        drift = np.gradient(across, times, axis=0, edge_order=2)
        file.attrs["ECEF Satellite Position"] = positions + across
        file.attrs["ECEF Satellite Velocity"] = velocities + drift
    line = refusal(cosmo.request(secondary=(other,)), tmp_path)
    assert line.startswith("secondary must be of the same track as the reference, but CSKS2_")
    assert line.endswith("see the ground from directions 4 degrees apart")


def test_two_tracks_of_terrasar_x_make_no_pair(terrasar: Pair, tmp_path: Path) -> None:
    other = simulated(
        tmp_path, "STRIP_011", ("TSX1", "TSX1"), shape=Shape(60, 60), relative_orbit=83
    )
    line = refusal(terrasar.request(secondary=(other.secondary,)), tmp_path)
    assert line.endswith("same track as the reference, got relative orbit 83 and 151")


def test_an_absent_beam_is_named_with_those_that_are_there(terrasar: Pair, tmp_path: Path) -> None:
    line = refusal(terrasar.request(swaths=("IW1",)), tmp_path)
    assert line.startswith("swaths must be of TSX1_SAR__SSC")
    assert line.endswith("which has STRIP_011, got IW1")


def test_beams_may_be_written_small(terrasar: Pair, tmp_path: Path) -> None:
    request = terrasar.request(swaths=("strip_011",), spacing=1e-3)
    assert run(request, tmp_path, Progress()).report["swaths"][0]["swath"] == "STRIP_011"


def test_one_product_of_sensors_without_slices(terrasar: Pair, tmp_path: Path) -> None:
    both = (terrasar.reference, terrasar.secondary)
    line = refusal(terrasar.request(reference=both), tmp_path)
    assert line.startswith("reference must be one product of TerraSAR-X, got TSX1_")


def test_a_cosar_file_that_is_cut_off(terrasar: Pair, tmp_path: Path) -> None:
    other = tmp_path / terrasar.secondary.name
    (other / "IMAGEDATA").mkdir(parents=True)
    for file in terrasar.secondary.rglob("*.*"):
        (other / file.relative_to(terrasar.secondary)).write_bytes(file.read_bytes())
    image = next(other.rglob("*.cos"))
    image.write_bytes(image.read_bytes()[:-1000])
    line = refusal(terrasar.request(secondary=(other,)), tmp_path)
    assert line.startswith("IMAGE_VV_SRA_strip_011.cos is cut off: ")


def test_a_missing_group_of_hdf5(cosmo: Pair, tmp_path: Path) -> None:
    other = tmp_path / cosmo.secondary.name
    other.write_bytes(cosmo.secondary.read_bytes())
    with h5py.File(other, "a") as file:
        del file["S01/SBI"]
    line = refusal(cosmo.request(secondary=(other,)), tmp_path)
    assert line == f"{other.stem} S01 has no HDF5 group SBI"


def test_a_product_of_no_known_sensor(cosmo: Pair, tmp_path: Path) -> None:
    other = tmp_path / "ALOS2_SLC.tif"
    other.write_bytes(b"II*")
    line = refusal(replace(cosmo.request(), secondary=(other,)), tmp_path)
    assert line == (
        "ALOS2_SLC.tif must be a Sentinel-1 SLC, SAFE folder or zip; a TerraSAR-X, TanDEM-X or PAZ "
        "SSC, folder or its XML; a COSMO-SkyMed SCS, HDF5"
    )
