"""Commands for host locks."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import fleet_options


@cli.group()
def lock() -> None:
    """
    Acquire, inspect or release host locks.

    Runs that change hosts lock them by themselves.
    """


@lock.command("acquire")
@fleet_options
@click.option("--reason", default="", metavar="TEXT", help="Why the hosts are locked. Other users are shown it.")
def lock_acquire(**options: Any) -> None:
    """
    Lock hosts until you release them.

    No run changes these hosts meanwhile, and no run waits for them. Exit code 0: all are locked; 1: one is not.
    """
    run_later("lock", "acquire", **options)


@lock.command("status")
@fleet_options
def lock_status(**options: Any) -> None:
    """
    Show who holds each lock, since when and why.

    Exit code 0: shown; 1: a host could not be read.
    """
    run_later("lock", "status", **options)


@lock.command("release")
@fleet_options
def lock_release(**options: Any) -> None:
    """
    Release locks, and show who held them.

    A run that loses its lock stops before its next step. Exit code 0: released; 1: a host could not be reached.
    """
    run_later("lock", "release", **options)
