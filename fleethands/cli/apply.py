"""`fleethands apply`."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.fleet import chosen, fleet_options, upstream_option
from fleethands.cli.running import carry_out, lock_option


@click.command()
@fleet_options
@upstream_option
@lock_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(target: str | None, **options: Any) -> None:
    """Plan, then do it, through to the proof. Exit 0: done, changed or not; 1: a host failed."""
    carry_out("apply", "deploy.py", chosen(target), **options)
