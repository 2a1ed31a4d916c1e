"""Reads an engine after a plan or a run, and makes its report."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fleethands.facts import Unknown
from fleethands.operations.change import Change, Refused
from fleethands.operations.journal import Entry
from fleethands.operations.proof import APPLY, Link, links
from fleethands.paths import PROOF
from fleethands.rollout.report import BAD, Changed, HostReport, Report
from fleethands.settings.pins import PIN

if TYPE_CHECKING:  # its import patches the standard library
    from fleethands.rollout.engine import Engine

PROOF_TASK = "Proof"


def planned(engine: Engine, command: str = "plan") -> Report:
    """The report of a plan that was made."""
    hosts = {name: _planned(engine, name) for name in engine.names}
    return Report(command, hosts, engine.begun, time.time() - engine.begun)


def applied(engine: Engine, plan: Report) -> Report:
    """The report of a run that followed a plan."""
    hosts = {name: _applied(engine, name, plan.hosts[name]) for name in engine.names}
    return Report("apply", hosts, engine.begun, time.time() - engine.begun)


def verified(engine: Engine, plan: Report) -> Report:
    """The report of a proof that was made anew: links instead of changes."""
    report = applied(engine, plan)
    for name, host in report.hosts.items():
        if host.status not in {"unreachable", "refused"}:
            host.changes = []
            host.proof = [link for each in engine.outcomes(name) for link in _links(engine, each.stdout.encode())]
            host.status = "unchanged" if host.status == "changed" else host.status
            if not host.proof and host.status == "unchanged":
                host.status, host.reason = "failed", "no model is declared, so there is nothing to prove"
                host.hints = ["declare `models`"]
    return Report("verify", report.hosts, report.started, report.seconds)


def _planned(engine: Engine, name: str) -> HostReport:
    if name in engine.watch.unreachable:
        reason, hints = engine.watch.unreachable[name]
        return HostReport("unreachable", reason, hints)
    entries = engine.planned(name)
    report = HostReport("unchanged", remote_commands=engine.watch.commands.get(name, 0), changes=_changes(entries))
    report.seen, report.secrets = engine.seen(name), engine.secrets(name)
    report.notes = [_typed(engine, note) for note in _notes(entries)]
    if report.seen is not None and not isinstance(report.seen.sections["files"], Unknown):
        report.proof = _links(engine, report.seen.files[PROOF].content)
    refusals = [entry.decision for entry in entries if isinstance(entry.decision, Refused)]
    if refusals:
        report.status, report.reason = "refused", refusals[0].reason
        report.hints = [_typed(engine, hint) for hint in refusals[0].hints]
    elif report.changes:
        report.status = "pending"
    return report


def _applied(engine: Engine, name: str, plan: HostReport) -> HostReport:
    if plan.status in BAD:
        return plan
    outcomes = engine.outcomes(name)
    changes = _changes(engine.done(name))
    report = HostReport("changed" if changes else "unchanged", remote_commands=engine.watch.commands.get(name, 0))
    report.notes = [*plan.notes, *(f"{each.operation}: {line}" for each in outcomes for line in each.marked("note"))]
    proofs = (_links(engine, each.stdout.encode()) for each in outcomes if each.task == PROOF_TASK)
    report.proof = next(proofs, []) or plan.proof
    if broken := next((each for each in outcomes if each.failed), None):
        report.status, report.reason = (
            "failed",
            f"{broken.operation}: {'; '.join(broken.marked('error')) or 'see its log'}",
        )
        report.hints, report.log = [_typed(engine, hint) for hint in broken.marked("hint")], broken.log
        changes = [change for change in changes if change.name != broken.operation]
    elif not changes:
        report.seen, report.secrets = plan.seen, plan.secrets
    report.changes = changes
    return report


def _links(engine: Engine, record: bytes | None) -> list[Link]:
    return [replace(link, hint=_typed(engine, link.hint)) for link in links(record)]


def _typed(engine: Engine, hint: str) -> str:
    """A hint of a host's, which does not know by which words it is reached."""
    for command in (APPLY, PIN):
        hint = hint.replace(command, f"{command} {engine.watch.words}")
    return hint


def _notes(entries: list[Entry]) -> list[str]:
    """What operations remark, whether they change something or not."""
    decisions = ((entry.name, each) for entry in entries for each in _each(entry))
    return [f"{name}: {note}" for name, each in decisions for note in getattr(each, "notes", ())]


def _each(entry: Entry) -> list[Any]:
    return entry.decision if isinstance(entry.decision, list) else [entry.decision]


def _changes(entries: list[Entry]) -> list[Changed]:
    return [changed(entry.name, each) for entry in entries for each in _each(entry) if isinstance(each, Change)]


def changed(name: str, change: Change) -> Changed:
    """A change of the operation of this name, `Task | Operation`, as a report has it."""
    task, _, operation = name.partition(" | ")
    told = (change.subject, change.before, change.after, change.why, change.consequence, change.diff)
    return Changed(task, operation, *told)
