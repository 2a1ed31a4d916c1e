"""The lock token of each host that this process has locked: its scripts stop once another run has the lock."""

from __future__ import annotations

from typing import Any

from fleethands.facts.host_session import session_of


def set_token(host: Any, token: str) -> None:
    """Record the lock token of a host; an empty token clears it."""
    session_of(host).lock_token = token


def token(host: Any) -> str:
    """The lock token of a host; empty if this process has not locked it."""
    return session_of(host).lock_token
