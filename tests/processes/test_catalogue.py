"""The catalogue over WPS: searches, products that a job fetches from tape, no secret told."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree
from owslib.wps import ASYNC, SYNC, WebProcessingService, WPSExecution
from werkzeug.test import TestResponse

from catalog.index import ProductIndex
from catalog.scanning import scan
from kernels.chains.artefacts import ChainResult
from kernels.chains.multislc_series import CHAIN, MultislcSeriesRequest
from kernels.engine.progress import Progress
from kernels.errors import Cancelled, InputError, RequestError
from processes.background import background_server, free_address
from processes.catalog_download import CatalogDownload
from processes.catalog_search import CatalogSearch
from processes.catalogue.catalog_download import DownloadRequest
from processes.catalogue.catalog_download import run as download
from processes.catalogue.request import CatalogRequest
from processes.command_line import main
from processes.jobs.model import NewJob
from processes.multislc_series import MultislcSeries
from processes.offered import offered_processes
from processes.preparing import Preparation
from processes.running import run_process
from processes.settings import ConfigurationError, Settings, read_settings
from tests.catalog.scripted import ScriptedResto, Server, archive, serving
from tests.processes.conftest import (
    Service,
    make_configuration,
    read_refusal,
    service_of,
)
from tests.processes.fake_process import Fake
from tests.processes.test_runs import read_outputs

TAPE = "S1A_IW_SLC__1SDV_20210105T060000_20210105T060025_036001_043000_ABCD"
DISK = "S1A_IW_SLC__1SDV_20210117T060000_20210117T060025_036176_043000_BCDE"
ABSENT = "S1A_IW_SLC__1SDV_20210129T060000_20210129T060025_036351_043000_CDEF"
USER, PASSWORD = "jane@example.org", "not-to-be-told"


@pytest.fixture
def provider() -> Iterator[Server]:
    resto = ScriptedResto([archive(TAPE, storage="tape", polls_to_stage=0), archive(DISK)])
    resto.users = {USER: PASSWORD}
    resto.milliseconds_to_wait = 10
    with serving(resto) as server:
        yield server


@pytest.fixture
def configuration(provider: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server that fetches from the provider, with the password in a file."""
    modules = "tests.processes.fake_process"
    file = make_configuration(
        tmp_path, datalake="lake", disk_reserve_mb="1", process_modules=modules
    )
    secret = tmp_path / "peps.txt"
    secret.write_text(f"{USER} {PASSWORD}\n")
    secret.chmod(0o600)
    with file.open("a") as stream:
        stream.write(f"[catalog:peps]\nurl = {provider.address}/resto\ncredentials = peps.txt\n")
    monkeypatch.setenv("PYWPS_CFG", str(file))
    return file


def configure(file: Path, line: str) -> None:
    file.write_text(file.read_text().replace("[fournaise]\n", f"[fournaise]\n{line}\n"))


@pytest.fixture
def settings(configuration: Path) -> Settings:
    return read_settings([configuration])


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    with service_of(settings, CatalogSearch(settings), Fake(settings)) as service:
        yield service


def ask(service: Service, inputs: list[tuple[str, str]], mode: str = ASYNC) -> TestResponse:
    document = WPSExecution().buildRequest("catalog-search", inputs, output=[], mode=mode)
    return service.post(etree.tostring(document))


def fetch(service: Service, address: str) -> str:
    return service.client.get(f"/outputs/{address.partition('/outputs/')[2]}", buffered=True).text


def inputs_of(product: str) -> dict[str, tuple[dict[str, str], ...]]:
    return {"product": ({"data": product},), "dem": ({"data": "dem"},)}


def run_fake(settings: Settings, product: str, progress: Progress) -> None:
    job = NewJob(process="fake", version="1.0", user="", inputs=inputs_of(product), outputs=())
    folders = settings.state_folder / "work", settings.state_folder / "results"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    run_process(Fake(settings), job, work=folders[0], results=folders[1], progress=progress)


