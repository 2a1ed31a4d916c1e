"""Unified diffs of managed files, without what must not be seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from fleethands.facts.files import File
from fleethands.settings.values.secret import MASK

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
# of a unit file a line; of a file that EnvironmentFile= names an assignment, which may have several
_VARIABLE = re.compile(rf'^(Environment="?){_NAME}=.*$|^{_NAME}="(?:[^"\\]|\\.)*"$', re.MULTILINE)
_PLAIN = re.compile(r"#|\[|EnvironmentFile=|\s*$")  # begins a line that holds no value, unless it goes on with one


def unified_diff(path: str, before: File, after: File, shown: Collection[str] | None = None) -> str:
    """
    What changes in a text file, line by line; empty where its text stays.

    + shown: names of variables that may be seen. Where given, and either file is not for everybody to read, every other
      value is masked: a variable that is no longer declared may have been a secret.
    """
    if before.content == after.content:
        return ""
    old, new = _text(before), _text(after)
    if old is None or new is None:
        return f"--- {path} on the host\n+++ {path} declared\n(not text)"
    if shown is not None and not (before.is_public and after.is_public):
        old, new = _masked(old, shown), _masked(new, shown)
    if old == new:
        return "(a masked value differs)"
    names = f"{path} on the host", f"{path} declared"
    return "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm=""))


def _text(state: File) -> str | None:
    try:
        return (state.content or b"").decode()
    except UnicodeDecodeError:
        return None


def _masked(text: str, shown: Collection[str]) -> str:
    """The text with values that may be seen, and nothing else but what holds none."""
    parts, end, within = [], 0, False
    for match in _VARIABLE.finditer(text):
        unknown, within = _unknown(text[end : match.start()], within)
        parts += [unknown, _assignment(match, shown)]
        end = match.end()
    return "".join([*parts, _unknown(text[end:], within)[0]])


def _assignment(match: re.Match[str], shown: Collection[str]) -> str:
    of_unit, name = match[1], match[2] or match[3]
    if name in shown:
        return match[0]
    if of_unit is None:
        return f'{name}="{MASK}"'
    return f"{of_unit}{name}={MASK}" + ('"' if of_unit.endswith('"') else "")


def _unknown(text: str, within: bool) -> tuple[str, bool]:
    """
    Lines of which nobody knows what they are, and whether a value may go on behind them.

    + within: one may go on here: in quotes or behind a backslash even what looks like a comment is a part of it
    """
    lines = text.splitlines(keepends=True)
    for index, line in enumerate(lines):
        within = within or not _PLAIN.match(line)
        if within and line.strip():
            lines[index] = MASK + line[len(line.rstrip("\r\n")) :]
    return "".join(lines), within
