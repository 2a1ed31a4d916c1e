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
from fleethands.rollout.strategy import RolloutStrategy
from fleethands.runs.change_hosts import ALL_AT_ONCE, HostChanges, change_hosts
from fleethands.ssh.timeouts import LIMITS, Limits

DEFAULTS = DeployOptions()


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
    changes = HostChanges(run.deploy, run.strategy, run.lock_wait)
    listen = partial(listener, plain=writer.as_json)
    confirm = None if writer.line.yes else partial(_confirm, writer)
    return finish(writer, change_hosts(engine, changes, listen, _announce, confirm))


def _announce(text: str) -> None:
    click.echo(text, err=True)


def _confirm(writer: ReportWriter, plan: Report) -> None:
    show(plan, writer.line)
    if not click.confirm("Apply these changes?", err=True):
        raise FleethandsError("not confirmed, nothing was changed")