def test_a_search_gives_features_and_a_table(service: Service) -> None:
    accepted = ask(service, [("product_type", "SLC"), ("area", "1,43.2,1.5,43.5")])
    service.run_next()
    found = read_outputs(service.status(accepted))
    assert {name: media for name, (media, _) in found.items()} == {
        "products": "application/geo+json",
        "table": "text/csv",
    }
    features = json.loads(fetch(service, found["products"][1]))["features"]
    west, south = features[0]["geometry"]["coordinates"][0][0]
    assert {one["id"]: one["properties"]["storage"] for one in features} == {
        TAPE: "tape",
        DISK: "disk",
    }
    assert (west, south) == (0.0, 43.0)
    rows = csv.DictReader(fetch(service, found["table"][1]).splitlines())
    # (36001 - 73) mod 175 + 1, and twelve days later the same track
    assert {row["name"]: row["relative_orbit"] for row in rows} == {TAPE: "54", DISK: "54"}


def test_a_search_answers_at_once(service: Service) -> None:
    worker = threading.Timer(0.3, service.run_next)
    worker.start()
    answer = ask(service, [("last_day", "2021-01-06")], mode=SYNC)
    worker.join()
    products = json.loads(fetch(service, read_outputs(answer)["products"][1]))
    assert [one["id"] for one in products["features"]] == [TAPE]
    assert products["problems"] == []


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("first_day", "yesterday", "first_day must be a day as 2016-08-15"),
        ("area", "1,2,3", "area must be"),
        ("tile", "99ZZZ", "tile must be"),
        ("collection", "../S1", "collection must be a name of letters and digits"),
        ("names", "http://127.0.0.1/", "names must be names of products"),
    ],
)
def test_a_question_is_checked_when_it_is_asked(
    service: Service, provider: Server, name: str, value: str, rule: str
) -> None:
    refusal = read_refusal(ask(service, [(name, value)]))
    assert refusal.locator == name
    assert refusal.text.startswith(rule)
    assert provider.log == []


def test_two_places_are_one_too_many() -> None:
    with pytest.raises(RequestError, match="tile must be left out where area says where"):
        CatalogRequest(area="1,43,2,44", tile="31TCJ")


def test_no_secret_is_an_input_and_searches_are_never_reused() -> None:
    for process in (CatalogSearch(Settings()), CatalogDownload(Settings())):
        names = " ".join(put.identifier for put in process.inputs)
        assert not any(word in names for word in ("user", "password", "key", "token", "url"))
        assert not process.is_repeatable


def test_a_product_on_tape_is_fetched_by_the_job_alone(
    settings: Settings, provider: Server, service: Service
) -> None:
    accepted = service.execute([("product", TAPE), ("dem", "dem")])
    assert "place 1 in the queue" in accepted.text
    assert provider.log == []  # the web tier asks nobody
    told: list[tuple[float, str]] = []
    run_fake(settings, TAPE, Progress.to(lambda share, step: told.append((share, step))))
    steps = list(dict.fromkeys(step for _, step in told))
    assert steps[0] == "asking the catalogue"
    assert f"waiting for tape {TAPE}, 1 of 1" in steps
    assert steps[-4:] == [
        f"fetched {TAPE}, 1 of 1",
        "reading the product",
        "resampling",
        "done",
    ]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    body = provider.provider.products[TAPE].body
    assert (settings.datalake / f"{TAPE}.zip").read_bytes() == body
    asked = len(provider.log)
    run_fake(settings, TAPE, Progress())
    assert len(provider.log) == asked  # it is in the data folders now


@pytest.mark.parametrize(
    "name",
    [
        "S1A_Z",
        f"elsewhere/{TAPE}",
        f"../{TAPE}",
        "http://127.0.0.1/" + TAPE,
        TAPE.replace("SLC_", "GRDH"),
        "S2A_MSIL1C_20210105T105441_N0209_R051_T31TCJ_20210105T130129",
    ],
)
def test_only_names_of_usable_products_are_taken_on_trust(service: Service, name: str) -> None:
    refusal = read_refusal(service.execute([("product", name), ("dem", "dem")]))
    assert refusal.locator == "product"
    assert refusal.text.startswith("product must be the name of a product or a path in the data")


