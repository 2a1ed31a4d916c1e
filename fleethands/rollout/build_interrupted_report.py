"""The report of a run that something ended before it could say itself what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyinfra.api.state import StateStage

from fleethands.operations.core import journal
from fleethands.report.model import BAD, HostReport, Report
from fleethands.rollout import build_report

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

BEFORE = "the run ended before anything was done here"
AMID = "the run ended in the middle; run it again: what was begun is completed then"


def unfinished(engine: Engine, command: str) -> Report:
    """
    Each host as far as it got.

    While a plan is made, every host is `not-run`: not all of them may have been read.
    """
    plan = build_report.planned(engine, command)
    executing = engine.state.current_stage >= StateStage.Execute
    report = build_report.applied(engine, plan) if executing else plan
    report.command = command
    for name, host in report.hosts.items():
        if host.status not in BAD:
            _cut(engine, name, host, executing=executing)
    return report


def _cut(engine: Engine, name: str, host: HostReport, *, executing: bool) -> None:
    begun = {each.operation for each in engine.results(name)} | {step.name for step in engine.timeline.of(name)}
    wanted = journal.operations_with_changes(engine.host(name))
    if not executing or (wanted and not wanted & begun):
        host.status, host.reason, host.changes = "not-run", BEFORE, []
    elif not wanted <= {each.operation for each in engine.results(name)}:
        host.status, host.reason = "failed", AMID
