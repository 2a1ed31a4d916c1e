"""What a plan says about foreign operations between those of fleethands: it cannot know what they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleethands import facts
from fleethands.facts.host_session import current_session
from fleethands.operations.core.decision import Refused

MOST = 3  # names in a message


def take_notes() -> tuple[str, ...]:
    """A note about the foreign operations of the context's host that will change it, and that no note has named yet."""
    names = facts.pending_foreign_operations()
    if not names:
        return ()
    session = current_session()
    new, session.noted = names[session.noted :], len(names)
    if not new:
        return ()
    return (f"the plan cannot tell what {_join(new)} changes; the run reads this host again after it",)


def add_hint(refused: Refused) -> Refused:
    """The refusal, with a hint if a foreign operation runs before it, which may remove its cause."""
    names = facts.pending_foreign_operations()
    if not names:
        return refused
    hint = f"{_join(names)} runs before: if it removes the cause, the run decides again after it and continues"
    return replace(refused, hints=(*refused.hints, hint))


def _join(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:MOST]]
    return ", ".join(shown + [f"{len(names) - MOST} more"] * (len(names) > MOST))