def test_without_providers_names_are_refused_as_ever(tmp_path: Path, configuration: Path) -> None:
    text = configuration.read_text()
    configuration.write_text(text[: text.index("[catalog:")])
    with pytest.raises(RequestError, match="product must be the name of a product or a path"):
        Fake(read_settings([configuration])).make_request(inputs_of(TAPE))


def test_a_product_that_nobody_has_fails_the_job(settings: Settings) -> None:
    with pytest.raises(InputError, match=f"no catalogue of this server has {ABSENT}"):
        run_fake(settings, ABSENT, Progress())


def test_what_an_index_knows_is_used_where_it_lies(
    settings: Settings, provider: Server, configuration: Path
) -> None:
    folder = configuration.parent / "archive/2021/01/17"
    folder.mkdir(parents=True)
    (folder / f"{DISK}.zip").write_bytes(provider.provider.products[DISK].body)
    with configuration.open("a") as stream:
        stream.write("[catalog:archive]\ntype = local\nroots = archive\nindex = index.sqlite\n")
    scan(ProductIndex(configuration.parent / "index.sqlite"), configuration.parent / "archive")
    names = Fake(settings).make_request(inputs_of(DISK)).to_values()
    assert names["product"] == str(folder / f"{DISK}.zip")
    assert provider.log == []


def test_a_catalogue_that_is_configured_wrongly_stops_the_start(
    settings: Settings, configuration: Path
) -> None:
    with configuration.open("a") as stream:
        stream.write("[catalog:other]\ntype = none\n")
    with pytest.raises(ConfigurationError, match="catalog other: type must be of local, resto"):
        offered_processes(settings)


