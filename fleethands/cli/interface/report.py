"""Commands for reports of earlier runs."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.interface.group import cli, run_later
from fleethands.cli.options import json_option, report_options


@cli.group()
def report() -> None:
    """Show a report of an earlier run, or merge several."""


@report.command("show")
@click.argument("path", metavar="DIR|FILE")
@json_option
def report_show(**options: Any) -> None:
    """
    Show a report.

    The exit code is that of the run.
    """
    run_later("report", "show", connects=False, **options)


@report.command("merge")
@click.argument("paths", nargs=-1, required=True, metavar="DIR|FILE...")
@report_options
@json_option
def report_merge(**options: Any) -> None:
    """
    Merge the reports of the parts of a fleet into one.

    The exit code is that of one run over the whole fleet.
    """
    run_later("report", "merge", connects=False, **options)
