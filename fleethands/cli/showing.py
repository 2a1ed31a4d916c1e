"""Reports on stdout: for people, or as one JSON document."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from fleethands.cli.document import tell
from fleethands.cli.keeping import keep

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report

EXIT = {"unchanged": 0, "changed": 0, "pending": 2, "failed": 1, "interrupted": 130}


def plan_of(engine: Engine, command: str, deploy: str) -> Report:
    """The report of what an engine's hosts lack, by a deploy file of the project."""
    from fleethands.rollout import reporting  # noqa: PLC0415
    from fleethands.rollout.interrupts import Interrupts  # noqa: PLC0415

    with Interrupts():
        engine.plan(deploy)
    return reporting.planned(engine, command)


def survey_of(engine: Engine, command: str, deploy: str = "deploy.py", *, keep: bool = False) -> Report:
    """
    The same of hosts that are not reached yet.

    + keep: the connections to those that have something to do
    """
    from fleethands.rollout import reporting  # noqa: PLC0415
    from fleethands.rollout.interrupts import Interrupts  # noqa: PLC0415

    with Interrupts():
        engine.survey(deploy, keep)
    return reporting.planned(engine, command)


def show(report: Report, target: str) -> None:
    """The report as people read it."""
    from fleethands.cli.tables import lines  # noqa: PLC0415

    for line in lines(report, target):
        click.echo(line)


def finish(report: Report, as_json: bool, target: str) -> NoReturn:
    """Show the report and leave with the exit code that the contract gives its result."""
    kept = keep(report)
    if as_json:
        tell(report.document())
    else:
        show(report, target)
    sys.exit(EXIT[report.result] if kept else 1)
