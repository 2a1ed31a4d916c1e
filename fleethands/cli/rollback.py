"""`fleethands rollback`."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.fleet import chosen, fleet_options
from fleethands.cli.running import carry_out, lock_option


@click.command()
@fleet_options
@lock_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def rollback(target: str | None, **options: Any) -> None:
    """Go back to the Ollama release and settings that served before. Exit 0: it answers; 1: a host failed."""
    carry_out("rollback", "rollback.py", chosen(target), **options)
