"""Jobs bring what their products need: orbits, elevation and the geoid, over real sockets."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from owslib.wps import ASYNC, WebProcessingService

from catalog.index import ProductIndex
from kernels.chains.dinsar_pair import CHAIN as DINSAR
from kernels.chains.ortho_tiling import CHAIN as ORTHO
from kernels.chains.registry import Chain
from kernels.chains.request import Request
from kernels.chains.tiling_series import CHAIN as SERIES
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, RequestError
from kernels.products.sentinel1 import open_sentinel1
from kernels.simulation import Acquisition, Scene, StripMapMode, simulate
from processes.background import background_server, free_address
from processes.catalogue.bringing import network_of
from processes.catalogue.supplying import GEOID_SETTING, Supplied, default_for, supplied
from processes.command_line import main
from processes.dinsar_pair import DinsarPair
from processes.offered import offered_processes
from processes.settings import ConfigurationError, Settings, read_settings
from tests.catalog.scripted import Fault, ScriptedProduct, ScriptedResto, Server, serving
from tests.catalog.scripted.bucket import LISTING, ScriptedBucket
from tests.processes.test_catalogue import PASSWORD, USER
from tests.products.samples import zip_folder
from tests.series import CENTRE, START, Series, hills
from tests.tile_lake import DAYS, TILES, TileLake

TILE = "Copernicus_DSM_COG_10_{north}_00_{east}_00_DEM"
HERE = TILE.format(north="S22", east="E055")
"""Of the simulated scene; south of it and east of it there is sea."""
ORBIT_NAME = "{platform}_OPER_AUX_{kind}_OPOD_{created:%Y%m%dT%H%M%S}_V{start}_{stop}.EOF"


def orbit_of(product: Path, kind: str) -> tuple[str, bytes]:
    """An orbit file with the vectors of a product's own annotation, under its published name."""
    opened = open_sentinel1(product)
    image = opened.slc(opened.images[0].swath, "VV")
    vectors = image.state_vectors
    entries = []
    for seconds, position, velocity in zip(
        vectors.times, vectors.positions, vectors.velocities, strict=True
    ):
        instant = vectors.epoch + timedelta(seconds=float(seconds))
        values = zip(("X", "Y", "Z", "VX", "VY", "VZ"), (*position, *velocity), strict=True)
        texts = "".join(f"<{name}>{value:.9f}</{name}>" for name, value in values)
        entries.append(
            f"<OSV><UTC>UTC={instant.isoformat(timespec='microseconds')}</UTC>{texts}</OSV>"
        )
    text = (
        '<?xml version="1.0"?><Earth_Explorer_File><Data_Block type="xml">'
        f'<List_of_OSVs count="{len(entries)}">{"".join(entries)}</List_of_OSVs>'
        "</Data_Block></Earth_Explorer_File>"
    )
    name = ORBIT_NAME.format(
        platform=image.platform,
        kind=kind,
        created=image.start + timedelta(days=21 if kind == "POEORB" else 0.2),
        start=f"{image.start - timedelta(hours=4):%Y%m%dT%H%M%S}",
        stop=f"{image.start + timedelta(hours=2):%Y%m%dT%H%M%S}",
    )
    return f"AUX_{kind}/{name}", text.encode()


def name_of(key: str) -> str:
    return key.rpartition("/")[2]


@pytest.fixture
def store() -> Iterator[Server]:
    with serving(ScriptedBucket()) as server:
        yield server


def bucket_of(server: Server) -> ScriptedBucket:
    assert isinstance(server.provider, ScriptedBucket)
    return server.provider


@pytest.fixture
def orbits(store: Server, tops_series: Series) -> tuple[str, str]:
    """Keys: a precise orbit for the reference, a restituted one for the secondary."""
    found = orbit_of(tops_series.reference, "POEORB"), orbit_of(tops_series.still, "RESORB")
    for key, text in found:
        bucket_of(store).put(key, text)
    return found[0][0], found[1][0]


@pytest.fixture
def elevation(store: Server, tops_series: Series) -> str:
    """Key of the tile under the scene; a list of all tiles tells that there is no other."""
    key = f"{HERE}/{HERE}.tif"
    bucket_of(store).put(key, tops_series.dem.read_bytes())
    bucket_of(store).put("tileList.txt", f"{HERE}\n".encode())
    return key


