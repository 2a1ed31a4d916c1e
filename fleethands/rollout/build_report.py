"""Builds the report of a plan or a run from what the engine has."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fleethands.facts import Unknown
from fleethands.operations.core.decision import APPLY_HINT, Change, Refused, Unchanged
from fleethands.operations.core.journal import JournalEntry
from fleethands.operations.core.proof_record import LONGEST_HINT, Link, parse_links
from fleethands.operations.proof.proof import REQUESTED
from fleethands.paths import PROOF
from fleethands.report.host_summary import drop_probe
from fleethands.report.model import BAD, ChangeReport, HostReport, Report
from fleethands.report.timeline import OURS
from fleethands.settings.pins import PIN
from fleethands.untrusted import printable

if TYPE_CHECKING:  # its import patches the standard library
    from fleethands.engine.engine import Engine
    from fleethands.report.operation_result import OperationResult
    from fleethands.ssh.diagnosis import Why

PROOF_TASK = "Proof"
ON_THIS_MACHINE = "on this machine"
# commands that a script may give as a hint for the controller
_KNOWN_COMMAND = re.compile(rf"[^\n]*?(?:{re.escape(APPLY_HINT)}|{re.escape(PIN)})(?: [\w./:=@+-]+)*\Z", re.ASCII)


def plan_report(engine: Engine, command: str = "plan") -> Report:
    """The report of a plan that was made."""
    hosts = {name: _kept_plan_report(engine, name) for name in engine.names}
    return _complete(engine, command, hosts)


def _kept_plan_report(engine: Engine, name: str) -> HostReport:
    return replace(engine.kept[name]) if name in engine.kept else host_plan_report(engine, name)


def kept_plan_report(engine: Engine, name: str) -> HostReport:
    """The report of one host's plan, for an engine that drops all else of this host."""
    report = host_plan_report(engine, name)
    drop_probe(report)
    return report


def run_report(engine: Engine, plan: Report) -> Report:
    """The report of a run that followed a plan."""
    hosts = {name: host_run_report(engine, name, plan.hosts[name]) for name in engine.names}
    return _complete(engine, "apply", hosts)


def untouched_report(engine: Engine, command: str) -> Report:
    """Report a run that was interrupted before it changed anything."""
    left = HostReport("not-run", "interrupted before anything was changed")
    hosts = {name: replace(left, remote_commands=engine.monitor.commands.get(name, 0)) for name in engine.names}
    report = _complete(engine, command, hosts)
    report.interrupted = True
    return report


def interrupted_read_report(engine: Engine, command: str, known: Collection[str]) -> Report:
    """
    The report of a command that only reads, and was interrupted.

    + known: hosts that were read completely
    """
    report = plan_report(engine, command)
    for name, host in report.hosts.items():
        if name not in known:
            _mark_not_run(host)
    return _mark_interrupted(report)


def interrupted_proof_report(engine: Engine, plan: Report) -> Report:
    """The report of a proof that was interrupted."""
    report = proof_report(engine, plan)
    for name, host in report.hosts.items():
        host.hints = [] if name in engine.host_runs and engine.host_runs[name].interrupted else host.hints
        if name not in engine.host_runs:
            _mark_not_run(host)
    return _mark_interrupted(report)


def _mark_not_run(host: HostReport) -> None:
    if host.status not in BAD:
        host.status, host.reason, host.changes = "not-run", "interrupted before the host answered", []


def _mark_interrupted(report: Report) -> Report:
    report.interrupted, report.error, report.hints = True, "interrupted", ["nothing was changed: run the command again"]
    return report


def proof_report(engine: Engine, plan: Report) -> Report:
    """The report of `verify`: links instead of changes."""
    report = run_report(engine, plan)
    for name, host in report.hosts.items():
        if host.status not in {"unreachable", "refused"}:
            host.changes = []
            host.proof = [link for each in engine.results(name) for link in _proof_links(engine, each.stdout.encode())]
            host.status = "unchanged" if host.status == "changed" else host.status
            if not host.proof and host.status == "unchanged":
                host.status, host.reason = "failed", "no model is declared, so there is nothing to prove"
                host.hints = ["declare `models`"]
    return _complete(engine, "verify", report.hosts)


def _complete(engine: Engine, command: str, hosts: dict[str, HostReport]) -> Report:
    return complete_report(engine, Report(command, hosts, engine.started, words=engine.command_line.arguments))


def complete_report(engine: Engine, report: Report) -> Report:
    """Mask secrets in a report, and add the times of its hosts."""
    report.mask_all(engine.mask)
    record_times(engine, report)
    return report


def record_times(engine: Engine, report: Report) -> None:
    """Add the times of each host until now. Operations that changed nothing count in the total only."""
    report.seconds = time.time() - engine.started
    for name, host in report.hosts.items():
        steps = engine.timeline.steps(name)
        done = [entry for each in (engine, *engine.nested) if name in each.names for entry in each.executed(name)]
        told = OURS | {entry.name for entry in done if not isinstance(entry.decision, Unchanged)}
        host.seconds = sum(step.seconds for step in steps)
        host.steps = [step for step in steps if step.name in told or not step.ok]


