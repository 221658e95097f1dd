"""Every import contract of pyproject.toml notices the import that it forbids."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

TRESPASSERS = {
    "rooms": {"catalog/search.py": "import kernels.model"},
    "kernels": {"kernels/engine/bands.py": "import kernels.geometry"},
    "simulation": {"kernels/simulation/scene.py": "import kernels.insar"},
    "web": {"kernels/products/safe.py": "import pywps"},
    "science": {"processes/binding.py": "import kernels.insar"},
    "resolution": {"processes/resolve.py": "import pywps"},
    "numerics": {"kernels/radiometry/noise.py": "import logging"},
}
"""For each contract, a file and a line that must not stand there."""


def lint(folder: Path) -> dict[str, bool]:
    """Run import-linter and return whether each contract, by name, is kept."""
    done = subprocess.run(
        [LINT_IMPORTS, "--no-logo", "--no-cache", "--config", "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(.*) (KEPT|BROKEN)$", done.stdout, flags=re.MULTILINE)
    assert verdicts, done.stdout + done.stderr
    return {name: verdict == "KEPT" for name, verdict in verdicts}


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {c["id"]: c["name"] for c in settings["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The packages with nothing in them: every contract is kept."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    kernels = [f"kernels/{p.parent.name}" for p in (ROOT / "kernels").glob("*/__init__.py")]
    for package in ("kernels", "catalog", "processes", *kernels):
        folder = tmp_path / package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    for module in ("kernels/model/__init__.py", "kernels/errors.py", "processes/resolve.py"):
        (tmp_path / module).touch()
    return tmp_path


def test_every_contract_has_a_trespasser(contracts: dict[str, str]) -> None:
    assert set(TRESPASSERS) == set(contracts)


def test_an_empty_tree_keeps_every_contract(skeleton: Path, contracts: dict[str, str]) -> None:
    assert lint(skeleton) == dict.fromkeys(contracts.values(), True)


@pytest.mark.parametrize("contract", TRESPASSERS)
def test_a_forbidden_import_breaks_its_contract(
    skeleton: Path, contracts: dict[str, str], contract: str
) -> None:
    for file, line in TRESPASSERS[contract].items():
        (skeleton / file).write_text(line + "\n")
    assert not lint(skeleton)[contracts[contract]]


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("chains", "insar", True),
        ("chains", "geometry", True),
        ("chains", "products", True),
        ("chains", "engine", True),
        ("products", "geometry", True),
        ("simulation", "products", True),
        ("simulation", "engine", True),
        ("insar", "geometry", True),
        ("chains", "simulation", False),
        ("simulation", "chains", False),
        ("insar", "radiometry", False),
        ("insar", "products", False),
        ("products", "insar", False),
        ("geometry", "insar", False),
        ("engine", "products", False),
    ],
)
def test_arrows_between_the_kernels(
    skeleton: Path, contracts: dict[str, str], importer: str, imported: str, allowed: bool
) -> None:
    (skeleton / "kernels" / importer / "arrow.py").write_text(f"import kernels.{imported}\n")
    verdicts = lint(skeleton)
    assert verdicts[contracts["kernels"]] is allowed
    assert all(verdicts.values()) is allowed
