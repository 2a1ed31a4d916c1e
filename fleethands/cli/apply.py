"""`fleethands apply`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.fleet import chosen, connected, fleet_options, spoken
from fleethands.cli.showing import finish, plan_of, show
from fleethands.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report


@click.command()
@fleet_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(target: str | None, as_json: bool, yes: bool, **options: Any) -> None:
    """Plan, then do it, through to the proof. Exit 0: done, changed or not; 1: a host failed."""
    target = chosen(target)
    if not yes and (as_json or not sys.stdin.isatty()):
        raise Trouble("nobody is there to confirm", "to change hosts from a script: add `--yes`", code=USAGE)
    engine = connected(target, **options)
    plan = plan_of(engine)
    if any(host.status == "pending" for host in plan.hosts.values()):
        if not yes:
            show(plan, spoken(target, **options))
            if not click.confirm("Do this?", err=True):
                raise Trouble("not confirmed, nothing was changed")
        report = _carried_out(engine, plan)
    else:
        plan.command = "apply"
        report = plan
    engine.close()
    finish(report, as_json, spoken(target, **options))


def _carried_out(engine: Engine, plan: Report) -> Report:
    from fleethands.rollout import reporting  # noqa: PLC0415

    begin = time.monotonic()
    engine.apply(lambda line: click.echo(line, err=True))
    report = reporting.applied(engine, plan)
    report.seconds = plan.seconds + time.monotonic() - begin
    return report
