"""What a run found and did, host by host: the document behind every table and behind --json."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from fleethands.operations.change import Change, Refused
from fleethands.operations.proof import Link
from fleethands.rollout.engine import Engine

SCHEMA = 1
BAD = ("failed", "refused", "unreachable", "not-run")


@dataclass(frozen=True)
class Changed:
    """One change, planned or made."""

    task: str
    operation: str
    before: str
    after: str
    diff: str = ""

    def document(self) -> dict[str, str]:
        """The contract's names."""
        named = {"task": self.task, "operation": self.operation, "from": self.before, "to": self.after}
        return {**named, "diff": self.diff}


@dataclass
class HostReport:
    """One host of a run."""

    status: str
    reason: str = ""
    hints: list[str] = field(default_factory=list)
    seconds: float = 0.0
    remote_commands: int = 0
    changes: list[Changed] = field(default_factory=list)
    proof: list[Link] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The contract's form."""
        return {
            "status": self.status,
            "reason": self.reason,
            "hints": self.hints,
            "seconds": round(self.seconds, 3),
            "remote_commands": self.remote_commands,
            "changes": [change.document() for change in self.changes],
            "proof": [asdict(link) for link in self.proof],
        }


@dataclass
class Report:
    """A whole run."""

    command: str
    hosts: dict[str, HostReport]
    started: float = field(default_factory=time.time)
    seconds: float = 0.0

    @property
    def result(self) -> str:
        """unchanged, pending, changed or failed."""
        seen = {host.status for host in self.hosts.values()}
        if seen & set(BAD):
            return "failed"
        return next((word for word in ("pending", "changed") if word in seen), "unchanged")

    def document(self) -> dict[str, Any]:
        """The contract's form, schema 1."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
            "seconds": round(self.seconds, 3),
            "result": self.result,
            "hosts": {name: host.document() for name, host in sorted(self.hosts.items())},
        }


def planned(engine: Engine) -> Report:
    """The report of a plan that was made."""
    return Report("plan", {name: _planned(engine, name) for name in engine.names})


def applied(engine: Engine, plan: Report) -> Report:
    """The report of a run that followed a plan."""
    return Report("apply", {name: _applied(engine, name, plan.hosts[name]) for name in engine.names}, plan.started)


def _planned(engine: Engine, name: str) -> HostReport:
    if name in engine.watch.unreachable:
        return HostReport("unreachable", engine.watch.unreachable[name], [f"look for yourself: `ssh {name}`"])
    sent = engine.watch.commands.get(name, 0)
    entries = engine.planned(name)
    changes = _changes(entries)
    for entry in entries:
        if isinstance(entry.decision, Refused):
            return HostReport("refused", entry.decision.reason, list(entry.decision.hints), 0, sent, changes)
    return HostReport("pending" if changes else "unchanged", remote_commands=sent, changes=changes)


def _applied(engine: Engine, name: str, plan: HostReport) -> HostReport:
    if plan.status in BAD:
        return plan
    changes = _changes(engine.done(name))
    sent = engine.watch.commands.get(name, 0)
    if broken := engine.failed(name):
        operation, lines = broken
        reasons = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        hints = [line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")]
        made = [change for change in changes if f"{change.task} | {change.operation}" != operation]
        return HostReport("failed", f"{operation}: {'; '.join(reasons) or 'see above'}", hints, 0, sent, made)
    return HostReport("changed" if changes else "unchanged", remote_commands=sent, changes=changes)


def _changes(entries: list[Any]) -> list[Changed]:
    found = []
    for entry in entries:
        task, _, operation = entry.name.partition(" | ")
        decisions = entry.decision if isinstance(entry.decision, list) else [entry.decision]
        found += [Changed(task, operation, each.before, each.after) for each in decisions if isinstance(each, Change)]
    return found
