"""The examples of deploy/ against the programs that read them."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from processes.settings import CHECKOUT, check_access, read_settings
from processes.web.bodies import LARGEST

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_understood_by_systemd(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    text = unit.read_text().replace("/opt/fournaise/.venv/bin/python", sys.executable)
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [program, "verify", tmp_path / unit.name], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "fournaise" in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_come_back_however_often_they_are_killed(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert {"Restart=always", "RestartSec=2", "StartLimitIntervalSec=0"} <= set(lines)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_give_no_rights_away(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    service = parser["Service"]
    assert service["User"] == "fournaise"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    # compiled loops need memory that is written and run
    assert "MemoryDenyWriteExecute" not in service


def test_jobs_outlive_the_unit_of_their_worker() -> None:
    text = (DEPLOY / "systemd" / "fournaise-worker@.service").read_text()
    assert "\nKillMode=process\n" in text


def test_services_of_the_composition_share_store_state_and_configuration() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"database", "web", "worker"}
    web, worker = services["web"], services["worker"]
    assert web["volumes"] == worker["volumes"]
    assert web["environment"] == worker["environment"]
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])
    assert worker["command"] == ["python", "-m", "processes.jobs", "worker"]


def test_secrets_beside_the_composition_stay_out_of_image_and_repository() -> None:
    """The whole checkout is copied into the image."""
    compose = (DEPLOY / "compose.yaml").read_text()
    assert "COPY . ." in (DEPLOY / "Containerfile").read_text()
    assert "./pywps.cfg:" in compose
    assert "${POSTGRES_PASSWORD" in compose
    for name in ("deploy/.env", "deploy/pywps.cfg"):
        assert name in (CHECKOUT / ".dockerignore").read_text().splitlines()
        assert f"/{name}" in (CHECKOUT / ".gitignore").read_text().splitlines()


def test_the_database_is_waited_for_by_address() -> None:
    """While it is made the first time it answers on its socket, and is stopped again."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    test = services["database"]["healthcheck"]["test"]
    assert test == ["CMD", "pg_isready", "-U", "fournaise", "-h", "127.0.0.1"]


def test_the_configuration_of_the_containers_is_read(tmp_path: Path) -> None:
    """Every option is known, and the server may listen with it."""
    text = (DEPLOY / "pywps.container.cfg").read_text()
    configuration = tmp_path / "pywps.cfg"
    configuration.write_text(text.replace("data_roots = /data", f"data_roots = {tmp_path}"))
    settings = read_settings([configuration])
    check_access(settings)
    assert settings.listen_address == "0.0.0.0:5000"


def test_images_are_named_without_hosts() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text()
    assert re.findall(r"^FROM (.*)$", containerfile, re.MULTILINE) == ["debian:12"]
    assert "scripts/setup.sh" in containerfile


def test_the_proxy_refuses_exactly_what_the_server_would() -> None:
    """A body that only the server refuses is told as a bad gateway: it stops reading."""
    text = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"client_max_body_size +(\w+);", text) == [str(LARGEST)]
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/wps", "/wps"),
        ("/health", "/health"),
        ("/key/KEY", "/key/..."),
        ("/key/KEY/wps", "/key/.../wps"),
        ("/outputs/pywps-0123456789abcdef0123456789abcdef.xml", "/outputs/pywps-0123..."),
        ("/outputs/0123456789abcdef0123456789abcdef/phase.tif", "/outputs/0123..."),
        ("/outputs/0123456789abcdef0123456789abcdef-phase.tif", "/outputs/0123..."),
        ("/key/KEY/outputs/pywps-0123456789abcdef0123456789abcdef.json", "/outputs/pywps-0123..."),
        ("/key/KEY/outputs/0123456789abcdef0123456789abcdef/a.tif", "/outputs/0123..."),
    ],
)
def test_the_proxy_logs_neither_keys_nor_addresses_of_jobs(path: str, shown: str) -> None:
    """By the rules of its log, the first that fits as nginx takes them."""
    text = (DEPLOY / "nginx.conf").read_text()
    rules = re.findall(r'^ +"~(\S+)" +"(\S+)";$', text, re.MULTILINE)
    assert len(rules) == 2
    for pattern, target in rules:
        if found := re.search(pattern.replace("(?<", "(?P<"), path):
            assert re.sub(r"\$(\w+)", lambda name, found=found: found[name[1]], target) == shown
            return
    assert path == shown


def test_every_site_of_the_proxy_has_its_own_quiet_logs() -> None:
    """Where a server names none, its requests go into the log of all sites, keys and all."""
    sites = (DEPLOY / "nginx.conf").read_text().split("\nserver {")[1:]
    assert len(sites) == 2
    for site in sites:
        assert re.findall(r"access_log +\S+ (\w+);", site) == ["fournaise"]
        # messages of crit, such as that of a full disk, repeat the request
        assert re.findall(r"error_log +\S+ (\w+);", site) == ["emerg"]
