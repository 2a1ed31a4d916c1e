"""Data from a host, a registry, a mirror or a report file: read into types with limits, never believed."""

from __future__ import annotations

import json
import re
from typing import Any

MOST_BYTES = 1 << 22  # of one document: the largest manifests and reports of one host stay far below
MOST_COUNT = 1 << 53  # bytes of anything: what JSON's own readers keep exact
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")


def document(text: bytes | str, most: int = MOST_BYTES) -> Any:
    """
    The value of a JSON text.

    + most: bytes, or characters, that it may have

    Raises ValueError for all else: too long, not UTF-8, nested too deep, not a number that JSON knows.

    Example: `document(b'{"size": 5}')` is `{"size": 5}`.
    """
    if len(text) > most:
        raise ValueError(f"longer than {most} bytes")
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object. Raises ValueError for any other value."""
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def rows(value: Any, most: int = 10_000) -> list[dict[str, Any]]:
    """A JSON array of objects, `most` of them. Raises ValueError for any other value."""
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("not a list, or too long a one")
    return [mapping(each) for each in value]


def count(value: Any, most: int = MOST_COUNT) -> int:
    """A whole number from 0 to `most`. Raises ValueError for any other value: `1e999`, `true`, `"5"`, `-1`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError("not a whole number, or too large a one")
    return value


def line(value: Any, most: int = 1000) -> str:
    """A text of at most `most` characters without control characters. Raises ValueError for any other value."""
    if not isinstance(value, str) or len(value) > most or not _PRINTABLE.match(value):
        raise ValueError("not one line of text, or too long a one")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