def host_plan_report(engine: Engine, name: str) -> HostReport:
    """The report of one host's plan, from the decisions of its operations."""
    for seen in (engine.monitor.unreachable, engine.monitor.lost_connections):
        if name in seen and name not in engine.host_runs:
            return HostReport("unreachable", *seen[name], remote_commands=engine.monitor.commands.get(name, 0))
    entries = engine.planned(name)
    report = HostReport("unchanged", remote_commands=engine.monitor.commands.get(name, 0), changes=_changes(entries))
    report.probe, report.secrets = engine.probe(name), engine.secrets(name)
    report.notes = [engine.command_line.complete_hint(note) for note in _notes(entries)]
    if report.probe is not None and not isinstance(report.probe.sections["files"], Unknown):
        report.proof = _proof_links(engine, report.probe.files[PROOF].content)
    refusals = [entry.decision for entry in entries if isinstance(entry.decision, Refused)]
    if name in engine.monitor.probe_failures:
        report.status, (report.reason, report.hints) = "refused", engine.monitor.probe_failures[name]
    elif refusals:
        report.status, report.reason = "refused", refusals[0].reason
        report.hints = [engine.command_line.complete_hint(hint) for hint in refusals[0].hints]
    elif report.changes:
        report.status = "pending"
    return report


def host_run_report(engine: Engine, name: str, plan: HostReport) -> HostReport:
    """What a run did to one host."""
    if plan.status in BAD or name not in engine.host_runs:
        return plan
    run, outcomes = engine.host_runs[name], engine.results(name)
    succeeded = {each.operation for each in outcomes if not each.failed}
    changes = _finished_changes(engine, name, succeeded)
    report = HostReport("changed" if changes else "unchanged", changes=changes, seconds=run.seconds)
    report.remote_commands = engine.monitor.commands.get(name, 0)
    report.notes = [*plan.notes, *(f"{each.operation}: {line}" for each in outcomes for line in each.marked("note"))]
    if run.operation not in succeeded:
        report.notes += engine.monitor.confirmations.notes(name, run.operation)
    proofs = (_proof_links(engine, each.stdout.encode()) for each in outcomes if each.task == PROOF_TASK)
    report.proof = next(proofs, []) or ([] if _is_proof_invalid(engine, name) else plan.proof)
    if broken := next((each for each in outcomes if each.failed), None):
        report.status, report.log = "failed", broken.log
        reason, hints = _explain_failure(engine, name, broken)
        report.reason, report.hints = f"{broken.operation}: {reason}", hints
    elif run.problem:
        report.status = "not-run" if run.interrupted and run.between_operations and not changes else "failed"
        report.reason, report.hints = run.problem
    elif not changes:
        report.probe, report.secrets = plan.probe, plan.secrets
    return report


def _is_proof_invalid(engine: Engine, name: str) -> bool:
    """Whether a change was sent to the host: each change begins by removing the earlier proof."""
    return any(isinstance(each, Change) for entry in engine.executed(name) for each in _decisions(entry))


def _finished_changes(engine: Engine, name: str, held: set[str]) -> list[ChangeReport]:
    """The changes of operations that succeeded, without a proof that was only requested."""
    return [each for each in _changes(engine.executed(name)) if each.name in held and each.why != REQUESTED]


def _explain_failure(engine: Engine, name: str, broken: OperationResult) -> Why:
    """Why an operation failed: by its script, by its decision, or by the connection."""
    if reason := broken.reason:
        return reason, [_host_hint(engine, hint) for hint in broken.marked("hint")]
    for entry in engine.executed(name):
        if entry.name == broken.operation and isinstance(entry.decision, Refused):
            return entry.decision.reason, [engine.command_line.complete_hint(hint) for hint in entry.decision.hints]
    return engine.monitor.lost_connections.get(name) or (
        "see its log",
        [_host_hint(engine, hint) for hint in broken.marked("hint")],
    )


def after_rollback(failed: HostReport, back: HostReport) -> HostReport:
    """The report of a failed host after its rollback. It keeps the reason of the failure."""
    report = replace(failed, remote_commands=max(failed.remote_commands, back.remote_commands))
    if back.status in {"changed", "unchanged"}:
        went = [f"rolled back: {each.subject}: {each.before} → {each.after}" for each in back.changes]
        return replace(report, status="rolled-back", changes=[], notes=[*failed.notes, *went], proof=back.proof)
    if back.status == "refused":
        return replace(report, notes=[*failed.notes, f"not rolled back: {back.reason}"])
    reason = f"{failed.reason}; and the rollback failed: {back.reason}"
    return replace(report, reason=reason, hints=[*failed.hints, *back.hints], log=[*failed.log, *back.log])


def _proof_links(engine: Engine, record: bytes | None) -> list[Link]:
    return [replace(link, hint=_host_hint(engine, link.hint)) for link in parse_links(record)]


def _host_hint(engine: Engine, hint: str) -> str:
    """A hint from a host's script. Any command for the controller that is not fleethands' own is marked."""
    hint = printable(hint, LONGEST_HINT)
    if ON_THIS_MACHINE in hint and (hint.count(ON_THIS_MACHINE) > 1 or not _KNOWN_COMMAND.match(hint)):
        return f"the host says, and fleethands does not: {hint}"
    return engine.command_line.complete_hint(hint)


def _notes(entries: list[JournalEntry]) -> list[str]:
    """Notes of operations, with or without changes."""
    decisions = ((entry.name, each) for entry in entries for each in _decisions(entry))
    return [f"{name}: {note}" for name, each in decisions for note in getattr(each, "notes", ())]


def _decisions(entry: JournalEntry) -> list[Any]:
    return entry.decision if isinstance(entry.decision, list) else [entry.decision]


def _changes(entries: list[JournalEntry]) -> list[ChangeReport]:
    return [
        change_report(entry.name, each) for entry in entries for each in _decisions(entry) if isinstance(each, Change)
    ]


def change_report(name: str, change: Change) -> ChangeReport:
    """A change of the operation `Task | Operation`, for a report."""
    task, _, operation = name.partition(" | ")
    told = (change.subject, change.before, change.after, change.why, change.consequence, change.diff)
    return ChangeReport(task, operation, *told)
