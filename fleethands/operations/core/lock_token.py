"""The lock token of each host that this process has locked: its scripts stop once another run has the lock."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_tokens: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def set_token(host: Any, token: str) -> None:
    """Record the lock token of a host; an empty token clears it."""
    _tokens[host] = token


def token(host: Any) -> str:
    """The lock token of a host; empty if this process has not locked it."""
    return _tokens.get(host, "")
