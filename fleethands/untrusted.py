"""Checks data from a host, a registry, a mirror or a report file: types, lengths and characters."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from fleethands.text.sanitize import sanitize

MOST_BYTES = 1 << 22  # of one document; the largest manifests and reports of one host are far smaller
MOST_COUNT = 1 << 53  # the largest whole number that every JSON reader keeps exact
DEEPEST = 20  # levels of a stored document; a release record has five
# no control characters, no lone surrogates, no marks that change the direction of text
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]*\Z")

_BREAKS = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]+")


def parse_json(text: bytes | str, most: int = MOST_BYTES) -> Any:
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


def printable(value: Any, most: int = 1000) -> str:
    """
    The same text as one line to show: without what a terminal would act on, and cut at `most` characters.

    Raises ValueError for what is not text.
    """
    if not isinstance(value, str):
        raise ValueError("not text")
    text = sanitize(_BREAKS.sub(" ", value[: 4 * most]))
    return text if len(text) <= most else text[: most - 1] + "…"


def tree(value: Any, deepest: int = DEEPEST) -> Any:
    """
    A JSON value that can be compared and written again.

    + deepest: levels that it may have

    Raises ValueError for one that is nested deeper, and for an infinite number, which no JSON has.
    """
    level = [value]
    for _ in range(deepest):
        if any(isinstance(each, float) and not math.isfinite(each) for each in level):
            raise ValueError("a number without an end")
        level = [inner for each in level for inner in _inside(each)]
    if level:
        raise ValueError("nested too deep")
    return value


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
