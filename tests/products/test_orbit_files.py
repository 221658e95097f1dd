"""Choice and content of orbit files."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.errors import OrbitError
from kernels.model import OrbitSource, StateVectors
from kernels.products.orbit_files import choose_state_vectors, list_orbit_files
from tests.products import samples

EPOCH = datetime(2023, 4, 5)
STOP = samples.START + timedelta(seconds=10)
ANNOTATED = StateVectors(
    epoch=EPOCH,
    times=np.zeros(1),
    positions=np.zeros((1, 3)),
    velocities=np.zeros((1, 3)),
    source=OrbitSource.ANNOTATION,
    origin="annotation.xml",
)


def choose(orbits: Path | None) -> StateVectors:
    return choose_state_vectors(
        orbits, platform="S1A", start=samples.START, stop=STOP, annotated=ANNOTATED
    )


def add(folder: Path, name: str, *, height: float = 0.0) -> str:
    (folder / name).write_text(samples.orbit_file(height=height))
    return name


def test_without_a_folder_the_annotation_s_orbit_is_used() -> None:
    assert choose(None) is ANNOTATED


def test_where_no_file_covers_the_annotation_s_orbit_is_used(tmp_path: Path) -> None:
    add(tmp_path, samples.orbit_file_name("POEORB", platform="S1B"))
    (tmp_path / "notes.txt").write_text("not an orbit")
    assert choose(tmp_path) is ANNOTATED


def test_precise_goes_before_restituted_and_newest_before_older(tmp_path: Path) -> None:
    add(tmp_path, samples.orbit_file_name("RESORB", created="20230601T000000"), height=1.0)
    assert choose(tmp_path).positions[0, 0] == 7e6 + 1.0
    add(tmp_path, samples.orbit_file_name("POEORB", created="20230425T080000"), height=2.0)
    assert choose(tmp_path).positions[0, 0] == 7e6 + 2.0
    newest = add(tmp_path, samples.orbit_file_name("POEORB", created="20230426T080000"), height=3.0)
    add(tmp_path, samples.orbit_file_name("POEORB", created="20230424T080000"), height=4.0)
    chosen = choose(tmp_path)
    assert chosen.positions[0, 0] == 7e6 + 3.0
    assert (chosen.source, chosen.origin) == (OrbitSource.PRECISE, newest)


@pytest.mark.parametrize(
    ("first", "last", "source"),
    [
        (-60, 71, OrbitSource.PRECISE),
        (-59, 71, OrbitSource.ANNOTATION),
        (-60, 70, OrbitSource.ANNOTATION),
    ],
)
def test_a_file_must_reach_a_minute_beyond_both_ends(
    tmp_path: Path, first: int, last: int, source: OrbitSource
) -> None:
    # names hold whole seconds; the acquisition lasts from 0.25 s to 10.25 s after this one
    second = samples.START.replace(microsecond=0)
    start, stop = second + timedelta(seconds=first), second + timedelta(seconds=last)
    add(tmp_path, samples.orbit_file_name("POEORB", start=start, stop=stop))
    assert choose(tmp_path).source is source


def test_vectors_are_those_around_the_product_in_its_epoch(tmp_path: Path) -> None:
    (tmp_path / samples.orbit_file_name("POEORB")).write_text(
        samples.orbit_file(first=-4000.0, last=4000.0)
    )
    vectors = choose(tmp_path)
    # -100 to 110 s about the first line at 23:59:58.25
    np.testing.assert_allclose(vectors.times, 86398.25 + np.arange(-100, 111, 10), atol=1e-9)
    np.testing.assert_allclose(
        vectors.positions[:, 1], 7500.0 * (vectors.times - 86398.25), atol=1e-4
    )
    assert vectors.velocities.tolist() == [[0.0, 7500.0, 0.0]] * 22
    assert vectors.epoch == EPOCH


@pytest.mark.parametrize("packing", ["each", "all", "one", "plain"])
def test_zipped_orbit_files_are_read_in_place(tmp_path: Path, packing: str) -> None:
    name = samples.orbit_file_name("RESORB")
    folder = tmp_path / "orbits"
    folder.mkdir()
    target = {
        "each": folder / f"{name}.zip",
        "all": tmp_path / "orbits.zip",
        "one": tmp_path / f"{name}.zip",
        "plain": tmp_path / name,
    }[packing]
    if packing == "plain":
        target.write_text(samples.orbit_file())
    else:
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(f"deep/{name}", samples.orbit_file())
    chosen = choose(folder if packing == "each" else target)
    assert (chosen.source, chosen.origin) == (OrbitSource.RESTITUTED, name)


@given(
    platform=st.sampled_from(["S1A", "S1B", "S1C", "S1D"]),
    kind=st.sampled_from(["POEORB", "RESORB"]),
    start=st.datetimes(min_value=datetime(2014, 4, 3), max_value=datetime(2060, 1, 1)),
    hours=st.integers(1, 30),
)
def test_names_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    platform: str,
    kind: str,
    start: datetime,
    hours: int,
) -> None:
    begin = start.replace(microsecond=0)
    end = begin + timedelta(hours=hours)
    path = tmp_path_factory.mktemp("orbits") / samples.orbit_file_name(
        kind, platform=platform, start=begin, stop=end
    )
    path.touch()
    (file,) = list_orbit_files(path.parent)
    assert (file.platform, file.source, file.start, file.stop) == (platform, kind, begin, end)
    assert file.name == path.name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrbitError, match=r"orbit folder .*/none does not exist"):
        choose(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (samples.orbit_file()[:-300], "is cut off or not well-formed XML"),
        ("", "is cut off or not well-formed XML"),
        (samples.orbit_file(first=-30.0), "does not hold the vectors that its name promises"),
        (samples.orbit_file(last=40.0), "does not hold the vectors that its name promises"),
        (samples.orbit_file(first=500.0, last=600.0), "has no increasing vectors around"),
        (samples.orbit_file().replace('<VX unit="m/s">0</VX>', ""), "is no number"),
        (
            samples.orbit_file().replace("2023-04-05T23:59:58.25", "2023-04-05T23:99"),
            "is no number",
        ),
    ],
)
def test_a_damaged_orbit_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    name = samples.orbit_file_name("POEORB")
    (tmp_path / name).write_text(content)
    with pytest.raises(OrbitError) as caught:
        choose(tmp_path)
    assert str(caught.value).startswith(f"orbit file {name}")
    assert message in str(caught.value)


def test_a_vector_left_out_is_found(tmp_path: Path) -> None:
    name = samples.orbit_file_name("POEORB")
    entries = samples.orbit_file().split("<OSV>")
    (tmp_path / name).write_text("<OSV>".join(entries[:21] + entries[22:]))
    with pytest.raises(OrbitError, match="leaves out vectors"):
        choose(tmp_path)


def test_other_zips_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / f"{samples.PRODUCT}.zip").write_bytes(b"PK, downloaded in part")
    name = add(tmp_path, samples.orbit_file_name("POEORB"))
    assert choose(tmp_path).origin == name


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / f"{samples.orbit_file_name('POEORB')}.zip"
    damaged.write_bytes(b"PK no zip")
    for orbits in (damaged, tmp_path):
        with pytest.raises(OrbitError, match=rf"{damaged.name} cannot be read"):
            choose(orbits)
