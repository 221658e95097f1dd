"""Grid, coregistration and interferogram one by one against the whole chain."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from kernels.chains import sar_coregistration, sar_deformation_grid, sar_interferogram
from kernels.chains.dinsar_pair import run as run_pair
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, FournaiseError
from kernels.products.raster import read_raster
from kernels.simulation import Acquisition, Scene, StripMapMode, load_truth, simulate
from tests.series import BASELINE, CENTRE, START, Series, hills, write_dem


@dataclass(frozen=True)
class Steps:
    """Files of the first two steps."""

    grid: Path
    offsets: Path
    coregistered: Path


def grid_of(series: Series, folder: Path, **options: object) -> dict[str, Path]:
    request = sar_deformation_grid.DeformationGridRequest(
        reference=(series.reference,),
        secondary=(series.still,),
        dem=(series.dem,),
        dem_heights="ellipsoid",
        **options,  # type: ignore[arg-type]
    )
    found = sar_deformation_grid.run(request, folder, Progress())
    return {item.name: item.path for item in found.artefacts}


def resampled(series: Series, grid: Path, folder: Path, **options: object) -> Path:
    request = sar_coregistration.CoregistrationRequest(
        secondary=(series.still,),
        grid=grid,
        **options,  # type: ignore[arg-type]
    )
    return sar_coregistration.run(request, folder, Progress()).artefact("coregistered").path


def combined(series: Series, steps: Steps, folder: Path, **options: object) -> np.ndarray:
    values = {"azimuth_looks": 4, "range_looks": 16, "gain": 1.0} | options
    request = sar_interferogram.InterferogramRequest(
        reference=(series.reference,),
        coregistered=values.pop("coregistered", steps.coregistered),
        grid=steps.grid,
        **values,  # type: ignore[arg-type]
    )
    result = sar_interferogram.run(request, folder, Progress())
    return read_raster(result.artefact("interferogram").path).array


@pytest.fixture(scope="module")
def steps(tops_series: Series, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    folder = tmp_path_factory.mktemp("steps")
    files = grid_of(tops_series, folder)
    coregistered = resampled(tops_series, files["grid"], folder)
    return Steps(files["grid"], files["offsets"], coregistered)


def of_chain(series: Series, folder: Path, **options: object) -> np.ndarray:
    run_pair(series.request(**options), folder, Progress())
    with zipfile.ZipFile(folder / "interferogram_radar.zip") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".tif"))
        archive.extract(name, folder)
    return read_raster(folder / name).array


@pytest.mark.parametrize("flattening", ["topography", "none"])
def test_one_by_one_the_steps_give_the_bits_of_the_chain(
    tops_series: Series, steps: Steps, tmp_path: Path, flattening: str
) -> None:
    whole = of_chain(tops_series, tmp_path / "chain", esd="off", flattening=flattening)
    found = combined(tops_series, steps, tmp_path / "steps", flattening=flattening)
    assert (found[3] == 1.0).mean() > 0.8
    np.testing.assert_array_equal(found, whole)


def test_they_do_so_with_the_azimuth_shift_of_the_bursts_and_other_looks(
    tops_series: Series, tmp_path: Path
) -> None:
    whole = of_chain(tops_series, tmp_path / "chain", esd="1", azimuth_looks=2, range_looks=8)
    files = grid_of(tops_series, tmp_path / "grid", esd="1")
    image = resampled(tops_series, files["grid"], tmp_path, memory_mb=200, threads=3)
    steps = Steps(files["grid"], files["offsets"], image)
    found = combined(tops_series, steps, tmp_path, azimuth_looks=2, range_looks=8)
    np.testing.assert_array_equal(found, whole)


def test_they_do_so_for_stripmap(stripmap_series: Series, tmp_path: Path) -> None:
    whole = of_chain(stripmap_series, tmp_path / "chain", azimuth_looks=3, range_looks=3)
    files = grid_of(stripmap_series, tmp_path / "grid")
    image = resampled(stripmap_series, files["grid"], tmp_path)
    steps = Steps(files["grid"], files["offsets"], image)
    found = combined(stripmap_series, steps, tmp_path, azimuth_looks=3, range_looks=3)
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize(
    ("beam", "platforms"), [("SPOT_045", ("TSX1", "TDX1")), ("H4-05", ("CSKS1", "CSKS3"))]
)
def test_they_do_so_for_other_sensors(
    beam: str, platforms: tuple[str, str], tmp_path: Path
) -> None:
    dem = hills(*CENTRE)
    made = simulate(
        Scene(dem=dem),
        [
            Acquisition(centre=START, platform=platforms[0]),
            Acquisition(
                centre=START + timedelta(days=12),
                platform=platforms[1],
                perpendicular_baseline=BASELINE,
            ),
        ],
        tmp_path,
        mode=StripMapMode(beam=beam, lines=200, samples=300),
    )
    dem_file = write_dem(tmp_path / "dem.tif", dem)
    series = Series(
        reference=made.products[0],
        still=made.products[1],
        moved=None,
        dem=dem_file,
        truth=made.truth,
    )
    whole = of_chain(series, tmp_path / "chain", spacing=1e-4)
    files = grid_of(series, tmp_path / "grid")
    image = resampled(series, files["grid"], tmp_path / "image")
    steps = Steps(files["grid"], files["offsets"], image)
    np.testing.assert_array_equal(combined(series, steps, tmp_path / "found"), whole)


def test_an_image_with_its_ramp_gives_the_same_phase(
    tops_series: Series, steps: Steps, tmp_path: Path
) -> None:
    """The ramp is put back in complex numbers of 24 bits and taken out again by none."""
    plain = combined(tops_series, steps, tmp_path / "plain")
    image = resampled(tops_series, steps.grid, tmp_path / "ramp", ramp="restored")
    found = combined(tops_series, steps, tmp_path / "found", coregistered=image)
    np.testing.assert_array_equal(found[3], plain[3])
    known = plain[3] == 1.0
    jump = np.angle(np.exp(1j * (found[1] - plain[1])[known]))
    assert np.abs(jump).max() < 1e-3  # [rad]


def test_single_looks_are_fully_coherent_and_their_sum_is_the_multilooked(
    tops_series: Series, steps: Steps, tmp_path: Path
) -> None:
    single = combined(tops_series, steps, tmp_path / "1", azimuth_looks=1, range_looks=1)
    known = single[3] == 1.0
    np.testing.assert_allclose(single[2][known], 1.0, atol=1e-5)
    four = combined(tops_series, steps, tmp_path / "4")
    # the first burst: seams lie elsewhere for other looks
    rows, columns = 80, single.shape[2] // 16
    products = np.where(known, single[0] ** 2 * np.exp(1j * np.nan_to_num(single[1])), 0.0)
    cells = np.nan_to_num(products)[: 4 * rows, : 16 * columns].reshape(rows, 4, columns, 16)
    whole = four[3, :rows, :columns] == 1.0
    phase = np.angle(cells.sum(axis=(1, 3)))[whole]
    jump = np.angle(np.exp(1j * (phase - four[1, :rows, :columns][whole])))
    assert np.abs(jump).max() < 1e-3  # [rad]


def test_the_gain_multiplies_amplitudes_alone(
    tops_series: Series, steps: Steps, tmp_path: Path
) -> None:
    plain = combined(tops_series, steps, tmp_path / "plain")
    found = combined(tops_series, steps, tmp_path / "found", gain=0.1)
    np.testing.assert_array_equal(found[1:], plain[1:])
    np.testing.assert_allclose(found[0], 0.1 * plain[0], rtol=1e-6)


def test_readable_offsets_are_those_of_the_truth(tops_series: Series, tmp_path: Path) -> None:
    offsets = read_raster(grid_of(tops_series, tmp_path, grid_step=1)["offsets"]).array
    truth = load_truth(tops_series.truth, swath="IW1", burst=0, date=1)
    clear = truth.mask[np.ix_(truth.lines, truth.samples)] == 0
    found = offsets[:, truth.lines][:, :, truth.samples]
    known = clear & np.isfinite(found[0])
    assert known.sum() > 1000
    lines = truth.secondary_line - truth.lines[:, None]
    samples = truth.secondary_sample - truth.samples
    assert np.abs(found[0] - lines)[known].max() < 1e-3  # [lines]
    assert np.abs(found[1] - samples)[known].max() < 1e-3  # [samples]


@pytest.fixture
def other(stripmap_series: Series, tmp_path: Path) -> dict[str, Path]:
    return grid_of(stripmap_series, tmp_path / "other")


def test_grids_of_another_pair_are_refused(
    tops_series: Series, steps: Steps, other: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(FournaiseError, match=r"swath must be of|grid is of another pair"):
        resampled(tops_series, other["grid"], tmp_path / "a")
    request = sar_coregistration.CoregistrationRequest(
        secondary=(tops_series.reference,), grid=steps.grid
    )
    with pytest.raises(FournaiseError, match="grid is of another pair: its secondary is"):
        sar_coregistration.run(request, tmp_path / "b", Progress())
    with pytest.raises(FournaiseError, match=r"dem.tif was resampled with no grid"):
        combined(tops_series, steps, tmp_path / "c", coregistered=tops_series.dem)
    assert not any((tmp_path / name).exists() for name in "abc")


def test_a_step_that_is_cancelled_leaves_nothing(
    tops_series: Series, steps: Steps, tmp_path: Path
) -> None:
    progress = Progress.to(lambda share, _: share > 0.2 and progress.cancelled.set())
    request = sar_coregistration.CoregistrationRequest(
        secondary=(tops_series.still,), grid=steps.grid, memory_mb=200, threads=1
    )
    with pytest.raises(Cancelled):
        sar_coregistration.run(request, tmp_path / "never", progress)
    assert not (tmp_path / "never").exists()


def test_what_is_no_grid_is_refused(tops_series: Series, tmp_path: Path) -> None:
    for content in (b"nothing", json.dumps({}).encode()):
        path = tmp_path / "grid.zip"
        path.write_bytes(content)
        with pytest.raises(FournaiseError, match=r"grid.zip must be a deformation grid"):
            resampled(tops_series, path, tmp_path / "never")
