"""Reads pyinfra's group_data without pyinfra, unless a file uses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.place import FileLocation, Variable
from fleethands.fleet.group_data import group_data_directories


def run_file(path: Path | str, text: str) -> dict[str, Any]:
    """The names that a Python file defines. It runs as pyinfra runs it, and may raise anything."""
    namespace: dict[str, Any] = {"__file__": str(path)}
    exec(compile(text, str(path), "exec"), namespace)  # noqa: S102  an inventory is a program
    return {name: value for name, value in namespace.items() if name != "__builtins__"}


def read_group_data(inventory: Path, groups: Mapping[str, list[str]]) -> dict[str, dict[str, Variable]]:
    """
    Group → its variables, each with its file. A directory next to the inventory takes precedence.

    + groups: name → hosts, for files that ask pyinfra's `inventory`
    """
    found: dict[str, dict[str, Variable]] = {}
    files = [path for each in group_data_directories(inventory) for path in sorted(each.glob("*.py"))]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    with _pyinfras_inventory(groups) if any("pyinfra" in text for text in texts.values()) else _nothing():
        for path in files:
            place = FileLocation(path, 0)
            variables = _exported(path, texts[path])
            found.setdefault(path.stem, {}).update({key: Variable(value, place) for key, value in variables.items()})
    return found


def _exported(path: Path, text: str) -> dict[str, Any]:
    """What pyinfra takes for data (3.10, pyinfra_cli/inventory.py): `__all__`, or all names except imported ones."""
    names = run_file(path, text)
    chosen = names.get("__all__", names.keys() - _imported(text))
    return {name: value for name, value in names.items() if name in chosen and not name.startswith("__")}


def _imported(text: str) -> set[str]:
    imports = (node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom))
    return {
        alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
        for node in imports
        for alias in node.names
    }


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _pyinfras_inventory(groups: Mapping[str, list[str]]) -> Iterator[None]:
    from pyinfra.api import Inventory  # noqa: PLC0415  few files need it, and its import takes a second
    from pyinfra.context import ctx_inventory  # noqa: PLC0415

    hosts = list(dict.fromkeys(host for members in groups.values() for host in members))
    with ctx_inventory.use(Inventory((hosts, {}), **{name: (members, {}) for name, members in groups.items()})):
        yield
