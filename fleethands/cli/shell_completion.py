"""What a shell completes in addition to commands and options: inventories, and the hosts and groups in them."""

from __future__ import annotations

import ast
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, split_arg_string

from fleethands.errors import FleethandsError
from fleethands.fleet.ansible.kind import ansible_file
from fleethands.fleet.targets import list_inventories, resolve_target


def complete_targets(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Inventories of this directory and @local. If none of them begins like that, any file."""
    near = [CompletionItem(name) for name in (*list_inventories(), "@local") if name.startswith(begun)]
    return near or [CompletionItem(begun, type="file")]


def complete_hosts(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Hosts and groups that are written out in the inventory: it is read, not run."""
    *before, last = begun.split(",")
    listed = ",".join([*before, ""]) if before else ""
    try:
        found = sorted(set(_names(resolve_target(context.params.get("target") or _typed_target()))) - set(before))
    except (FleethandsError, OSError, ValueError, SyntaxError, RecursionError):
        return []
    return [CompletionItem(listed + name) for name in found if name.startswith(last)]


def _typed_target() -> str | None:
    """The inventory among the words so far: click does not parse them while an option still lacks its value."""
    _, _, *words = split_arg_string(os.environ.get("COMP_WORDS", "")) or ["", ""]
    return next((word for word in words if word.endswith(".py") or ansible_file(word) is not None), None)


def _names(target: str) -> Iterator[str]:
    path = ansible_file(target)
    if path is None:
        yield from _names_in(ast.parse(Path(target).read_text()))
        return
    # imports YAML, which nothing else needs here
    tree = importlib.import_module("fleethands.fleet.ansible.reading").tree_of(path)
    yield from (*tree.hosts, *(group.name for group in tree.groups.values() if group.hosts or group.children))


def _names_in(module: ast.Module) -> Iterator[str]:
    """Groups of an inventory and their hosts, as pyinfra takes them: `[…]`, `([…], {…})`, each a text or a tuple."""
    for statement in module.body:
        names: list[Any] = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        groups = [name.id for name in names if isinstance(name, ast.Name) and not name.id.startswith("_")]
        if groups:
            if isinstance(value, ast.Tuple) and value.elts and isinstance(value.elts[0], ast.List):
                value = value.elts[0]
            hosts = [*_hosts(value)]
            yield from (*groups, *hosts) if hosts else ()


def _hosts(group: ast.AST | None) -> Iterator[str]:
    for each in group.elts if isinstance(group, ast.List | ast.Tuple) else ():
        name = each.elts[0] if isinstance(each, ast.Tuple) and each.elts else each
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
