"""`fleethands uninstall`."""

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
@click.option("--models", is_flag=True, help="The models on the host too.")
@click.option("--workspaces", is_flag=True, help="OpenHands' workspace and conversations too.")
@lock_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(target: str | None, models: bool, workspaces: bool, **options: Any) -> None:
    """Take away what apply put on hosts, and nothing else. Packages stay. Exit 0: gone; 1: a host failed."""
    named = DeployOptions(uninstall_models=models, uninstall_workspaces=workspaces).to_host_data()
    carry_out("uninstall", "uninstall.py", chosen(target), extra=named, **options)
