"""The fencing token of a host's lock: a script stops where the host's token names another run."""

from __future__ import annotations

from typing import Any

from fleethands.facts.host_session import session_of


def set_token(host: Any, run: str) -> None:
    """Note that a run has locked a host; an empty id means that it has no lock."""
    session_of(host).lock_token = run


def token(host: Any) -> str:
    """Id of the run that locked a host in this process, empty without a lock."""
    return session_of(host).lock_token
