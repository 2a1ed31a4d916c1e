"""What a shell completes beside commands and options: inventories, and the hosts in them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, split_arg_string

from fleethands.cli.trouble import Trouble


def targets(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Inventories of this directory and @local; where none begins so, any file."""
    names = [*sorted(path.as_posix() for path in Path("inventory").glob("*.py")), "@local"]
    near = [CompletionItem(name) for name in names if name.startswith(begun)]
    return near or [CompletionItem(begun, type="file")]


def names(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Hosts that stand in the inventory word by word: it is read, not run."""
    from fleethands.cli.fleet import chosen  # noqa: PLC0415

    try:
        text = Path(chosen(context.params.get("target") or _typed())).read_text()
        names = sorted(set(_written(ast.parse(text))))
    except (Trouble, OSError, ValueError, SyntaxError, RecursionError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def _typed() -> str | None:
    """The inventory among the words so far: click gives up on them where an option still lacks its value."""
    words = split_arg_string(os.environ.get("COMP_WORDS", ""))
    return next((word for word in words if word.endswith(".py")), None)


def _written(module: ast.Module) -> Iterator[str]:
    """Names of hosts in an inventory's groups, as pyinfra takes them: `[…]`, `([…], {…})`, each a text or a tuple."""
    for statement in module.body:
        names: list[Any] = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        if any(isinstance(name, ast.Name) and not name.id.startswith("_") for name in names):
            if isinstance(value, ast.Tuple) and value.elts and isinstance(value.elts[0], ast.List):
                value = value.elts[0]
            yield from _hosts(value)


def _hosts(group: ast.AST | None) -> Iterator[str]:
    for each in group.elts if isinstance(group, ast.List | ast.Tuple) else ():
        name = each.elts[0] if isinstance(each, ast.Tuple) and each.elts else each
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
