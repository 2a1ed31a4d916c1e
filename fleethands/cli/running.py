"""A run that changes hosts: plan, a yes, the deed, its report."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.fleet import connected, spoken
from fleethands.cli.showing import finish, plan_of, show
from fleethands.cli.trouble import USAGE, Trouble

if TYPE_CHECKING:
    from fleethands.rollout.engine import Engine
    from fleethands.rollout.report import Report


def carry_out(
    command: str,
    deploy: str,
    target: str,
    as_json: bool,
    yes: bool,
    extra: Mapping[str, Any] | None = None,
    lock_wait: float = 0.0,
    **options: Any,
) -> None:
    """
    Plan a deploy file of the project, ask, do it, and leave with the exit code of the report.

    + command: the report's name
    + extra: host data of the command's own
    + lock_wait: seconds to wait for other runs that have a host
    """
    if not yes and (as_json or not sys.stdin.isatty()):
        raise Trouble("nobody is there to confirm", "to change hosts from a script: add `--yes`", code=USAGE)
    words = spoken(target, **options)
    engine = connected(target, extra=extra, **options)
    plan = plan_of(engine, deploy=deploy)
    if any(host.status == "pending" for host in plan.hosts.values()):
        if not yes:
            show(plan, words)
            if not click.confirm("Do this?", err=True):
                raise Trouble("not confirmed, nothing was changed")
        plan = _done(engine, plan, as_json, Turn(f"{command} {words}", lock_wait))
    plan.command = command
    engine.close()
    finish(plan, as_json, words)


@dataclass(frozen=True)
class Turn:
    """What is said to others who find hosts locked, and how many seconds others are waited for."""

    reason: str
    wait: float = 0.0


def lock_option(command: Any) -> Any:
    """For commands that lock the hosts that they change."""
    text = "Wait so long for other runs that have a host; 0: not at all. A person's lock is never waited for."
    return click.option("--lock-wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help=text)(command)


def _done(engine: Engine, plan: Report, as_json: bool, turn: Turn) -> Report:
    from fleethands.cli.progress import listener  # noqa: PLC0415
    from fleethands.rollout import lock, outside, reporting  # noqa: PLC0415

    pending = [name for name, host in sorted(plan.hosts.items()) if host.status == "pending"]
    with lock.held(engine, pending, turn.reason, turn.wait) as locks:
        if locks.refused:
            return lock.told(plan, locks.refused)
        with listener(pending, plain=as_json) as told:
            engine.apply(told)
        report = reporting.applied(engine, plan)
        outside.look(engine, report)
    for name, note in locks.notes.items():
        report.hosts[name].notes.insert(0, note)
    return report
