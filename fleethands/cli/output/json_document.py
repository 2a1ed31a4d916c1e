"""`--json`: one document on stdout, and nothing else there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

KEY = "fleethands.document"


def tell(document: Mapping[str, Any]) -> None:
    """Print the document of this command."""
    if context := click.get_current_context(silent=True):
        context.meta[KEY] = True
    click.echo(json.dumps(document, indent=2))


def is_told(context: click.Context | None = None) -> bool:
    """Whether this command has printed its document."""
    context = context or click.get_current_context(silent=True)
    return bool(context and context.meta.get(KEY))


def json_option(wanted: Callable[[click.Context], None]) -> Any:
    """
    `--json`.

    + wanted: is told, before the command begins, that it is to leave a document whatever ends it
    """

    def taken(context: click.Context, _: click.Parameter, value: bool) -> bool:
        if value and not context.resilient_parsing:
            wanted(context)
        return value

    text = "One JSON document on stdout."
    return click.option("--json", "as_json", is_flag=True, callback=taken, help=text)
