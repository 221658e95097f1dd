"""Several threads, processes and hosts; processes that are killed; disks that are full."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.download import Downloader, Form
from catalog.errors import AccessError, AnswerError, QueryError, StorageError, UnreachableError
from catalog.hosts import Connections
from catalog.progress import Progress
from catalog.requesting import Network
from tests.catalog.fetching import (
    FORM,
    NAME,
    QUICK,
    Key,
    names_in,
    numbered_name,
    product_at,
    source_of,
)
from tests.catalog.scripted import Fault, ScriptedProduct, ScriptedResto, Server, serving
from tests.catalog.scripted.server import wait_for

ROOT = Path(__file__).resolve().parents[2]


def _start(
    provider: Server, product: ScriptedProduct, folder: Path, **asked: Any
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.catalog.fetching_process", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    json.dump(
        {
            "address": provider.download_address(product.name),
            "size": len(product.body),
            "md5": hashlib.md5(product.body).hexdigest(),
            "name": product.name,
            **asked,
        },
        process.stdin,
    )
    process.stdin.close()
    return process


def _end(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    with process.stdout:
        text = process.stdout.read()
    assert process.wait(60) == 0
    return json.loads(text)


def _slow(provider: Server, seconds: float = 1.0, pieces: int = 20) -> None:
    provider.provider.chunk_size = 300_000 // pieces
    provider.provider.chunk_wait_s = seconds / pieces


def test_two_threads_fetch_a_product_once(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    _slow(provider)
    source = source_of(provider, product)
    told: list[Progress] = []
    downloader = Downloader(QUICK, report=told.append)
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(downloader.fetch_product, source, tmp_path, NAME, FORM) for _ in range(2)
        ]
        found = [call.result() for call in calls]
    assert sorted(was_there for _, was_there in found) == [False, True]
    assert len(provider.downloads()) == 1
    assert any(one.text == "another process fetches it" for one in told)
    assert names_in(tmp_path) == [f"{NAME}.zip"]


def test_two_processes_fetch_a_product_once(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    _slow(provider, seconds=3.0)
    processes = [_start(provider, product, tmp_path) for _ in range(2)]
    found = [_end(process) for process in processes]
    assert sorted(one["was_there"] for one in found) == [False, True]
    assert len(provider.downloads()) == 1
    assert names_in(tmp_path) == [f"{NAME}.zip"]
    assert (tmp_path / f"{NAME}.zip").read_bytes() == product.body


def test_killed_download_is_gone_on_with(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.plan(NAME, Fault("stall", share=0.6))
    process = _start(provider, product, tmp_path)
    part = tmp_path / f".{NAME}.zip.part"
    reached = int(len(product.body) * 0.6)
    wait_for(lambda: part.is_file() and part.stat().st_size == reached)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert f"{NAME}.zip" not in names_in(tmp_path)
    assert _end(_start(provider, product, tmp_path))["was_there"] is False
    assert (tmp_path / f"{NAME}.zip").read_bytes() == product.body
    assert names_in(tmp_path) == [f"{NAME}.zip"]
    assert provider.downloads()[-1].headers["range"] == f"bytes={reached}-"


def test_key_is_not_in_the_list_of_processes(provider: Server, tmp_path: Path) -> None:
    """As long as a download lasts, in what everybody can read of the process."""
    product = product_at(provider)
    planted = "Xq7-planted-secret"
    provider.provider.keys = {planted}
    provider.faults.plan(NAME, Fault("stall"))
    process = _start(provider, product, tmp_path, key=planted)
    wait_for(lambda: bool(provider.downloads()))
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert b"fetching_process" in shown
    assert planted.encode() not in shown
    assert children == ""


def test_key_does_not_go_to_another_host(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.provider.keys = {"Xq7"}
    with serving(ScriptedResto([product])) as elsewhere:
        provider.faults.plan(NAME, Fault("redirect", to=elsewhere.download_address(NAME)))
        source = source_of(provider, product, credentials=Key("Xq7"))
        Downloader(QUICK).fetch_product(source, tmp_path, NAME, FORM)
        assert provider.downloads()[0].headers["x-api-key"] == "Xq7"
        (asked,) = elsewhere.downloads()
        assert "Xq7" not in repr(asked.headers)
        assert asked.status == 200


def test_other_host_that_wants_credentials_gets_none(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    with serving(ScriptedResto([product])) as elsewhere:
        elsewhere.provider.users["me"] = "word"
        provider.faults.always(NAME, Fault("redirect", to=elsewhere.download_address(NAME)))
        key = Key("Xq7", "Xq8")
        source = source_of(provider, product, credentials=key)
        with pytest.raises(AccessError, match="401: Unauthorized"):
            Downloader(QUICK).fetch_product(source, tmp_path, NAME, FORM)
        assert key.refusals == 0
        assert [seen.status for seen in elsewhere.log] == [401]


def test_redirect_on_the_same_host_keeps_the_key(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.provider.keys = {"Xq7"}
    provider.faults.plan(NAME, Fault("redirect", to=f"{provider.download_address(NAME)}/"))
    source = source_of(provider, product, credentials=Key("Xq7"))
    Downloader(QUICK).fetch_product(source, tmp_path, NAME, FORM)
    assert [seen.status for seen in provider.downloads()] == [302, 200]


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirect_to_anything_but_the_web_is_refused(
    provider: Server, tmp_path: Path, to: str
) -> None:
    product = product_at(provider)
    provider.faults.always(NAME, Fault("redirect", to=to))
    with pytest.raises(AnswerError, match="leads to where nothing is protected"):
        Downloader(QUICK).fetch_product(source_of(provider, product), tmp_path, NAME, FORM)


def test_redirects_in_circles_end(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    provider.faults.always(NAME, Fault("redirect", to=provider.download_address(NAME)))
    with pytest.raises(AnswerError, match="leads in circles"):
        Downloader(QUICK).fetch_product(source_of(provider, product), tmp_path, NAME, FORM)


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A provider that no bodies of other tests are still sent from."""
    with serving(ScriptedResto()) as server:
        yield server


