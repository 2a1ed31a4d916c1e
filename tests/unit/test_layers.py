"""docs/contributing.md says which packages there are, and that imports go downwards: this keeps both true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.checkout import ROOT

CODE = ROOT / "fleethands"
ROW = re.compile(r"^\| `fleethands/([a-z]+)` \| ", re.MULTILINE)
OPERATIONS = re.compile(r"^\| `operations/([a-z]+)` \| ", re.MULTILINE)


MAP = (ROOT / "docs/contributing.md").read_text()


def packages() -> list[str]:
    """The packages of the map, the uppermost first."""
    return ROW.findall(MAP)


def imported(path: Path) -> Iterator[str]:
    """Packages that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fleethands"):
            first = node.module.split(".")[1:2]
            yield from first or (alias.name for alias in node.names)


def test_the_map_has_every_package_once() -> None:
    there = {path.parent.name for path in CODE.glob("*/__init__.py")}

    assert sorted(packages()) == sorted(there)


def test_the_map_has_every_package_of_operations_once() -> None:
    there = {path.parent.name for path in (CODE / "operations").glob("*/__init__.py")}

    assert sorted(OPERATIONS.findall(MAP)) == sorted(there)


def test_the_map_names_only_what_exists() -> None:
    found = re.findall(r"`((?:fleethands|operations|facts|tests|tasks|templates)/[\w/.]*)`", MAP)
    named = [name for name in found if "NOUN" not in name]

    assert [name for name in named if not any((root / name).exists() for root in (ROOT, CODE))] == []


def test_imports_go_downwards() -> None:
    order = packages()
    upwards = [
        f"{path.relative_to(ROOT)} imports from {other}"
        for name in order
        for path in (CODE / name).rglob("*.py")
        for other in imported(path)
        if other in order[: order.index(name)]
    ]

    assert upwards == []


def test_no_package_is_imported_by_the_small_modules_but_text() -> None:
    assert {each for path in CODE.glob("*.py") for each in imported(path) if each in packages()} <= {"text"}
