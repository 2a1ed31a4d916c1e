"""Finds the line of a Python file that declares a key of host data."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from fleethands.fleet.ansible.place import FileLocation

Found = list[tuple[int, str, set[str]]]  # line, key, names of the hosts that the surrounding values name


def locate_key(place: FileLocation, host: str, key: str) -> FileLocation:
    """The place with the line of a key: next to the host's name if the key is there, otherwise its only line."""
    rows = [(line, names) for line, name, names in _keys(place.file) if name == key]
    near = [line for line, names in rows if host in names]
    lines = near or [line for line, _ in rows]
    return FileLocation(place.file, lines[-1] if near or len(lines) == 1 else 0)


@cache
def _keys(path: Path) -> Found:
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return []
    found: Found = []
    for statement in module.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        found += [(each.lineno, each.id, set()) for each in targets if isinstance(each, ast.Name)]
        _collect(statement, set(), found)
    return found


def _collect(node: ast.AST, hosts: set[str], found: Found) -> None:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        hosts = _names(node.elts[0]) or hosts
    if isinstance(node, ast.Dict):
        found += [(each.lineno, str(each.value), hosts) for each in node.keys if isinstance(each, ast.Constant)]
    if isinstance(node, ast.Call):
        found += [(each.value.lineno, each.arg, hosts) for each in node.keywords if each.arg]
    for child in ast.iter_child_nodes(node):
        _collect(child, hosts, found)


def _names(node: ast.AST) -> set[str]:
    """The hosts of `("host", {…})`, and of `(["host", …], {…})`."""
    parts = node.elts if isinstance(node, ast.List) else [node]
    names = [each.elts[0] if isinstance(each, ast.Tuple) and each.elts else each for each in parts]
    return {each.value for each in names if isinstance(each, ast.Constant) and isinstance(each.value, str)}
