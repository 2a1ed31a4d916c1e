"""What operations decided on each host, in order: in the plan, and in the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyinfra.context import ctx_host, ctx_state

from fleethands.facts.host_session import session_of
from fleethands.operations.core.decision import Decision, changes_of


@dataclass(frozen=True)
class JournalEntry:
    """
    One decision of one operation.

    + name: of the operation, `Task | Operation`
    + executing: whether the decision belongs to the run, not to the plan
    """

    name: str
    decision: Decision
    executing: bool


def record(decision: Decision) -> None:
    """Add a decision for the host and the operation of pyinfra's context."""
    host, state = ctx_host.get(), ctx_state.get()
    session_of(host).decisions.append(JournalEntry(_name(host, state), decision, state.is_executing))


def current_name() -> str:
    """The name of the context's operation."""
    return _name(ctx_host.get(), ctx_state.get())


def _name(host: Any, state: Any) -> str:
    """
    The name of a host's current operation.

    Where a deploy file calls one operation under several names, as pyinfra's API does for hosts that take different
    branches, all of them.
    """
    return " / ".join(sorted(state.get_op_meta(host.current_op_hash).names))


def entries(host: Any, *, executing: bool) -> list[JournalEntry]:
    """The decisions on one host: those of the plan, or those of the run."""
    return [entry for entry in session_of(host).decisions if entry.executing is executing]


def operations_with_changes(host: Any) -> set[str]:
    """Names of the operations for which the plan has a change on one host. A refusal is no change."""
    return {entry.name for entry in entries(host, executing=False) if changes_of(entry.decision)}
