"""A run that changes hosts: plan, a yes, the deed, its report."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.fleet import checked, spoken
from fleethands.cli.showing import finish, plan_of, show
from fleethands.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report
    from fleethands.rollout.words import Manner


def carry_out(
    command: str,
    deploy: str,
    target: str,
    as_json: bool,
    yes: bool,
    extra: Mapping[str, Any] | None = None,
    manner: Manner | None = None,
    **options: Any,
) -> None:
    """
    Plan a deploy file of the project, ask, do it, and leave with the exit code of the report.

    + command: the report's name
    + extra: host data of the command's own
    + manner: how the rollout goes; None: all hosts at once, and none goes back
    """
    from fleethands.rollout.words import Manner  # noqa: PLC0415

    if not yes and (as_json or not sys.stdin.isatty()):
        raise Trouble("nobody is there to confirm", "to change hosts from a script: add `--yes`", code=USAGE)
    manner = manner or Manner(back=False)
    words = spoken(target, **{key: options[key] for key in ("data", "hosts", "exclude", "shard")})
    engine = checked(target, extra=extra, **options)
    manner.groups(engine.names, engine.names)  # a canary that is no host is said before any is contacted
    with closing(engine):
        report = _done(engine, command, deploy, manner, as_json, words if not yes else "")
    report.command = command
    finish(report, as_json, words)


def _done(engine: Engine, command: str, deploy: str, manner: Manner, as_json: bool, ask_about: str) -> Report:
    from fleethands.cli.progress import listener  # noqa: PLC0415
    from fleethands.rollout import reporting  # noqa: PLC0415
    from fleethands.rollout.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.rollout.rollout import Rollout  # noqa: PLC0415

    try:
        with Interrupts():
            engine.connect()
        plan = plan_of(engine, command, deploy)
    except KeyboardInterrupt:
        return reporting.untouched(engine, command)
    pending = [name for name, host in sorted(plan.hosts.items()) if host.status == "pending"]
    if not pending:
        return plan
    if ask_about:
        show(plan, ask_about)
        if not click.confirm("Do this?", err=True):
            raise Trouble("not confirmed, nothing was changed")
    with listener(pending, plain=as_json) as told:
        return Rollout(engine, plan, manner, told).run()
