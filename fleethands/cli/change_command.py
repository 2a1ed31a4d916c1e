"""A run that changes hosts: plan, a yes, the deed, its report."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.command_line import typed
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.finish import finish, show, survey_of
from fleethands.cli.session import checked, spoken

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report
    from fleethands.rollout.strategy import Manner


@dataclass(frozen=True)
class Deed:
    """
    What is done to hosts, and how.

    + deploy: file of the project
    + words: target and all options, as they were typed
    + again: the command line, without how long it waits
    + reason: what others may read of it, who find hosts locked
    + lock_wait: seconds to wait for other runs that have a host
    + manner: how the rollout goes
    """

    command: str
    deploy: str
    words: str
    again: str
    reason: str
    as_json: bool
    yes: bool
    lock_wait: float
    manner: Manner


def carry_out(command: str, deploy: str, target: str, as_json: bool, yes: bool, **options: Any) -> None:
    """
    Plan a deploy file of the project, ask, do it, and leave with the exit code of the report.

    + command: the report's name
    + options: of the fleet; `extra`, host data of the command's own; `lock_wait` and `manner`, as of Deed
      (without a manner all hosts go at once, and none goes back)
    """
    from fleethands.rollout.strategy import Manner, WrongWord  # noqa: PLC0415

    if not yes and (as_json or not sys.stdin.isatty()):
        raise Trouble("nobody is there to confirm", "to change hosts from a script: add `--yes`", code=USAGE)
    lock_wait, manner = options.pop("lock_wait", 0.0), options.pop("manner", None) or Manner(back=False)
    words = spoken(target, **{key: options[key] for key in SPOKEN if key in options})
    whole, again = typed(words), f"{command} {typed(words, 'lock_wait')}{' --yes' if yes else ''}"
    reason = _said(command, target, options["hosts"], options["exclude"])
    engine = checked(target, **options)
    engine.monitor.command, engine.monitor.typed = command, whole
    if manner.canary and manner.canary.is_elsewhere(engine.names, engine.fleet):
        said = f"the canary {manner.canary.word} is of another part of the fleet, or done already: none goes first here"
        click.echo(said, err=True)
        manner = replace(manner, canary=None)
    try:
        manner.groups(engine.names, engine.names)
    except WrongWord as error:
        raise Trouble(str(error), *error.hints, code=USAGE) from None
    with closing(engine):
        report = _done(engine, Deed(command, deploy, whole, again, reason, as_json, yes, lock_wait, manner))
    report.command = command
    # where all went well, what comes next is a plan, which knows of no manner
    finish(report, as_json, whole if report.result in {"failed", "interrupted"} else words)


SPOKEN = ("data", "hosts", "exclude", "upstream", "shard")


def _said(command: str, target: str, hosts: str, exclude: str) -> str:
    """What others may read of this run: a value of `--data` may be nobody's business."""
    return f"{command} {spoken(target, (), hosts, exclude)}"


def lock_option(command: Any) -> Any:
    """For commands that lock the hosts that they change."""
    text = "Wait so long for other runs that have a host; 0: not at all. A person's lock is never waited for."
    return click.option("--lock-wait", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help=text)(command)


def _done(engine: Engine, deed: Deed) -> Report:
    from fleethands.rollout import build_report  # noqa: PLC0415

    try:
        plan = survey_of(engine, deed.command, deed.deploy, keep=True)
    except KeyboardInterrupt:
        return build_report.untouched(engine, deed.command)
    if not _pending(plan):
        return plan
    if not deed.yes:
        show(plan, deed.words)
        if not click.confirm("Do this?", err=True):
            raise Trouble("not confirmed, nothing was changed")
    return _locked(engine, deed, plan)


def _pending(plan: Report) -> list[str]:
    return [name for name, host in sorted(plan.hosts.items()) if host.status == "pending"]


def _locked(engine: Engine, deed: Deed, plan: Report) -> Report:
    from fleethands.cli.output.progress import listener  # noqa: PLC0415
    from fleethands.engine.interrupts import Interrupts  # noqa: PLC0415
    from fleethands.locks import run_locks  # noqa: PLC0415
    from fleethands.rollout import build_report  # noqa: PLC0415
    from fleethands.rollout.rollout import Rollout  # noqa: PLC0415

    locks = run_locks.Locks(engine, deed.reason, deed.lock_wait, deed.again)
    try:
        with Interrupts():
            locks.take(_pending(plan))
    except KeyboardInterrupt:
        locks.release()
        return build_report.untouched(engine, deed.command)
    run_locks.leave_out(engine, plan, locks.refused)
    if locks.taken:
        return run_locks.told(engine, plan, locks.taken)
    if not _pending(plan):
        return plan
    with listener(_pending(plan), plain=deed.as_json) as told:
        report = Rollout(engine, plan, deed.manner, told, locks).run()
    for name, note in locks.notes.items():
        report.hosts[name].notes.insert(0, note)
    return report
