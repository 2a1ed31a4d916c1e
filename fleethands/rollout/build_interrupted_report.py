"""Builds the report of a run that stopped before it could build its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleethands.operations.core import journal
from fleethands.report.model import BAD, HostReport, Report
from fleethands.rollout import build_report

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

NOT_BEGUN = "the run stopped before it changed this host"
UNFINISHED = "the run stopped while it changed this host; run it again to finish the change"


def interrupted_run_report(engine: Engine, command: str) -> Report:
    """
    How far each host got.

    During planning, every host is `not-run`, because not all hosts may have been read.
    """
    plan = build_report.plan_report(engine, command)
    report = build_report.run_report(engine, plan) if engine.is_running else plan
    report.command = command
    for name, host in report.hosts.items():
        if host.status not in BAD:
            _mark_interrupted(engine, name, host, executing=engine.is_running)
    return report


def _mark_interrupted(engine: Engine, name: str, host: HostReport, *, executing: bool) -> None:
    begun = {each.operation for each in engine.results(name)} | {step.name for step in engine.timeline.steps(name)}
    wanted = journal.operations_with_changes(engine.host(name))
    if not executing or (wanted and not wanted & begun):
        host.status, host.reason, host.changes = "not-run", NOT_BEGUN, []
    elif not wanted <= {each.operation for each in engine.results(name)}:
        host.status, host.reason = "failed", UNFINISHED
