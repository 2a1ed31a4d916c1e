"""What operations decided on each host, in order: the plan while one is made, the deed while operations run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.context import ctx_host, ctx_state


@dataclass(frozen=True)
class Entry:
    """One decision (Same, Change, Refused) of one operation, named `Task | Operation`."""

    name: str
    decision: Any
    executing: bool


_entries: WeakKeyDictionary[Any, list[Entry]] = WeakKeyDictionary()


def note(decision: Any) -> None:
    """Remember a decision for the host and the operation of this context."""
    state, host = ctx_state.get(), ctx_host.get()
    (name,) = state.get_op_meta(host.current_op_hash).names
    _entries.setdefault(host, []).append(Entry(name, decision, state.is_executing))


def of(host: Any, *, executing: bool) -> list[Entry]:
    """The decisions on one host: those of the plan, or those of the run."""
    return [entry for entry in _entries.get(host, []) if entry.executing is executing]