@pytest.mark.parametrize("limit", [1, 3])
def test_host_gets_no_more_connections_than_it_allows(
    fresh: Server, tmp_path: Path, limit: int
) -> None:
    products = [product_at(fresh, size=20_000, name=numbered_name(n)) for n in range(9)]
    fresh.provider.chunk_size, fresh.provider.chunk_wait_s = 10_000, 0.03
    downloader = Downloader(QUICK)
    with ThreadPoolExecutor(9) as pool:
        for product in products:
            source = source_of(fresh, product, connections=limit)
            pool.submit(downloader.fetch_product, source, tmp_path, product.name, FORM)
    assert fresh.provider.most_active == limit
    assert names_in(tmp_path) == sorted(f"{product.name}.zip" for product in products)


def test_processes_share_the_connections_of_a_host(fresh: Server, tmp_path: Path) -> None:
    products = [product_at(fresh, name=numbered_name(n)) for n in range(3)]
    _slow(fresh)
    shared = {"slots": str(tmp_path / "slots"), "connections": 1}
    processes = [_start(fresh, one, tmp_path / "out", **shared) for one in products]
    assert [_end(process)["was_there"] for process in processes] == [False] * 3
    assert fresh.provider.most_active == 1


def test_connections_are_given_in_the_order_of_asking() -> None:
    connections, cancel = Connections(), threading.Event()
    order: list[int] = []
    inside = threading.Event()

    def take(number: int) -> None:
        with connections.one("host", 1, cancel):
            order.append(number)
            inside.wait(20)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        gate = connections._gates["host"]
        wait_for(lambda n=number, g=gate: g.inside + len(g.waiting) == n + 1)
    inside.set()
    for thread in threads:
        thread.join(20)
    assert order == list(range(6))


