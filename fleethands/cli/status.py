"""`fleethands status`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.document import tell
from fleethands.cli.fleet import checked, chosen, fleet_options, spoken
from fleethands.cli.keeping import keep, report_options
from fleethands.cli.showing import EXIT, survey_of

if TYPE_CHECKING:
    from fleethands.rollout.report import Report


@click.command()
@fleet_options
@report_options
def status(target: str | None, as_json: bool, **options: Any) -> None:
    """Say what hosts are. Changes nothing; exit 0: as declared, 2: drift, 1: a host can't be told."""
    target = chosen(target)
    report = survey_of(checked(target, **options), "status")
    kept = keep(report)
    if as_json:
        tell(report.document())
    else:
        _show(report, spoken(target, **options))
    sys.exit(EXIT[report.result] if kept else 1)


def _show(report: Report, target: str) -> None:
    from fleethands.cli.overview import lines  # noqa: PLC0415

    for line in lines(report, target):
        click.echo(line)
