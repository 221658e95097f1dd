"""Baselines of possible pairs: of simulated ones, whose truth is known, and of a real one."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.baselines import pair_baselines
from catalog.cli import main
from catalog.describing import Kind, describe
from catalog.pairs import possible_pairs
from kernels.model import StateVectors
from kernels.products.sentinel1_writer import write_annotation, write_manifest
from kernels.simulation.acquisition import Acquisition, Track, make_products
from kernels.simulation.modes import TopsMode
from kernels.simulation.scene import terrain_of
from tests.catalog.scripted import Server, archive
from tests.catalog.scripted.archives import box_polygon
from tests.series import CENTRE, START, hills

BASELINES = (0.0, 80.0, -48.0)
"""Of the dates against the track's own orbit [m], positive on the side of the zenith."""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, StateVectors]]:
    """Annotation of three dates, 12 days apart, in one folder; and their true orbits."""
    folder = tmp_path_factory.mktemp("simulated")
    vectors = {}
    for number, perpendicular in enumerate(BASELINES):
        acquisition = Acquisition(
            centre=START + number * timedelta(days=12), perpendicular_baseline=perpendicular
        )
        images = make_products(
            Track(longitude=CENTRE[0], latitude=CENTRE[1]),
            TopsMode(bursts=2, samples=2000, burst_lines=500),
            acquisition,
            terrain_of(hills(*CENTRE)),
        )
        safe = folder / f"{images[0].name}.SAFE"
        for measurement in write_annotation(safe, images):
            measurement.write_bytes(b"II*\0")
        write_manifest(safe, images)
        vectors[images[0].name] = images[0].state_vectors
    return folder, vectors


def orbit_file(folder: Path, vectors: StateVectors) -> None:
    """Write state vectors as an orbit file that is valid for two hours about them."""
    lines = []
    for seconds, position, velocity in zip(
        vectors.times, vectors.positions, vectors.velocities, strict=True
    ):
        instant = vectors.epoch + timedelta(seconds=float(seconds))
        values = zip(("X", "Y", "Z", "VX", "VY", "VZ"), (*position, *velocity), strict=True)
        numbers = "".join(f"<{name}>{value:.9f}</{name}>" for name, value in values)
        lines.append(
            f"<OSV><UTC>UTC={instant.isoformat(timespec='microseconds')}</UTC>{numbers}</OSV>"
        )
    ends = [vectors.epoch + timedelta(hours=hours) for hours in (-1, 1)]
    validity = "_".join(f"{end:%Y%m%dT%H%M%S}" for end in ends)
    name = f"S1A_OPER_AUX_POEORB_OPOD_20260401T000000_V{validity}.EOF"
    listed = f'<List_of_OSVs count="{len(lines)}">{"".join(lines)}</List_of_OSVs>'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"<Earth_Explorer_File>{listed}</Earth_Explorer_File>")


def pairs(
    configuration: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[list[dict[str, object]], str]:
    assert main(["pairs", "--json", "--config", str(configuration), *words]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def assert_true(told: list[dict[str, object]]) -> None:
    """Between the three dates; the middle of the images is some kilometres from the track's."""
    found = [one["perpendicular_baseline_m"] for one in told]
    assert found == pytest.approx([80.0, -128.0, -48.0], rel=2e-3)
    parallel = [one["parallel_baseline_m"] for one in told]
    assert parallel == pytest.approx([0.0] * 3, abs=1.5)


def test_baselines_of_products_that_are_here(
    simulated: tuple[Path, dict[str, StateVectors]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configuration = tmp_path / "x.cfg"
    configuration.write_text(
        f"[catalog:lake]\ntype = local\nroots = {simulated[0]}\nindex = index.sqlite\n"
    )
    assert main(["index", "--config", str(configuration)]) == 0
    assert "0 partial and 0 corrupt" in capsys.readouterr().out
    told, errors = pairs(configuration, capsys)
    assert [round(float(str(one["days"]))) for one in told] == [12, 12, 24]
    assert_true(told)
    assert errors == ""
    assert main(["pairs", "--config", str(configuration)]) == 0
    heading, first, *_ = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "track"
    assert first.split()[:3] == ["151", "12", f"{told[0]['perpendicular_baseline_m']:.1f}"]


def test_baselines_of_products_elsewhere(
    simulated: tuple[Path, dict[str, StateVectors]],
    provider: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Name, time and footprint of a catalogue, and orbit files, give what annotations give."""
    box = box_polygon(CENTRE[0] - 0.3, CENTRE[1] - 0.1, CENTRE[0] + 0.3, CENTRE[1] + 0.1)
    provider.provider.add(*(archive(name, footprint=box) for name in simulated[1]))
    configuration = tmp_path / "x.cfg"
    configuration.write_text(
        f"[fournaise]\norbits_folder = orbits\n[catalog:peps]\nurl = {provider.address}/resto\n"
    )
    told, errors = pairs(configuration, capsys)
    assert {one["perpendicular_baseline_m"] for one in told} == {None}
    assert "no baseline of 3 pairs: a product is not here, and no orbit file covers it" in errors
    *some, last = simulated[1].values()
    for vectors in some:
        orbit_file(tmp_path / "orbits" / "2026", vectors)
    told, errors = pairs(configuration, capsys)
    assert [one["perpendicular_baseline_m"] is None for one in told] == [False, True, True]
    assert "no baseline of 2 pairs" in errors
    assert "no orbit file covers it" in str(told[1]["no_baseline"])
    orbit_file(tmp_path / "more", last)
    both = ["--orbits", str(tmp_path / "orbits"), "--orbits", str(tmp_path / "more")]
    told, errors = pairs(configuration, capsys, *both)
    assert_true(told)
    assert errors == ""


def test_what_has_no_readable_orbit_has_no_baseline(
    simulated: tuple[Path, dict[str, StateVectors]], tmp_path: Path
) -> None:
    safes = sorted(simulated[0].glob("*.SAFE"))[:2]
    (pair,) = possible_pairs(describe(safe, Kind.SAFE).product for safe in safes)
    gone = pair._replace(secondary=describe(tmp_path / safes[1].name, Kind.SAFE).product)
    assert pair_baselines([gone])[0].reason == "an orbit that is here cannot be read"


@pytest.mark.shared_data
def test_baseline_of_the_alps(shared_data: Path) -> None:
    """79, 76 and 73 m in the middle of its three swaths."""
    safes = sorted((shared_data / "alps_iw_pair").glob("*.SAFE"))
    pairs_found = possible_pairs(describe(safe, Kind.SAFE).product for safe in safes)
    (found,) = pair_baselines(pairs_found)
    assert found.perpendicular_m is not None
    assert 73.0 < abs(found.perpendicular_m) < 79.0
