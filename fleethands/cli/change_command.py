"""A run that changes hosts: plan, confirmation, locks, rollout, report."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass, replace

import click

from fleethands.cli.output.finish import finish, show
from fleethands.cli.output.progress import listener
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts, plan_hosts
from fleethands.command_line import CommandLine
from fleethands.deploy_options import DeployOptions
from fleethands.engine.engine import Engine
from fleethands.engine.interrupts import Interrupts
from fleethands.errors import FleethandsError, UsageError
from fleethands.locks import run_locks
from fleethands.report.model import Report
from fleethands.rollout import build_report
from fleethands.rollout.engine_fleet import roll_out
from fleethands.rollout.strategy import RolloutStrategy
from fleethands.ssh.timeouts import LIMITS, Limits

DEFAULTS = DeployOptions()
ALL_AT_ONCE = RolloutStrategy(rolls_back=False)


@dataclass(frozen=True)
class ChangeRun:
    """
    How one command changes hosts.

    + deploy: file of the project; options: what it is passed
    + strategy: without one, all hosts are changed at once, and a host that fails stays as it is
    + lock_wait: seconds to wait for the locks of other runs
    + only: hosts that a report left; None for all
    """

    deploy: str
    options: DeployOptions = DEFAULTS
    strategy: RolloutStrategy = ALL_AT_ONCE
    limits: Limits = LIMITS
    lock_wait: float = 0.0
    only: frozenset[str] | None = None


def run_change(writer: ReportWriter, run: ChangeRun) -> int:
    """Plan, ask for confirmation, change the hosts, and give the exit code of the report."""
    why = " with `--json`" if writer.as_json else ": standard input is not a terminal"
    if not writer.line.yes and (writer.as_json or not sys.stdin.isatty()):
        raise UsageError(f"cannot ask for confirmation{why}", "to change hosts from a script: add `--yes`")
    engine = open_checked_hosts(writer, run.options, run.only, run.limits)
    run = replace(run, strategy=_strategy_here(engine, run.strategy))
    run.strategy.batches(engine.names, engine.names)  # raises InvalidOption
    with closing(engine):
        report = _plan_and_roll_out(writer, engine, run)
    report.command = writer.line.command
    return finish(writer, report)


def _strategy_here(engine: Engine, strategy: RolloutStrategy) -> RolloutStrategy:
    """Without a canary that is not among the hosts of this run, because another run takes it."""
    canary = strategy.canary
    if canary is None or not canary.is_in_another_part(engine.names, engine.fleet):
        return strategy
    click.echo(f"canary {canary.word} is not among the selected hosts; continuing without a canary", err=True)
    return replace(strategy, canary=None)


def _plan_and_roll_out(writer: ReportWriter, engine: Engine, run: ChangeRun) -> Report:
    try:
        plan = plan_hosts(engine, run.deploy, keep=True)
    except KeyboardInterrupt:
        return build_report.untouched_report(engine, writer.line.command)
    if not _pending(plan):
        return plan
    if not writer.line.yes:
        show(plan, writer.line)
        if not click.confirm("Apply these changes?", err=True):
            raise FleethandsError("not confirmed, nothing was changed")
    return _lock_and_roll_out(writer, engine, run, plan)


def _pending(plan: Report) -> list[str]:
    return [name for name, host in sorted(plan.hosts.items()) if host.status == "pending"]


def _lock_and_roll_out(writer: ReportWriter, engine: Engine, run: ChangeRun, plan: Report) -> Report:
    locks = run_locks.Locks(engine, _lock_reason(writer.line), run.lock_wait)
    try:
        with Interrupts():
            locks.take(_pending(plan))
    except KeyboardInterrupt:
        locks.release()
        return build_report.untouched_report(engine, writer.line.command)
    run_locks.refuse_hosts(engine, plan, locks.refused)
    if locks.taken:
        return run_locks.locked_report(engine, plan, locks.taken)
    if not _pending(plan):
        return plan
    with listener(_pending(plan), plain=writer.as_json) as progress:
        report = roll_out(engine, plan, run.strategy, progress, locks)
    for name, note in locks.notes.items():
        report.hosts[name].notes.insert(0, note)
    return report


def _lock_reason(line: CommandLine) -> str:
    """What other users are shown of this run; values of `--data` are left out, because they may be private."""
    shown = CommandLine(line.command, line.target, line.hosts, line.exclude)
    return f"{shown.command} {shown.arguments}"
