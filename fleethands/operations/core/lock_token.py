"""Which hosts this process has locked, and as which run: their scripts go on only while it is that run's turn."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

_turns: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def set_token(host: Any, run: str) -> None:
    """This run has locked a host; with an empty name it has not, any more."""
    _turns[host] = run


def token(host: Any) -> str:
    """The run that locked a host in this process; empty where none did."""
    return _turns.get(host, "")