def test_certificates_are_checked(
    protected: Server, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    product = product_at(protected)
    source = source_of(protected, product)
    with pytest.raises(UnreachableError, match=r"certificate of .* is not trusted"):
        Downloader(QUICK).fetch_product(source, tmp_path, NAME, FORM)
    assert protected.downloads() == []
    trusting = replace(QUICK, ca_bundle=certificate[0])
    protected.faults.plan(NAME, Fault("truncate"))
    Downloader(trusting).fetch_product(source, tmp_path, NAME, FORM)
    assert (tmp_path / f"{NAME}.zip").read_bytes() == product.body


def test_slow_answer_is_ended_behind_tls_too(
    protected: Server, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """What the socket holds then is encrypted, and must not get into the part."""
    product = product_at(protected)
    protected.faults.plan(NAME, Fault("drip", share=0.5), Fault("drip", share=0.5))
    network = replace(QUICK, ca_bundle=certificate[0], minimum_speed=1_000.0, speed_window_s=0.5)
    source = source_of(protected, product)
    told: list[Progress] = []
    Downloader(network, report=told.append).fetch_product(source, tmp_path, NAME, FORM)
    assert (tmp_path / f"{NAME}.zip").read_bytes() == product.body
    assert [seen.status for seen in protected.downloads()] == [200, 206, 206]
    assert sum("too slowly" in progress.text for progress in told) == 2


def test_protected_host_does_not_lead_to_an_open_one(
    protected: Server, provider: Server, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    product = product_at(provider)
    protected.provider.add(product)
    protected.faults.always(NAME, Fault("redirect", to=provider.download_address(NAME)))
    trusting = replace(QUICK, ca_bundle=certificate[0])
    with pytest.raises(AnswerError, match="nothing is protected"):
        Downloader(trusting).fetch_product(source_of(protected, product), tmp_path, NAME, FORM)
    assert provider.downloads() == []


def test_bundle_of_certificates_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="ca_bundle must be a file"):
        Network(ca_bundle=tmp_path / "nothing.pem")


def test_proxy_is_asked_in_the_place_of_the_host(provider: Server, tmp_path: Path) -> None:
    """The scripted provider answers whole addresses too, as a proxy does."""
    product = product_at(provider)
    path = provider.download_address(NAME).removeprefix(provider.address)
    source = source_of(provider, product, address=f"http://provider.invalid{path}")
    network = replace(QUICK, proxies={"http": provider.address})
    Downloader(network).fetch_product(source, tmp_path, NAME, FORM)
    assert provider.downloads()[0].headers["host"] == "provider.invalid"


def test_netrc_is_not_read(
    provider: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else any host that a catalogue names would get what is kept there for another purpose."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password Xq7\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    product = product_at(provider)
    provider.provider.users["me"] = "Xq7"
    with pytest.raises(AccessError):
        Downloader(QUICK).fetch_product(source_of(provider, product), tmp_path, NAME, FORM)
    assert "authorization" not in provider.log[0].headers


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB, for who may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_disk_that_gets_full_keeps_what_came(provider: Server, small_disk: Path) -> None:
    """The catalogue tells no size, so that it is noticed on the way only."""
    product = product_at(provider, size=2_000_000)
    source = source_of(provider, product, size=None)
    with pytest.raises(StorageError, match=f"{NAME}.* cannot be written: the disk is full"):
        Downloader(QUICK).fetch_product(source, small_disk, NAME, FORM)
    (part,) = (path for path in small_disk.iterdir() if path.suffix == ".part")
    kept = part.stat().st_size
    assert kept > 500_000
    assert part.read_bytes() == product.body[:kept]
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    Downloader(QUICK).fetch_product(source, small_disk, NAME, FORM)
    assert provider.downloads()[-1].headers["range"] == f"bytes={kept}-"
    assert (small_disk / f"{NAME}.zip").read_bytes() == product.body


def test_disk_that_gets_full_while_unpacking_leaves_no_product(
    provider: Server, small_disk: Path
) -> None:
    product = product_at(provider, size=600_000)
    source = source_of(provider, product, size=None)
    with pytest.raises(StorageError, match=r"needs .* the disk has"):
        Downloader(QUICK).fetch_product(source, small_disk, NAME, Form(extracted=True, margin=0))
    assert names_in(small_disk) == [f".{NAME}.zip.part"]


def test_limit_of_the_size_of_files_is_told(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    found = _end(_start(provider, product, tmp_path, largest_file=100_000))
    assert found["error"] == "StorageError"
    assert "cannot be written: the disk is full" in found["text"]
    assert names_in(tmp_path) == [f".{NAME}.zip.part", f".{NAME}.zip.part.tag"]
    assert (tmp_path / f".{NAME}.zip.part").stat().st_size == 100_000


def test_product_is_unpacked_and_its_archive_goes(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    form = Form(extracted=True, polarisations=("VH",), margin=0)
    downloader = Downloader(QUICK)
    source = source_of(provider, product)
    whole = tmp_path / f"{NAME}.SAFE"
    assert downloader.fetch_product(source, tmp_path, NAME, form) == (whole, False)
    assert names_in(tmp_path) == [whole.name]
    assert [path.name.split("-")[3] for path in (whole / "measurement").iterdir()] == ["vh"]
    assert downloader.fetch_product(source, tmp_path, NAME, form) == (whole, True)
    assert len(provider.downloads()) == 1
    both = Form(extracted=True, margin=0)
    assert downloader.fetch_product(source, tmp_path, NAME, both) == (whole, False)
    assert len(list((whole / "measurement").iterdir())) == 2
    assert len(provider.downloads()) == 2


def test_archive_that_is_there_is_unpacked_and_stays(provider: Server, tmp_path: Path) -> None:
    product = product_at(provider)
    (tmp_path / f"{NAME}.zip").write_bytes(product.body)
    found = Downloader(QUICK).fetch_product(
        source_of(provider, product), tmp_path, NAME, Form(extracted=True, margin=0)
    )
    assert found == (tmp_path / f"{NAME}.SAFE", False)
    assert names_in(tmp_path) == [f"{NAME}.SAFE", f"{NAME}.zip"]
    assert provider.downloads() == []
