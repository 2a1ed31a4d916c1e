"""Host data as `--data KEY=VALUE`, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fleethands.errors import UsageError

PYTHON_WORDS = {"True": True, "False": False, "None": None}  # as inventories have them


def parse_pair(text: str) -> tuple[str, Any]:
    """Key and value. Values are JSON, or Python's words, or text. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"`--data {text}`: expected KEY=VALUE")
    return key, _parse_value(value)


def format_pairs(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The pairs of which `parse_pair` makes the same host data. A value that is no JSON, such as a secret, has none."""
    texts = {key: _format_value(value) for key, value in data.items()}
    return tuple(f"{key}={text}" for key, text in texts.items() if text is not None)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return PYTHON_WORDS.get(text, text)


def _format_value(value: Any) -> str | None:
    if isinstance(value, str) and _parse_value(value) == value:
        return value
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return None
