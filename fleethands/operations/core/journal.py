"""What operations decided on each host, in order, while a plan was made and while it was applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.context import ctx_host, ctx_state

from fleethands.operations.core.decision import Decision, changes_of


@dataclass(frozen=True)
class JournalEntry:
    """One decision of one operation, which is named `Task | Operation`."""

    name: str
    decision: Decision
    executing: bool


_entries: WeakKeyDictionary[Any, list[JournalEntry]] = WeakKeyDictionary()


def record(decision: Decision) -> None:
    """Remember a decision for the host and the operation of pyinfra's context."""
    entry = JournalEntry(current_name(), decision, ctx_state.get().is_executing)
    _entries.setdefault(ctx_host.get(), []).append(entry)


def current_name() -> str:
    """The name of the operation of pyinfra's context."""
    (name,) = ctx_state.get().get_op_meta(ctx_host.get().current_op_hash).names
    return str(name)


def entries(host: Any, *, executing: bool) -> list[JournalEntry]:
    """The decisions on one host: those of the plan, or those of the run that executes it."""
    return [entry for entry in _entries.get(host, []) if entry.executing is executing]


def operations_with_changes(host: Any) -> set[str]:
    """Names of the operations that are going to change one host."""
    return {entry.name for entry in entries(host, executing=False) if changes_of(entry.decision)}
