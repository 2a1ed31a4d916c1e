"""What a run found and did, host by host: the document behind every table and behind --json."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from fleethands.facts import Probe
from fleethands.operations.proof import Link

SCHEMA = 1
BAD = ("failed", "rolled-back", "refused", "unreachable", "not-run")


@dataclass(frozen=True)
class Changed:
    """One change, planned or made."""

    task: str
    operation: str
    subject: str
    before: str
    after: str
    why: str = ""
    consequence: str = ""
    diff: str = ""

    @property
    def name(self) -> str:
        """Task and operation, as pyinfra names them."""
        return f"{self.task} | {self.operation}"

    def document(self) -> dict[str, str]:
        """The contract's names."""
        return {
            "task": self.task,
            "operation": self.operation,
            "subject": self.subject,
            "from": self.before,
            "to": self.after,
            "why": self.why,
            "consequence": self.consequence,
            "diff": self.diff,
        }


@dataclass
class HostReport:
    """
    One host of a run.

    + log: what the operation that failed said, without its errors and hints
    + notes: what operations said of their work, as a measured downtime
    + seen: the host as it was when it was last asked; None when it never was, or has changed since
    + secrets: names of variables whose values are not shown
    """

    status: str
    reason: str = ""
    hints: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    remote_commands: int = 0
    changes: list[Changed] = field(default_factory=list)
    proof: list[Link] = field(default_factory=list)
    seen: Probe | None = None
    secrets: frozenset[str] = frozenset()

    def document(self) -> dict[str, Any]:
        """The contract's form."""
        return {
            "status": self.status,
            "reason": self.reason,
            "hints": self.hints,
            "log": self.log,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            "remote_commands": self.remote_commands,
            "changes": [change.document() for change in self.changes],
            "proof": [_link(link) for link in self.proof],
            "facts": self.seen.document(self.secrets) if self.seen else {},
        }


def _link(link: Link) -> dict[str, Any]:
    return {"link": link.name, "ok": link.ok, "seconds": link.seconds, "detail": link.detail, "hint": link.hint}


@dataclass
class Report:
    """
    A whole run.

    + started: seconds since 1970; seconds: all of it, connecting included
    """

    command: str
    hosts: dict[str, HostReport]
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def result(self) -> str:
        """unchanged, pending, changed, failed or interrupted."""
        seen = {host.status for host in self.hosts.values()}
        if self.interrupted:
            return "interrupted"
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