@dataclass(frozen=True)
class Stored:
    """A store with all that a job needs: the server, and the keys of the files."""

    server: Server
    precise: str
    restituted: str
    tile: str

    @property
    def names(self) -> list[str]:
        return [name_of(key) for key in (self.precise, self.restituted, self.tile)]


@pytest.fixture
def stored(store: Server, orbits: tuple[str, str], elevation: str) -> Stored:
    return Stored(store, *orbits, elevation)


SECTIONS = (
    "[orbits:store]\nurl = {0}\n[elevation:glo30]\nmodel = GLO-30\nurl = {0}\n"
    "tile_list = tileList.txt\n"
)


def configure(folder: Path, sections: str, **options: object) -> Path:
    (folder / "lake").mkdir(exist_ok=True)
    (folder / "fetched").mkdir(exist_ok=True)
    lines = {"state_folder": "var", "data_roots": "lake", "datalake": "fetched"} | options
    lines |= {"job_threads": 1, "worker_slots": 1, "disk_reserve_mb": 1}
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    file = folder / "pywps.cfg"
    file.write_text(f"[fournaise]\n{text}{sections}")
    return file


@pytest.fixture
def settings(store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    file = configure(tmp_path, SECTIONS.format(store.address))
    monkeypatch.setenv("PYWPS_CFG", str(file))
    return read_settings([file])


@pytest.fixture
def request_of(settings: Settings, tops_series: Series) -> Request:
    """As a job has it whose user named two products and nothing else."""
    assert settings.datalake is not None
    return tops_series.request(
        dem=(settings.datalake / "elevation",), orbits=settings.datalake / "orbits"
    )


def supply(
    chain: Chain, request: Request, settings: Settings, progress: Progress | None = None
) -> tuple[Any, Supplied, dict[str, Path]]:
    """What a chain would be run with, what was brought, and the orbits that it would see."""
    folder = settings.state_folder / "work"
    with supplied(chain, request, settings, folder, progress or Progress()) as (made, told, _):
        links = sorted(made.orbits.iterdir()) if made.orbits else []
        seen = {link.name: link.resolve() for link in links}
    assert not folder.exists()  # nothing is left behind
    return made, told, seen


def test_two_products_get_their_orbits_and_elevation(
    request_of: Request, settings: Settings, stored: Stored, tops_series: Series
) -> None:
    assert settings.datalake is not None
    steps: list[str] = []
    shares: list[float] = []

    def hear(share: float, step: str) -> None:
        shares.append(share)
        steps.append(step)

    made, told, seen = supply(DINSAR, request_of, settings, Progress.to(hear))
    precise, restituted, _ = stored.names
    lake = settings.datalake
    assert seen == {name: lake / "orbits" / name for name in (precise, restituted)}
    assert made.dem == (lake / "elevation",)
    assert (lake / "elevation" / f"{HERE}.tif").read_bytes() == tops_series.dem.read_bytes()
    assert told.fetched == [precise, restituted, f"{HERE}.tif"]
    late, sea = told.notes
    assert "restituted one is taken" in late
    assert tops_series.still.stem in late
    assert sea.startswith("no elevation tiles, open sea: ")
    assert f"fetching {precise}" in steps
    assert f"fetching {HERE}.tif" in steps
    assert shares == sorted(shares)
    asked = len(stored.server.log)
    again, told, seen = supply(DINSAR, request_of, settings)
    assert (again.dem, told.fetched, len(seen)) == (made.dem, [], 2)
    # the secondary may have got its precise orbit meanwhile; tiles are not asked for again
    assert {seen.product for seen in stored.server.log[asked:]} <= {LISTING}


def test_products_of_other_sensors_get_their_elevation_and_keep_their_orbits(
    settings: Settings, stored: Stored, tops_series: Series, tmp_path: Path
) -> None:
    assert settings.datalake is not None
    dates = [Acquisition(centre=START + timedelta(days=days), platform="TSX1") for days in (0, 11)]
    mode = StripMapMode(beam="STRIP_011", lines=40, samples=40)
    products = simulate(Scene(dem=hills(*CENTRE)), dates, tmp_path / "lake", mode=mode).products
    request = tops_series.request(
        products[1],
        reference=products[:1],
        dem=(settings.datalake / "elevation",),
        orbits=settings.datalake / "orbits",
    )
    made, told, seen = supply(DINSAR, request, settings)
    assert made.dem == (settings.datalake / "elevation",)
    assert told.fetched == [f"{HERE}.tif"]
    assert seen == {}


def test_without_orbits_the_annotation_serves_and_the_report_says_so(
    request_of: Request, settings: Settings, elevation: str
) -> None:
    _, told, seen = supply(DINSAR, request_of, settings)
    assert seen == {}
    assert sum("the one of its annotation is taken" in note for note in told.notes) == 2


def test_a_store_of_orbits_that_refuses_stops_no_job(
    request_of: Request, settings: Settings, store: Server, elevation: str
) -> None:
    store.faults.always(LISTING, Fault("status", status=403))
    _, told, _ = supply(DINSAR, request_of, settings)
    assert any("store cannot be asked: no access" in note for note in told.notes)


def test_a_store_of_elevation_that_refuses_stops_the_job(
    request_of: Request, settings: Settings, store: Server, elevation: str
) -> None:
    store.faults.always(elevation, Fault("status", status=403))
    with pytest.raises(InputError, match=r"^no access, 127\.0\.0\.1:\d+ says 403"):
        supply(DINSAR, request_of, settings)


def test_a_folder_of_tiles_is_completed_and_other_rasters_are_left_alone(
    request_of: Any, settings: Settings, elevation: str, tops_series: Series, tmp_path: Path
) -> None:
    assert settings.datalake is not None
    own, other = tmp_path / "lake/dem", tmp_path / "lake/lidar"
    for folder in (own, other):
        folder.mkdir()
    (own / "N43E001.hgt").write_bytes(struct.pack(">4h", *range(4)))
    (other / "lidar.tif").write_bytes(tops_series.dem.read_bytes())
    inputs = tops_series.request(dem=(own,))
    made, told, _ = supply(DINSAR, inputs, settings)
    assert made.dem == (own, settings.datalake / "elevation")
    assert told.fetched == [f"{HERE}.tif"]
    for source in (other, tops_series.dem):
        made, told, _ = supply(DINSAR, tops_series.request(dem=(source,)), settings)
        assert (made.dem, told.fetched, told.notes) == ((source,), [], [])


def test_orbits_in_folders_below_the_one_that_is_named_are_found(
    settings: Settings, tops_series: Series, elevation: str, tmp_path: Path
) -> None:
    key, text = orbit_of(tops_series.reference, "POEORB")
    folder = tmp_path / "lake/eof"
    (folder / "S1A/2026").mkdir(parents=True)
    (folder / "S1A/2026" / name_of(key)).write_bytes(text)
    _, told, seen = supply(DINSAR, tops_series.request(orbits=folder), settings)
    assert list(seen) == [name_of(key)]
    assert len(told.notes) == 1  # of the secondary


def test_two_jobs_at_once_fetch_everything_once(
    request_of: Request, settings: Settings, stored: Stored
) -> None:
    bucket = bucket_of(stored.server)
    bucket.chunk_size, bucket.chunk_wait_s = 20_000, 0.005
    folders = [settings.state_folder / name for name in ("one", "two")]

    def run(folder: Path) -> Supplied:
        with supplied(DINSAR, request_of, settings, folder, Progress()) as (_, told, _rest):
            return told

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(run, folders))
    for key in (stored.precise, stored.restituted, stored.tile):
        assert len(stored.server.downloads(key)) == 1
        assert sum(name_of(key) in one.fetched for one in told) >= 1


