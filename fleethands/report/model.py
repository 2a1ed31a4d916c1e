"""What a run found and did, host by host: the data behind tables, files and --json."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fleethands.operations.core import provenance
from fleethands.operations.core.proof_record import Link, measured_speed
from fleethands.report.packed_facts import PackedFacts
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.report.step import Step
from fleethands.speed import Speed

if TYPE_CHECKING:  # its import brings pyinfra, and reports are also loaded without it
    from fleethands.facts import Probe

Status = Literal["unchanged", "pending", "changed", "failed", "refused", "unreachable", "rolled-back", "not-run"]
Result = Literal["unchanged", "pending", "changed", "failed", "interrupted"]
SCHEMA = 1
BAD: tuple[Status, ...] = ("failed", "rolled-back", "refused", "unreachable", "not-run")
SECOND, MILLISECOND = 0, 3


def format_timestamp(seconds: float, digits: int = SECOND) -> str:
    """A time in seconds since 1970 as ISO 8601, in UTC. Example: `2026-11-29T17:02:11Z`."""
    whole, rest = divmod(int(seconds * 10**digits), 10**digits)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + (f".{rest:0{digits}d}" if digits else "") + "Z"


@dataclass(frozen=True)
class ChangeReport:
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

    def to_json(self) -> dict[str, str]:
        """The change as JSON."""
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

    + log: output of the operation that failed, without its errors and hints
    + notes: messages of operations, such as a measured downtime
    + seconds: duration of the work on this host, without waiting for others
    + steps: when each part of the work began, and how long it took
    + probe: the latest answer of the host; None if it never answered, or has changed since
    + secrets: names of variables whose values are not shown; mask: hides the values
    + loaded_facts: facts of a report that was loaded from a file, which has no probe
    + packed: facts and status cells of a probe that was dropped (packed_facts.py)
    """

    status: Status
    reason: str = ""
    hints: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    remote_commands: int = 0
    changes: list[ChangeReport] = field(default_factory=list)
    proof: list[Link] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    probe: Probe | None = field(default=None, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    mask: Mask = field(default=NO_MASK, repr=False)
    loaded_facts: dict[str, Any] = field(default_factory=dict, repr=False)
    packed: PackedFacts | None = field(default=None, repr=False)

    @property
    def has_facts(self) -> bool:
        """Whether the host answered in this run. A report from a file has facts without it."""
        return self.probe is not None or self.packed is not None

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the host as JSON, without secrets."""
        if self.packed is not None:
            return self.mask.all(self.packed.facts)
        return self.mask.all(self.probe.to_json(self.secrets)) if self.probe else self.loaded_facts

    @property
    def speed(self) -> Speed | None:
        """The speed that the proof measured; None if it was not measured."""
        return measured_speed(self.proof)

    @property
    def facts_text(self) -> str:
        """The facts as the text of a JSON object, on one line."""
        if self.packed is not None and self.mask.has_nothing_to_hide(text := self.packed.text):
            return text
        return json.dumps(self.facts)

    def mask_all(self, mask: Mask) -> None:
        """Hide the values of secrets in all texts of this host, and in its facts."""
        self.mask = mask
        self.reason = mask.text(self.reason)
        self.hints, self.log, self.notes = mask.all(self.hints), mask.all(self.log), mask.all(self.notes)
        self.changes, self.proof = mask.all(self.changes), mask.all(self.proof)

    def to_json(self) -> dict[str, Any]:
        """The host as JSON."""
        return {**self.to_json_without_facts(), "facts": self.facts}

    def to_json_without_facts(self) -> dict[str, Any]:
        """The host as JSON, without its largest part."""
        return {
            "status": self.status,
            "reason": self.reason,
            "hints": self.hints,
            "log": self.log,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
            "remote_commands": self.remote_commands,
            "changes": [change.to_json() for change in self.changes],
            "proof": [_link(link) for link in self.proof],
            "steps": [_step(step) for step in self.steps],
        }


def _link(link: Link) -> dict[str, Any]:
    whole = {"link": link.name, "ok": link.ok, "seconds": link.seconds, "detail": link.detail, "hint": link.hint}
    return {**whole, "speed": link.speed.to_json()} if link.speed else whole


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "started": format_timestamp(step.started, MILLISECOND),
        "seconds": round(step.seconds, 3),
        "ok": step.ok,
    }


@dataclass
class Report:
    """
    A whole run.

    + started: seconds since 1970; seconds: duration, with the time to connect
    + words: target and options, for the next command
    + by: `user@controller`
    + shard: `I/N` where the run covers one part of a fleet
    + error: the problem that stopped the run itself, apart from the hosts' own; hints: next steps for it

    Example: `Report("plan", {"gpu-1": HostReport("unchanged")}).result` is `unchanged`.
    """

    command: str
    hosts: dict[str, HostReport]
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    interrupted: bool = False
    words: str = ""
    by: str = field(default_factory=provenance.user_at_controller)
    shard: str = ""
    error: str = ""
    hints: list[str] = field(default_factory=list)

    def mask_all(self, mask: Mask) -> None:
        """Hide the values of secrets in all texts."""
        self.error, self.hints = mask.text(self.error), mask.all(self.hints)
        for host in self.hosts.values():
            host.mask_all(mask)

    @property
    def result(self) -> Result:
        """The result of the run: unchanged, pending, changed, failed or interrupted."""
        statuses = {host.status for host in self.hosts.values()}
        if self.interrupted:
            return "interrupted"
        if self.error or statuses & set(BAD):
            return "failed"
        if "pending" in statuses:
            return "pending"
        return "changed" if "changed" in statuses else "unchanged"

    @property
    def failed_hosts(self) -> dict[str, HostReport]:
        """The hosts that are failed, rolled-back, refused, unreachable or not-run."""
        return {name: host for name, host in sorted(self.hosts.items()) if host.status in BAD}

    def to_json(self) -> dict[str, Any]:
        """The report as JSON, schema 1. The same as text, host by host: `report_text` (report_text.py)."""
        return {**self.head, "hosts": {name: host.to_json() for name, host in sorted(self.hosts.items())}}

    @property
    def head(self) -> dict[str, Any]:
        """The report as JSON, without its hosts."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "words": self.words,
            "by": self.by,
            "shard": self.shard,
            "started": format_timestamp(self.started),
            "seconds": round(self.seconds, 3),
            "result": self.result,
            "error": self.error,
            "hints": self.hints,
        }
