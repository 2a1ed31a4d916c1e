"""`fleethands plan`."""

from __future__ import annotations

from typing import Any

import click

from fleethands.cli.output.finish import finish, looked_at
from fleethands.cli.output.report_files import report_options
from fleethands.cli.session import checked, chosen, fleet_options, spoken, upstream_option


@click.command()
@fleet_options
@report_options
@upstream_option
def plan(target: str | None, as_json: bool, **options: Any) -> None:
    """Say what would change and why. Changes nothing; exit 0: nothing to do, 2: changes pending, 1: cannot say."""
    target = chosen(target)
    report = looked_at(checked(target, **options), "plan")
    finish(report, as_json, spoken(target, **options))