def test_a_wish_to_stop_is_heard_while_a_tile_is_waited_for(
    request_of: Request, settings: Settings, store: Server, elevation: str
) -> None:
    assert settings.datalake is not None
    store.faults.always(elevation, Fault("stall", share=0.5))

    def stop(_share: float, step: str) -> None:
        if step.startswith("fetching Copernicus"):
            progress.cancelled.set()

    progress = Progress.to(stop)
    began = time.monotonic()
    with pytest.raises(Cancelled):
        supply(DINSAR, request_of, settings, progress)
    assert time.monotonic() - began < 20.0  # the server would be silent for two minutes
    assert not (settings.datalake / "elevation" / f"{HERE}.tif").exists()


def test_the_geoid_is_fetched_where_heights_count_from_it(
    settings: Settings, stored: Stored, tops_series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored.server
    grid = struct.pack(">4d2i", -90.0, -180.0, 90.0, 180.0, 2, 2) + struct.pack(">4f", *[49.0] * 4)
    bucket_of(store).put("egm96_15.gtx", grid)
    with Path(os.environ["PYWPS_CFG"]).open("a") as stream:
        stream.write(f"[geoid:store]\nurl = {store.address}/egm96_15.gtx\n")
    monkeypatch.setenv(GEOID_SETTING, "elsewhere")
    supply(DINSAR, tops_series.request(dem_heights="egm96"), settings)
    assert store.downloads("egm96_15.gtx") == []
    monkeypatch.delenv(GEOID_SETTING)
    try:
        supply(DINSAR, tops_series.request(dem_heights="egm96"), settings)
        assert Path(os.environ[GEOID_SETTING]).read_bytes() == grid
    finally:
        os.environ.pop(GEOID_SETTING, None)


def test_a_series_needs_elevation_under_its_tiles_and_orbits_of_its_products(
    settings: Settings, store: Server, tile_lake: TileLake
) -> None:
    assert settings.datalake is not None
    under = [TILE.format(north=n, east=e) for n in ("S22", "S23") for e in ("E055", "E056")]
    bucket_of(store).put("tileList.txt", "\n".join(under).encode())
    for name in under:
        bucket_of(store).put(f"{name}/{name}.tif", tile_lake.dem.read_bytes())
    request = tile_lake.request(
        last_day=DAYS[1],
        dem=(settings.datalake / "elevation",),
        orbits=settings.datalake / "orbits",
    )
    made, told, _ = supply(SERIES, request, settings)
    # 40KCB spans 54.97 to 56.10 E, 21.59 to 22.60 S
    assert made.dem == (settings.datalake / "elevation",)
    assert set(told.fetched) <= {f"{name}.tif" for name in under}
    assert f"{under[0]}.tif" in told.fetched
    late = [note for note in told.notes if "annotation" in note]
    assert len(late) == 2
    of_product = ORTHO.request.from_values(
        {"products": tile_lake.products[:1], "dem": made.dem, "tiles": [TILES[0]]}
    )
    assert supply(ORTHO, of_product, settings)[1].fetched == []


def test_nothing_is_fetched_where_nothing_is_configured(
    tmp_path: Path, tops_series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = configure(tmp_path, "", data_roots=tops_series.reference.parent)
    monkeypatch.setenv("PYWPS_CFG", str(file))
    settings = read_settings([file])
    names = {"reference": tops_series.reference.stem, "secondary": tops_series.still.stem}
    inputs = {name: ({"data": value},) for name, value in names.items()}
    with pytest.raises(RequestError, match="dem must be given"):
        DinsarPair(settings).make_request(inputs)
    made, told, _ = supply(DINSAR, tops_series.request(), settings)
    assert (made, told) == (tops_series.request(), Supplied())


def test_what_the_server_has_need_not_be_given(settings: Settings) -> None:
    least = {put.identifier: put.min_occurs for put in DinsarPair(settings).inputs}
    assert (least["reference"], least["dem"], least["orbits"]) == (1, 0, 0)
    infos = {info.name: info for info in DINSAR.request.describe()}
    assert settings.datalake is not None
    assert default_for(infos["dem"], settings) == settings.datalake / "elevation"
    assert default_for(infos["polarisation"], settings) is None


def test_a_store_that_is_configured_wrongly_stops_the_start(
    settings: Settings, tmp_path: Path
) -> None:
    configure(tmp_path, "[elevation:glo30]\nmodel = ASTER\n")
    with pytest.raises(ConfigurationError, match="elevation glo30: model must be of GLO-30"):
        offered_processes(settings)


@pytest.fixture
def tape(tops_series: Series, tmp_path: Path) -> Iterator[Server]:
    """A provider that has both products, on tape."""
    (tmp_path / "tape").mkdir()
    resto = ScriptedResto(
        ScriptedProduct(
            name=product.stem,
            body=zip_folder(product, tmp_path / "tape" / f"{product.stem}.zip").read_bytes(),
            storage="tape",
            polls_to_stage=0,
        )
        for product in (tops_series.reference, tops_series.still)
    )
    resto.users = {USER: PASSWORD}
    resto.milliseconds_to_wait = 1_500
    resto.chunk_size, resto.chunk_wait_s = 500_000, 0.02
    (tmp_path / "peps.txt").write_text(f"{USER} {PASSWORD}\n")
    (tmp_path / "peps.txt").chmod(0o600)
    with serving(resto) as server:
        yield server


def _sections(store: Server, tape: Server) -> str:
    return (
        f"[catalog:peps]\nurl = {tape.address}/resto\ncredentials = peps.txt\n"
        f"[catalog:lake]\ntype = local\nroots = fetched\nindex = index.sqlite\n"
        f"{SECTIONS.format(store.address)}"
    )


def test_two_names_are_enough_for_an_interferogram(
    stored: Stored, tape: Server, tops_series: Series, tmp_path: Path
) -> None:
    """Nothing is on disk: products come from tape, orbits and elevation from their store."""
    bucket = bucket_of(stored.server)
    bucket.chunk_size, bucket.chunk_wait_s = 100_000, 0.1
    sections = _sections(stored.server, tape)
    configuration = configure(tmp_path, sections, listen_address=free_address())
    names = [("reference", tops_series.reference.stem), ("secondary", tops_series.still.stem)]
    inputs = [*names, ("dem_heights", "ellipsoid"), ("azimuth_looks", "4"), ("range_looks", "16")]
    seen: list[tuple[str, int]] = []
    with background_server(configuration) as url:
        wps = WebProcessingService(url)
        job = wps.execute("dinsar-pair", inputs, output=[], mode=ASYNC)
        deadline = time.monotonic() + 180.0
        while not job.isComplete() and time.monotonic() < deadline:
            job.checkStatus(sleepSecs=0.1)
            seen.append((job.statusMessage or "", job.percentCompleted or 0))
        assert job.isSucceded(), (seen[-1:], [error.text for error in job.errors])
        (output,) = [one for one in job.processOutputs if one.identifier == "report"]
        with urlopen(output.reference) as answer:
            report = json.load(answer)
    told = [text for text, _ in seen]
    waits = ["waiting for tape S1A_IW_SLC", "fetching S1A_IW_SLC", "fetching Copernicus_DSM"]
    for wait in waits:
        assert any(wait in text for text in told), (wait, list(dict.fromkeys(told)))
    assert [percent for _, percent in seen] == sorted(percent for _, percent in seen)
    assert report["reference"]["orbit_file"] == stored.names[0]
    assert report["secondary"]["orbit_file"] == stored.names[1]
    assert report["coherence"]["mean"] > 0.998
    assert set(report["supplies"]["fetched"]) == {*stored.names, *dict(names).values()}
    assert any("restituted one is taken" in note for note in report["supplies"]["notes"])
    assert str(tmp_path) not in json.dumps(report)
    index = ProductIndex(tmp_path / "index.sqlite")
    assert all(index.find_named(name) for name in dict(names).values())
    assert PASSWORD not in "".join(told)


@pytest.fixture
def on_server(
    stored: Stored, tape: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of a server whose providers have everything, as the current one."""
    tape.provider.milliseconds_to_wait = 10
    sections = _sections(stored.server, tape)
    monkeypatch.setenv("PYWPS_CFG", str(configure(tmp_path, sections)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_takes_names_as_the_server_does(
    on_server: Path, tops_series: Series, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "dinsar-pair", "--reference", tops_series.reference.stem, "--secondary"]
    options = ["--dem-heights", "ellipsoid", "--azimuth-looks", "8", "--range-looks", "32"]
    assert main([*command, tops_series.still.stem, *options, "--output", "out"]) == 0
    assert "out/interferogram.tif" in capsys.readouterr().out.splitlines()
    assert list((on_server / "out").glob(".*")) == []
    report = json.loads((on_server / "out/report.json").read_text())
    assert report["reference"]["orbit"] == "POEORB"
    assert tops_series.still.stem in report["supplies"]["fetched"]
    assert main([*command, "S1Z_nothing", "--output", "out"]) == 2
    assert "secondary must be an existing file or folder, got S1Z" in capsys.readouterr().err


def test_jobs_share_the_limits_of_hosts(settings: Settings) -> None:
    assert network_of(settings).connections_folder == settings.state_folder / "connections"
