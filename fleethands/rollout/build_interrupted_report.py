"""The report of a run that something ended before it could say itself what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleethands.operations.core import journal
from fleethands.report.model import BAD, HostReport, Report
from fleethands.rollout import build_report

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

NOT_BEGUN = "the run ended before anything was done here"
UNFINISHED = "the run ended in the middle; run it again: what was begun is completed then"


def interrupted_run_report(engine: Engine, command: str) -> Report:
    """
    Each host as far as it got.

    While a plan is made, every host is `not-run`: not all of them may have been read.
    """
    plan = build_report.plan_report(engine, command)
    report = build_report.run_report(engine, plan) if engine.is_running else plan
    report.command = command
    for name, host in report.hosts.items():
        if host.status not in BAD:
            _mark_interrupted(engine, name, host, executing=engine.is_running)
    return report


def _mark_interrupted(engine: Engine, name: str, host: HostReport, *, executing: bool) -> None:
    begun = {each.operation for each in engine.results(name)} | {step.name for step in engine.timeline.of(name)}
    wanted = journal.operations_with_changes(engine.host(name))
    if not executing or (wanted and not wanted & begun):
        host.status, host.reason, host.changes = "not-run", NOT_BEGUN, []
    elif not wanted <= {each.operation for each in engine.results(name)}:
        host.status, host.reason = "failed", UNFINISHED
