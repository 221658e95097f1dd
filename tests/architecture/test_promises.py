"""What the repository promises of itself, read from its tracked files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from processes.offered import offered_processes
from processes.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
OURS = {"kernels", "processes", "catalog", "benchmarks", "examples", "tests", "wsgi"}
OURS |= {file.stem for file in (ROOT / "examples").glob("*.py")}  # scripts import each other
TARGETS = (
    "help",
    "setup",
    "demo",
    "demo-catalog",
    "test",
    "test-all",
    "check",
    "serve",
    "bench",
    "docs",
    "clean",
)


def tracked(*patterns: str) -> list[Path]:
    """Files that git knows and that are there."""
    command = ["git", "-C", ROOT, "ls-files", "-z", "--", *patterns]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in names.split("\0") if name]
    return [file for file in files if file.is_file()]


def texts() -> list[tuple[Path, str]]:
    """Tracked files that are text, with their contents."""
    found = []
    for file in tracked():
        content = file.read_bytes()
        if b"\0" not in content:
            found.append((file.relative_to(ROOT), content.decode()))
    return found


def lines_with(pattern: str) -> list[str]:
    """Places of tracked text that match a pattern."""
    matcher = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if matcher.search(line)
    ]


def test_no_path_of_somebodys_machine() -> None:
    here = [re.escape(str(folder)) for folder in (ROOT, Path.home()) if len(folder.parts) > 1]
    homes = [r"/root", r"/home/[a-z]\w*", r"/Users/\w+"]
    assert lines_with(rf"(^|[^\w.\]])({'|'.join(here + homes)})/") == []


def test_no_host_of_a_package_registry() -> None:
    hosts = {PyPI.netloc, PyPI.file_storage_domain}
    for source in Path("/etc/apt").glob("sources.list*/**/*"):
        if source.is_file():
            hosts |= set(re.findall(r"https?://([^/\s]+)", source.read_text()))
    assert lines_with("|".join(re.escape(host) for host in hosts)) == []


def test_no_large_file() -> None:
    assert [str(file) for file in tracked() if file.stat().st_size > 2 * 2**20] == []


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    subprocess.run(["make", "-C", ROOT, "--dry-run", target], capture_output=True, check=True)


def test_make_alone_lists_every_target() -> None:
    command = ["make", "-C", ROOT, "--no-print-directory"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^ *make ([a-z-]+)", listed, flags=re.MULTILINE) == list(TARGETS)


def test_the_pages_name_targets_that_exist() -> None:
    named = set()
    for page in tracked("*.md"):
        named |= set(re.findall(r"`make ([a-z-]+)", page.read_text()))
    assert named <= set(TARGETS)


def test_the_pages_link_to_files_that_exist() -> None:
    generated = {
        ROOT / "docs" / "generated" / "processes" / f"{name}.md"
        for name in offered_processes(Settings())
    }
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in tracked("*.md")
        for link in re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
        if not (page.parent / link).exists() and page.parent / link not in generated
    ]
    assert broken == []


def third_party_imports() -> set[str]:
    """Top-level names that the project's own code imports from elsewhere."""
    names: set[str] = set()
    for file in tracked("kernels/*.py", "processes/*.py", "catalog/*.py", "examples/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - OURS


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    declared = {
        re.match(r"[\w.-]+", line).group().lower()  # type: ignore[union-attr]
        for line in project["dependencies"] + extras
    }
    providers = packages_distributions()
    elsewhere = {"osgeo", "_typeshed"}  # the system's GDAL by scripts/setup.sh; mypy's own
    undeclared = {
        name
        for name in third_party_imports() - elsewhere
        # an extra need not be installed; those that are not are named as they are imported
        if not declared & {provider.lower() for provider in providers.get(name, [name])}
    }
    assert undeclared == set()


@pytest.mark.parametrize("package", ["kernels", "catalog"])
def test_the_package_runs_without_a_web_server(package: str) -> None:
    program = f"""
import importlib, pkgutil, sys
sys.modules["pywps"] = None
import {package}
for module in pkgutil.walk_packages({package}.__path__, "{package}."):
    importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
