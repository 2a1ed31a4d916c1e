"""Unified diffs of managed files, without what must not be seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from fleethands.facts.probe import File
from fleethands.settings.secret import MASK

WORLD_READABLE = 0o004
_VARIABLE = re.compile(r'^(Environment="?)([A-Za-z_][A-Za-z0-9_]*)=(.*)$')


def unified(path: str, before: File, after: File, shown: Collection[str] | None = None) -> str:
    """
    What changes in a text file, line by line; empty where its text stays.

    + shown: names of variables that may be seen. Where given, and either file is not for everybody to read, every other
      value of an Environment= line is masked: a variable that is no longer declared may have been a secret.
    """
    if before.content == after.content:
        return ""
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return f"--- {path} on the host\n+++ {path} declared\n(not text)"
    if shown is not None and not (_is_public(before) and _is_public(after)):
        old, new = ([_masked(line, shown) for line in lines] for lines in (old, new))
    if old == new:
        return "(a masked value differs)"
    return "\n".join(difflib.unified_diff(old, new, f"{path} on the host", f"{path} declared", lineterm=""))


def _lines(state: File) -> list[str] | None:
    try:
        return (state.content or b"").decode().splitlines()
    except UnicodeDecodeError:
        return None


def _is_public(state: File) -> bool:
    return state.kind == "absent" or bool(int(state.mode or "0", 8) & WORLD_READABLE)


def _masked(line: str, shown: Collection[str]) -> str:
    match = _VARIABLE.match(line)
    if match is None or match[2] in shown:
        return line
    return f"{match[1]}{match[2]}={MASK}" + ('"' if match[1].endswith('"') else "")
