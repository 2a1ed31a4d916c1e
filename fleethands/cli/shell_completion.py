"""What a shell completes beside commands and options: inventories, and the hosts and groups in them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, split_arg_string

from fleethands.cli.errors import Trouble


def targets(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Inventories of this directory and @local; where none begins so, any file."""
    from fleethands.cli.session import inventories  # noqa: PLC0415

    near = [CompletionItem(name) for name in (*inventories(), "@local") if name.startswith(begun)]
    return near or [CompletionItem(begun, type="file")]


def names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Hosts and groups that stand in the inventory word by word: it is read, not run."""
    from fleethands.cli.session import chosen  # noqa: PLC0415

    *before, last = begun.split(",")
    listed = ",".join([*before, ""]) if before else ""
    try:
        found = sorted(set(_named(chosen(context.params.get("target") or _typed()))) - set(before))
    except (Trouble, OSError, ValueError, SyntaxError, RecursionError):
        return []
    return [CompletionItem(listed + name) for name in found if name.startswith(last)]


def _typed() -> str | None:
    """The inventory among the words so far: click gives up on them where an option still lacks its value."""
    from fleethands.fleet.ansible.kind import ansible_file  # noqa: PLC0415

    _, _, *words = split_arg_string(os.environ.get("COMP_WORDS", "")) or ["", ""]
    return next((word for word in words if word.endswith(".py") or ansible_file(word) is not None), None)


def _named(target: str) -> Iterator[str]:
    from fleethands.fleet.ansible.kind import ansible_file  # noqa: PLC0415

    path = ansible_file(target)
    if path is None:
        yield from _written(ast.parse(Path(target).read_text()))
        return
    from fleethands.fleet.ansible.reading import tree_of  # noqa: PLC0415

    tree = tree_of(path)
    yield from (*tree.hosts, *(group.name for group in tree.groups.values() if group.hosts or group.children))


def _written(module: ast.Module) -> Iterator[str]:
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
