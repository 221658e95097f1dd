"""The processes as commands: options, configuration file, exit codes."""

from __future__ import annotations

import json
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes.command_line import main
from processes.settings import CHECKOUT
from tests.processes.conftest import make_configuration
from tests.processes.fake_chain import CHAIN, FAILURE

CHAINS = {CHAIN.name: CHAIN}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_configuration(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*options: str) -> int:
    base = ("run", "fake", "--product", "lake/S1A_X", "--dem", "lake/dem", "--output", "out")
    return main([*base, *options], CHAINS)


def test_results_are_written_and_their_paths_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--looks", "9", "--swaths", "IW1", "--swaths", "IW3", "--filtered", "true") == 0
    assert capsys.readouterr().out.splitlines() == [
        "out/picture.tif",
        "out/smooth.tif",
        "out/report.json",
    ]
    assert json.loads((folder / "out/report.json").read_text())["looks"] == 9


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--looks", "3.7"), 2, "looks must be a whole number, got 3.7"),
        (("--looks", "65"), 2, "looks must be at most 64, got 65"),
        (("--product", "absent"), 2, "product must be given once, got 2 values"),
        (("--dem", "absent"), 2, "dem must be an existing file or folder, got absent"),
        (("--config", "absent.json"), 2, "config must be a readable JSON file, got absent.json"),
        (("--ending", "input"), 3, FAILURE),
        (("--ending", "processing"), 4, "nothing coherent is left"),
    ],
)
def test_a_failure_is_one_line_and_a_code_by_cause(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    assert run(*options) == code
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"fournaise: {message}")


def test_the_command_line_wins_over_the_configuration_file(folder: Path) -> None:
    config = {"product": "lake/S1A_X", "dem": ["lake/dem"], "looks": 11, "memory_mb": 300}
    (folder / "fake.json").write_text(json.dumps(config))
    base = ["run", "fake", "--config", "fake.json", "--output", "out"]
    assert main(base, CHAINS) == 0
    assert json.loads((folder / "out/report.json").read_text())["looks"] == 11
    assert main([*base, "--looks", "12"], CHAINS) == 0
    assert json.loads((folder / "out/report.json").read_text())["looks"] == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"colour": 1}', "colour must be one of product, dem"),
        ('{"looks": "7"}', "looks must be a whole number, got 7"),
        ('{"looks": true}', "looks must be a whole number, got True"),
        ('{"dem": ["lake/dem", 5]}', "dem must be a path, got 5"),
        ('{"spacing": NaN}', "spacing must be a finite number, got nan"),
        ("[1]", "config must be a file with one JSON object"),
        ("{", "config must be a readable JSON file"),
    ],
)
def test_a_wrong_configuration_file_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (folder / "fake.json").write_text(text)
    dem = [] if "dem" in text else ["--dem", "lake/dem"]
    options = ["--config", "fake.json", "--product", "lake/S1A_X", *dem]
    assert main(["run", "fake", *options], CHAINS) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_option_is_refused_with_the_same_code(folder: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--look", "3")
    assert caught.value.code == 2


def test_list_and_describe_tell_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"], CHAINS) == 0
    assert capsys.readouterr().out == "fake  A process for tests\n"
    assert main(["describe", "fake"], CHAINS) == 0
    text = capsys.readouterr().out
    for info in CHAIN.request.describe():
        assert f"--{info.name.replace('_', '-')}\n      {info.title}" in text
    assert "picture\n      Picture [image/tiff; subtype=geotiff]" in text


def test_interrupting_cancels_at_the_next_block(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.processes.fake_command", "run", "fake"]
    options = ["--product", f"{folder}/lake/S1A_X", "--dem", f"{folder}/lake/dem"]
    process = subprocess.Popen(
        [*command, *options, "--output", f"{folder}/out", "--ending", "wait"],
        cwd=CHECKOUT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = ""
    while "resampling" not in told:
        told += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert rest.strip().splitlines()[-1] == "fournaise: the processing was cancelled"


def test_an_interruption_before_anything_began_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("processes.command_line.main", interrupted)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("processes", run_name="__main__")
    assert ended.value.code == 130
    assert capsys.readouterr().err == "fournaise: interrupted\n"


def test_the_package_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "processes", "list"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "dinsar-pair  " in done.stdout
