"""Reports on stdout: for people, or as one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

import click

from fleethands.cli.errors import Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.output.report_files import keep

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report

EXIT = {"unchanged": 0, "changed": 0, "pending": 2, "failed": 1, "interrupted": 130}


def plan_of(engine: Engine, command: str, deploy: str) -> Report:
    """The report of what an engine's hosts lack, by a deploy file of the project."""
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.rollout import build_report  # noqa: PLC0415

    with Interrupts():
        engine.plan(deploy)
    return build_report.planned(engine, command)


def survey_of(engine: Engine, command: str, deploy: str = "deploy.py", *, keep: bool = False) -> Report:
    """
    The same of hosts that are not reached yet.

    + keep: the connections to those that have something to do
    """
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.rollout import build_report  # noqa: PLC0415

    with Interrupts():
        engine.connect_and_plan(deploy, keep)
    return build_report.planned(engine, command)


def looked_at(engine: Engine, command: str) -> Report:
    """The report of hosts that are only read, and let go; when it is interrupted, what is known of them until then."""
    from fleethands.rollout import build_report  # noqa: PLC0415

    with closing(engine):
        try:
            return survey_of(engine, command)
        except KeyboardInterrupt:
            return build_report.cut_short(engine, command, engine.probed)


def show(report: Report, target: str) -> None:
    """The report as people read it."""
    from fleethands.cli.output.report_table import lines  # noqa: PLC0415

    for line in lines(report, target):
        click.echo(line)


def finish(report: Report, as_json: bool, target: str, show: Callable[[Report, str], None] = show) -> NoReturn:
    """
    Show the report and leave with the exit code that the contract gives its result.

    + show: how people read it
    """
    kept = keep(report)
    if report.error:
        Trouble(report.error, *report.hints).show()
    if as_json:
        tell(report.document())
    else:
        show(report, target)
    sys.exit(EXIT[report.result] if kept else 1)
