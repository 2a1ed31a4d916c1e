"""A run that changes hosts: plan, confirmation, locks, rollout, report."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial

import click

from fleethands.cli.output.finish import finish, show
from fleethands.cli.output.progress import listener
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_checked_hosts
from fleethands.deploy_options import DeployOptions
from fleethands.errors import FleethandsError, UsageError
from fleethands.report.model import Report
from fleethands.report.redaction import NO_MASK
from fleethands.rollout.strategy import RolloutStrategy
from fleethands.runs.change_hosts import ALL_AT_ONCE, HostChanges, change_hosts
from fleethands.runs.hooks import Hooks
from fleethands.ssh.timeouts import LIMITS, Limits
from fleethands.text.sanitize import sanitize

DEFAULTS = DeployOptions()


@dataclass(frozen=True)
class ChangeRun:
    """
    How one command changes hosts.

    + deploy: file of the project; options: what it is passed
    + strategy: without one, all hosts are changed at once, and a host that fails stays as it is
    + lock_wait: seconds to wait for the locks of other runs
    + only: hosts that a report left; None for all
    + hooks: whether the project's hooks run
    """

    deploy: str
    options: DeployOptions = DEFAULTS
    strategy: RolloutStrategy = ALL_AT_ONCE
    limits: Limits = LIMITS
    lock_wait: float = 0.0
    only: frozenset[str] | None = None
    hooks: bool = True


def run_change(writer: ReportWriter, run: ChangeRun) -> int:
    """Plan, ask for confirmation, change the hosts, and give the exit code of the report."""
    why = " with `--json`" if writer.as_json else ": standard input is not a terminal"
    if not writer.line.yes and (writer.as_json or not sys.stdin.isatty()):
        raise UsageError(f"cannot ask for confirmation{why}", "to change hosts from a script: add `--yes`")
    changes = HostChanges(run.deploy, run.strategy, run.lock_wait)
    hooks = _find_hooks(writer, changes.run) if run.hooks else None
    engine = open_checked_hosts(writer, run.options, run.only, run.limits)
    listen = partial(listener, plain=writer.as_json)
    try:
        report = change_hosts(engine, changes, listen, _announce, partial(_confirm, writer, hooks))
        code = finish(writer, report)
    except BaseException as error:
        if hooks is not None and hooks.has_begun:
            writer.write_unfinished(error)
            _run_after(hooks, writer.unfinished_report(error))
        raise
    if hooks is not None:
        _run_after(hooks, report)
    return code


def _find_hooks(writer: ReportWriter, run: str) -> Hooks:
    def show(text: str) -> None:
        mask = writer.engine.mask if writer.engine is not None else NO_MASK
        click.echo(mask.text(text), err=True)

    return Hooks.find(writer.line, run, show)


def _announce(text: str) -> None:
    click.echo(text, err=True)


def _confirm(writer: ReportWriter, hooks: Hooks | None, plan: Report) -> None:
    """Show the plan and ask, unless `--yes` was typed. The hook runs after the answer."""
    if not writer.line.yes:
        show(plan, writer.line)
        if not click.confirm("Apply these changes?", err=True):
            raise FleethandsError("not confirmed, nothing was changed")
    if hooks is not None:
        hooks.run_before(plan)


def _run_after(hooks: Hooks, report: Report) -> None:
    """A hook that fails here changes neither the report nor the exit code."""
    if warning := hooks.run_after(report):
        click.echo(sanitize(f"warning: {warning}"), err=True)
