"""Commands that plan, change or read hosts."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import (
    bundle_option,
    fleet_options,
    hooks_option,
    lock_wait_option,
    report_options,
    rollout_options,
    upstream_option,
    yes_option,
)


@cli.command()
@fleet_options
@report_options
@upstream_option
@bundle_option
def plan(**options: Any) -> None:
    """
    Show what apply would change, and why.

    Nothing is changed. Exit code 0: nothing to do; 2: changes are pending; 1: a host was refused or could not be read.
    """
    run_later("plan", **options)


@cli.command()
@fleet_options
@report_options
@upstream_option
@bundle_option
@rollout_options
@lock_wait_option
@hooks_option
@yes_option
def apply(**options: Any) -> None:
    """
    Bring hosts to the state that the inventory describes.

    Shows the plan, asks for confirmation, updates the hosts, and proves that each answers a prompt. Exit code 0: done;
    1: a host failed; 130: interrupted.
    """
    run_later("apply", **options)


@cli.command()
@fleet_options
@report_options
@click.option("--checksums", is_flag=True, help="Also read every byte of the models. A broken file is removed.")
@click.option("--conversation", is_flag=True, help="Also hold a conversation in OpenHands, and remove it afterwards.")
def verify(**options: Any) -> None:
    """
    Prove that each host answers a prompt.

    Checks the path from Ollama to OpenHands, link by link, and changes no setting. Exit code 0: all hosts are proven;
    1: a link is broken.
    """
    run_later("verify", **options)


@cli.command()
@fleet_options
@report_options
def status(**options: Any) -> None:
    """
    Show the state of each host.

    Nothing is changed. Exit code 0: as the inventory describes; 2: a host differs; 1: a host could not be read.
    """
    run_later("status", **options)


@cli.command()
@fleet_options
@report_options
@click.option(
    "--to",
    type=click.Choice(["current", "previous"]),
    help="Record to restore: the last proven state, or the proven state before that. Default: `previous` if the host"
    " is proven now, otherwise `current`.",
)
@lock_wait_option
@hooks_option
@yes_option
def rollback(**options: Any) -> None:
    """
    Restore the state of a release record.

    Downloads nothing. Exit code 0: restored and proven; 1: a host failed.
    """
    run_later("rollback", **options)


@cli.command()
@fleet_options
@report_options
@click.option("--models", is_flag=True, help="Remove the models too.")
@click.option("--workspaces", is_flag=True, help="Remove OpenHands' workspaces and conversations too.")
@lock_wait_option
@hooks_option
@yes_option
def uninstall(**options: Any) -> None:
    """
    Remove what apply put on hosts.

    Nothing else is removed, and packages stay. Exit code 0: removed; 1: a host failed.
    """
    run_later("uninstall", **options)
