"""Unified diffs of managed files, with secrets masked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from fleethands.facts.files import File
from fleethands.settings.values.secret import MASK

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
# a line of a unit file, or an assignment of an environment file, which may have several lines
_VARIABLE = re.compile(rf'^(Environment="?){_NAME}=.*$|^{_NAME}="(?:[^"\\]|\\.)*"$', re.MULTILINE)
_PLAIN = re.compile(r"#|\[|EnvironmentFile=|\s*$")  # begins a line without a value, unless the line continues a value


def unified_diff(path: str, before: File, after: File, shown: Collection[str] | None = None) -> str:
    """
    What changes in a text file, line by line; empty if its text stays the same.

    + shown: names of variables that are no secrets. If it is given, and only some users may read one of the files, all
      other values are masked, because a variable that is no longer declared may have been a secret.
    """
    if before.content == after.content:
        return ""
    old, new = _decode(before), _decode(after)
    if old is None or new is None:
        return f"--- {path} on the host\n+++ {path} declared\n(not text)"
    if shown is not None and not (before.is_public and after.is_public):
        old, new = _mask_values(old, shown), _mask_values(new, shown)
    if old == new:
        return "(a masked value differs)"
    names = f"{path} on the host", f"{path} declared"
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm=""))


def _decode(state: File) -> str | None:
    try:
        return (state.content or b"").decode()
    except UnicodeDecodeError:
        return None


def _mask_values(text: str, shown: Collection[str]) -> str:
    """The text with the values of `shown`, and with the lines that hold no value."""
    parts, end, within = [], 0, False
    for match in _VARIABLE.finditer(text):
        unknown, within = _mask_unknown(text[end : match.start()], within)
        parts += [unknown, _mask_assignment(match, shown)]
        end = match.end()
    return "".join([*parts, _mask_unknown(text[end:], within)[0]])


def _mask_assignment(match: re.Match[str], shown: Collection[str]) -> str:
    of_unit, name = match[1], match[2] or match[3]
    if name in shown:
        return match[0]
    if of_unit is None:
        return f'{name}="{MASK}"'
    return f"{of_unit}{name}={MASK}" + ('"' if of_unit.endswith('"') else "")


def _mask_unknown(text: str, within: bool) -> tuple[str, bool]:
    """
    Mask lines that are no assignments. Returns them, and whether a value may continue after them.

    + within: a value may continue in them: inside quotes or after a backslash, a line like a comment is part of it
    """
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        within = within or not _PLAIN.match(line)
        if within and line.strip():
            lines[index] = MASK + line[len(line.rstrip("\r\n")) :]
    return "".join(lines), within
