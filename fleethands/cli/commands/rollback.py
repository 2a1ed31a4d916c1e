"""`fleethands rollback`."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.change_command import carry_out, lock_option
from fleethands.cli.output.report_files import report_options
from fleethands.cli.session import chosen, fleet_options
from fleethands.deploy_options import DeployOptions


@click.command()
@fleet_options
@report_options
@click.option(
    "--to",
    type=click.Choice(["current", "previous"]),
    help="What was proven last, or before that; else the one before, or the last where what is there is not proven.",
)
@lock_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def rollback(target: str | None, to: str | None, **options: Any) -> None:
    """Go back to what a host's release record says, downloading nothing. Exit 0: proven; 1: a host failed."""
    carry_out("rollback", "rollback.py", chosen(target), extra=DeployOptions(rollback_to=to).to_host_data(), **options)
