"""Options of a command line that select hosts and set data, as they were typed."""

from __future__ import annotations

import json
from typing import Any

from fleethands.errors import UsageError
from fleethands.fleet.shard import WHOLE, Shard

PYTHON_WORDS = {"True": True, "False": False, "None": None}  # as inventories have them


def parse_shard(text: str) -> Shard:
    """The value of `--shard`; the whole fleet for an empty one. Raises UsageError."""
    try:
        return Shard.parse(text) if text else WHOLE
    except ValueError as error:
        raise UsageError(f"`--shard` {error}") from None


def parse_pair(text: str) -> tuple[str, Any]:
    """A `KEY=VALUE` of `--data`. Values are JSON, or Python's words, or text. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"`--data {text}`: expected KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, PYTHON_WORDS.get(value, value)
