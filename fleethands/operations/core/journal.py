"""What operations decided on each host, in order: the plan while one is made, the deed while operations run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.context import ctx_host, ctx_state


@dataclass(frozen=True)
class JournalEntry:
    """One decision (Same, Change, Refused) of one operation, named `Task | Operation`."""

    name: str
    decision: Any
    executing: bool


_entries: WeakKeyDictionary[Any, list[JournalEntry]] = WeakKeyDictionary()


def record(decision: Any) -> None:
    """Remember a decision for the host and the operation of this context."""
    entry = JournalEntry(current_name(), decision, ctx_state.get().is_executing)
    _entries.setdefault(ctx_host.get(), []).append(entry)


def current_name() -> str:
    """The name of this context's operation."""
    (name,) = ctx_state.get().get_op_meta(ctx_host.get().current_op_hash).names
    return str(name)


def entries(host: Any, *, executing: bool) -> list[JournalEntry]:
    """The decisions on one host: those of the plan, or those of the run."""
    return [entry for entry in _entries.get(host, []) if entry.executing is executing]


def operations_with_changes(host: Any) -> set[str]:
    """Names of the operations that the plan has a change of on one host."""
    return {entry.name for entry in entries(host, executing=False) if not hasattr(entry.decision, "fact")}
