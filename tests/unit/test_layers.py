"""docs/contributing.md lists the packages, and says that imports go downwards. These tests keep both true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

MAP = (ROOT / "docs/contributing.md").read_text()
TABLES = ("fleethands", "operations")
PLACES = {"fleethands": ROOT / "fleethands", "operations": ROOT / "fleethands/operations"}


def packages(table: str) -> list[str]:
    """The packages in one table of the map, the uppermost first."""
    return re.findall(rf"^\| `{table}/([a-z]+)` \| ", MAP, re.MULTILINE)


def imported(path: Path, table: str) -> Iterator[str]:
    """The packages of a table that a module imports from."""
    prefix = f"{PLACES[table].relative_to(ROOT)}/".replace("/", ".")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(prefix):
            first = f"{node.module}."[len(prefix) :].split(".")[0]
            yield from [first] if first else (alias.name for alias in node.names)


@pytest.mark.parametrize("table", TABLES)
def test_the_map_has_every_package_once(table: str) -> None:
    there = {path.parent.name for path in PLACES[table].glob("*/__init__.py")}

    assert sorted(packages(table)) == sorted(there)


def test_the_map_names_only_what_exists() -> None:
    found = re.findall(r"`((?:fleethands|operations|facts|tests|tasks|templates)/[\w/.]*)`", MAP)
    named = [name for name in found if "NOUN" not in name]

    assert [name for name in named if not any((root / name).exists() for root in (ROOT, ROOT / "fleethands"))] == []


@pytest.mark.parametrize("table", TABLES)
def test_imports_go_downwards(table: str) -> None:
    order = packages(table)
    upwards = [
        f"{path.relative_to(ROOT)} imports from {other}"
        for name in order
        for path in (PLACES[table] / name).rglob("*.py")
        for other in imported(path, table)
        if other in order[: order.index(name)]
    ]

    assert upwards == []


def test_the_small_modules_import_from_no_package_except_text() -> None:
    small = PLACES["fleethands"].glob("*.py")
    order = packages("fleethands")

    assert {each for path in small for each in imported(path, "fleethands") if each in order} <= {"text"}
