"""docs/contributing.md lists the packages, and says that imports go downwards. These tests keep both true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.helpers.checkout import ROOT

CODE = ROOT / "fleethands"
ROW = re.compile(r"^\| `fleethands/([a-z]+)` \| ", re.MULTILINE)
OPERATIONS = re.compile(r"^\| `operations/([a-z]+)` \| ", re.MULTILINE)
MAP = (ROOT / "docs/contributing.md").read_text()


def packages() -> list[str]:
    """The packages of the map, the uppermost first."""
    return ROW.findall(MAP)


def imported(path: Path, parent: str = "fleethands") -> Iterator[str]:
    """Packages inside `parent` that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{parent}."):
            inner = f"{node.module}.".removeprefix(f"{parent}.").split(".")[0]
            yield from [inner] if inner else (alias.name for alias in node.names)


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


def upwards(order: list[str], parent: str = "fleethands") -> list[str]:
    """Imports of packages from those above them in `order`."""
    return [
        f"{path.relative_to(ROOT)} imports from {other}"
        for name in order
        for path in (ROOT / parent.replace(".", "/") / name).rglob("*.py")
        for other in imported(path, parent)
        if other in order[: order.index(name)]
    ]


def test_imports_go_downwards() -> None:
    assert upwards(packages()) == []


def test_imports_inside_operations_go_downwards() -> None:
    assert upwards(OPERATIONS.findall(MAP), "fleethands.operations") == []


def test_the_small_modules_import_from_no_package_except_text() -> None:
    modules = [path for path in CODE.glob("*.py") if path.name != "__init__.py"]  # which names the Python API

    assert {each for path in modules for each in imported(path) if each in packages()} <= {"text"}


def test_no_imports_form_a_cycle() -> None:
    """Those within functions count, those for type checkers alone do not."""
    modules = {module_name(path): path for path in CODE.rglob("*.py") if path.name != "__init__.py"}
    graph = {name: {each for each in imported_modules(path) if each in modules} for name, path in modules.items()}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported_modules(path: Path) -> Iterator[str]:
    """What a module imports from, as a module or as a name of one."""
    tree = ast.parse(path.read_text())
    for_types = {
        each
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for each in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node not in for_types:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import) and node not in for_types:
            yield from (alias.name for alias in node.names)
