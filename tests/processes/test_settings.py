"""The operator's configuration is read whole or refused."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kernels.chains.tiling_series import TilingSeriesRequest
from processes.settings import (
    CHECKOUT,
    ConfigurationError,
    Settings,
    configuration_files,
    read_settings,
)
from tests.processes.fake_chain import FakeRequest


def write(folder: Path, text: str) -> Path:
    file = folder / "some.cfg"
    file.write_text(f"[fournaise]\n{text}\n")
    return file


def test_the_file_of_the_checkout_states_the_defaults() -> None:
    assert read_settings([CHECKOUT / "pywps.cfg"]) == Settings()


def test_addresses_follow_the_public_one_and_else_the_listening_one(tmp_path: Path) -> None:
    plain = read_settings([write(tmp_path, "listen_address = 127.0.0.2:5011")])
    assert plain.service_url == "http://127.0.0.2:5011/wps"
    everywhere = read_settings([write(tmp_path, "listen_address = 0.0.0.0:5011")])
    assert everywhere.service_url == f"http://{socket.gethostname()}:5011/wps"
    proxied = read_settings([write(tmp_path, "public_url = https://example.test/sar/")])
    assert proxied.outputs_url == "https://example.test/sar/outputs"


def test_relative_paths_count_from_their_file_and_later_files_win(tmp_path: Path) -> None:
    for name in ("one", "two", "dem"):
        (tmp_path / name).mkdir()
    first = write(tmp_path, "data_roots = one\n  two\ndem_path = dem\njob_threads = 3")
    second = tmp_path / "two" / "over.cfg"
    second.write_text("[fournaise]\njob_threads = 5\nstate_folder = state\n")
    settings = read_settings([first, second])
    assert settings.data_roots == (tmp_path / "one", tmp_path / "two")
    assert settings.state_folder == tmp_path / "two" / "state"
    assert settings.job_threads == 5


def test_a_login_to_the_mail_server_is_encrypted_or_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse")
    login = "smtp_server = mail.example.org:587\nsmtp_user = ann\nsmtp_password_file = secret"
    with pytest.raises(ConfigurationError, match="smtp_security must be starttls or tls"):
        read_settings([write(tmp_path, login)])
    settings = read_settings([write(tmp_path, f"{login}\nsmtp_security = starttls")])
    assert settings.smtp_password_file == tmp_path / "secret"
    assert "correct horse" not in repr(settings)


def test_the_environment_names_a_file_that_is_laid_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYWPS_CFG", str(write(tmp_path, "job_threads = 7")))
    assert read_settings().job_threads == 7
    monkeypatch.setenv("PYWPS_CFG", str(tmp_path / "absent.cfg"))
    with pytest.raises(ConfigurationError, match="PYWPS_CFG must name a file"):
        configuration_files()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data_root = x", "options of fournaise must be of listen_address.* got data_root"),
        ("home = x", "got home"),
        ("listen_address = 5000", "listen_address must be a host and a port"),
        ("listen_address = a:70000", "listen_address must be a host and a port"),
        ("public_url = example.test", "public_url must be an http or https address"),
        ("data_roots = absent", "data_roots must exist, got .*absent"),
        ("data_roots = some.cfg", "data_roots must be folders"),
        ("dem_path = absent", "dem_path must exist"),
        ("job_threads = 0", "job_threads must be a whole number of at least 1, got 0"),
        ("job_memory_mb = 1.5", "job_memory_mb must be a whole number"),
        ("[fournaise]", "some.cfg must be a configuration file"),
    ],
)
def test_a_wrong_option_is_an_error_at_the_start(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_settings([write(tmp_path, line)])


def test_threads_and_memory_are_the_operators(tmp_path: Path) -> None:
    infos = {info.name: info for info in FakeRequest.describe()}
    settings = Settings(job_threads=2, dem_path=tmp_path)
    assert [name for name, info in infos.items() if not settings.offers(info)] == [
        "threads",
        "memory_mb",
    ]
    assert settings.default_for(infos["threads"]) == 2
    assert settings.default_for(infos["memory_mb"]) is None
    assert settings.default_for(infos["dem"]) == tmp_path
    assert settings.default_for(infos["product"]) is None


def test_folders_of_the_server_are_searched_where_a_request_names_none(tmp_path: Path) -> None:
    (info,) = (i for i in TilingSeriesRequest.describe() if i.role == "datalake")
    assert Settings(data_roots=(tmp_path,)).default_for(info) == (tmp_path,)
    assert Settings().default_for(info) is None
