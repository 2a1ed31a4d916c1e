"""`fleethands schema`."""

from __future__ import annotations

import json

import click

from fleethands.settings.docs.json_schema import inventory_schema, settings_schema, variables_schema


def run(of: str) -> None:
    """
    Print a schema.

    + of: `settings`, `inventory` or `group-vars`
    """
    schema = {"settings": settings_schema, "inventory": inventory_schema, "group-vars": variables_schema}[of]()
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))
