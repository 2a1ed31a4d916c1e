"""What the package declares is what it needs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fleethands
from tests.helpers.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPLOYS = ("deploy.py", "uninstall.py", "rollback.py", "verify.py")


def imported(path: Path) -> Iterator[str]:
    """Top-level modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def locked(name: str) -> dict[str, str]:
    """Package → version of a file of locked requirements."""
    text = (ROOT / "requirements" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_every_import_is_a_declared_dependency() -> None:
    files = [*(ROOT / "fleethands").rglob("*.py"), *(ROOT / name for name in DEPLOYS)]
    modules = {module for file in files for module in imported(file)} - set(sys.stdlib_module_names) - {"fleethands"}
    owners = metadata.packages_distributions()
    needed = {canonicalize_name(owners[module][0]) for module in modules}

    assert len(modules) > 8
    assert needed == {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}


def test_the_version_is_the_same_everywhere() -> None:
    assert fleethands.__version__ == PROJECT["version"]


def test_the_tested_dependencies_are_those_of_the_tests() -> None:
    runtime, tests = locked("runtime.txt"), locked("dev.txt")

    assert runtime.items() <= tests.items()
    assert {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]} <= runtime.keys()


def test_locked_requirements_name_no_package_index() -> None:
    for file in (ROOT / "requirements").iterdir():
        assert "://" not in file.read_text()
        assert "--index" not in file.read_text()