def test_the_same_search_as_a_command(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", "catalog-search", "--names", DISK, "--output", str(tmp_path / "found")]
    assert main(command) == 0
    table = tmp_path / "found/table.csv"
    assert str(table) in capsys.readouterr().out
    assert [row["storage"] for row in csv.DictReader(table.read_text().splitlines())] == ["disk"]


def test_a_wish_to_stop_is_heard_while_tape_is_waited_for(
    settings: Settings, provider: Server
) -> None:
    provider.provider.milliseconds_to_wait = 60_000

    def stop(_share: float, step: str) -> None:
        if step.startswith("waiting for tape"):
            progress.cancelled.set()

    progress = Progress.to(stop)
    with pytest.raises(Cancelled):
        run_fake(settings, TAPE, progress)
    assert not (settings.datalake / f"{TAPE}.zip").exists()


def series_of(settings: Settings, **changed: str) -> Preparation:
    """A series over what the catalogue has, whose chain tells which products it was given."""
    values = {
        "first_day": "2021-01-01",
        "last_day": "2021-01-31",
        "track": "54",
        "region": "1,43.2,1.5,43.5",
        "dem": "dem",
        "catalogue": "true",
    } | changed
    process = MultislcSeries(settings)
    found = process.prepare({name: ({"data": text},) for name, text in values.items()}, "ann")

    def run(request: MultislcSeriesRequest, folder: Path, _: Progress) -> ChainResult:
        report = folder / "report.json"
        report.write_text(json.dumps({"products": [path.name for path in request.products]}))
        return ChainResult.of((CHAIN.outputs[-1],), {"report": report}, {})

    chain = replace(CHAIN, run=run, plan=None, products=lambda _request, _progress: ())
    return replace(found, chain=chain)


def test_a_series_fetches_what_catalogues_have_of_its_track(
    settings: Settings, provider: Server, tmp_path: Path
) -> None:
    asked = []
    for number, fetched in ((1, [TAPE, DISK]), (2, [])):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        series_of(settings).run(folder, Progress())
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert sorted(report["products"]) == [f"{TAPE}.zip", f"{DISK}.zip", "lake"]
        assert sorted(report.get("supplies", {}).get("fetched", [])) == sorted(fetched)
        asked.append(len(provider.downloads()))
    assert asked[0] == asked[1]


def test_a_series_fetches_nothing_that_it_does_not_take(
    settings: Settings, provider: Server, tmp_path: Path
) -> None:
    for changed in (
        {"swaths": "S4"},
        {"polarisation": "HH"},
        {"track": "55"},
        {"last_day": "2021-01-04"},
        {"catalogue": "false"},
    ):
        series_of(settings, **changed).run(tmp_path, Progress())
    series_of(settings, excluded_days="20210105").run(tmp_path, Progress())
    assert len(provider.downloads()) == 1
    with pytest.raises(RequestError, match="catalogue must be false without track and region"):
        series_of(settings, track="").request()


def test_a_product_of_a_series_that_failed_is_told(
    settings: Settings, provider: Server, tmp_path: Path
) -> None:
    provider.provider.products[DISK].moved_to = "elsewhere"
    series_of(settings).run(tmp_path, Progress())
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["products"] == ["lake", f"{TAPE}.zip"]
    (note,) = report["supplies"]["notes"]
    assert note.startswith(f"{DISK} could not be fetched: ")


def test_downloads_report_what_came_and_what_was_there(settings: Settings, tmp_path: Path) -> None:
    orbit = DownloadRequest(relative_orbit=54)
    first = download(orbit, tmp_path / "first", Progress()).report
    assert first["counts"] == {"fetched": 2, "there": 0, "failed": 0}
    (settings.datalake / f"{TAPE}.zip").unlink()
    second = download(DownloadRequest(names=(TAPE, DISK)), tmp_path / "second", Progress())
    assert [one["name"] for one in second.report["fetched"]] == [TAPE]
    assert [one["name"] for one in second.report["there"]] == [DISK]
    written = second.artefact("report").path.read_text()
    assert json.loads(written) == second.report
    assert str(tmp_path) not in written


def test_one_download_that_fails_stops_no_other(
    provider: Server, settings: Settings, tmp_path: Path
) -> None:
    provider.provider.products[DISK].moved_to = "elsewhere"
    report = download(DownloadRequest(names=(DISK, TAPE)), tmp_path / "out", Progress()).report
    assert report["counts"] == {"fetched": 1, "there": 0, "failed": 1}
    assert "moved" in report["failed"][0]["reason"]


def test_downloads_say_what_is_wanted() -> None:
    with pytest.raises(RequestError, match="names must be given, or a place or an orbit"):
        DownloadRequest()
    with pytest.raises(RequestError, match="tile must be left out where names are given"):
        DownloadRequest(names=(TAPE,), tile="31TCJ")


def test_more_than_a_user_may_have_is_not_fetched(
    configuration: Path, provider: Server, tmp_path: Path
) -> None:
    provider.provider.products[DISK].size = 2_000_000_000
    configure(configuration, "user_results_gb = 1")
    with pytest.raises(InputError, match=r"products have 2\.0 GB together, a user may have 1 GB"):
        download(DownloadRequest(names=(DISK,)), tmp_path / "out", Progress())
    assert provider.downloads() == []


def test_a_real_server_fetches_and_tells_no_secret(
    configuration: Path, settings: Settings, provider: Server
) -> None:
    provider.provider.milliseconds_to_wait = 2_000
    configure(configuration, f"listen_address = {free_address()}")
    seen = []
    with background_server(configuration) as url:
        wps = WebProcessingService(url)
        search = wps.execute("catalog-search", [("names", TAPE)], output=[], mode=SYNC)
        assert search.isSucceded()
        job = wps.execute("fake", [("product", TAPE), ("dem", "dem")], output=[], mode=ASYNC)
        deadline = time.monotonic() + 90.0
        while not job.isComplete() and time.monotonic() < deadline:
            job.checkStatus(sleepSecs=0.1)
            seen.append(job.response.decode())
    assert job.isSucceded(), seen[-1]
    assert any(f"waiting for tape {TAPE}, 1 of 1" in text for text in seen)
    assert PASSWORD not in "".join(seen)
    for path in settings.state_folder.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
