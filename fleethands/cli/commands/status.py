"""`fleethands status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.output.finish import finish, looked_at
from fleethands.cli.output.report_files import report_options
from fleethands.cli.session import checked, chosen, fleet_options, spoken

if TYPE_CHECKING:
    from fleethands.report.model import Report


@click.command()
@fleet_options
@report_options
def status(target: str | None, as_json: bool, **options: Any) -> None:
    """Say what hosts are. Changes nothing; exit 0: as declared, 2: drift, 1: a host can't be told."""
    target = chosen(target)
    report = looked_at(checked(target, **options), "status")
    finish(report, as_json, spoken(target, **options), _show)


def _show(report: Report, target: str) -> None:
    from fleethands.cli.output.status_table import lines  # noqa: PLC0415

    for line in lines(report, target):
        click.echo(line)
