"""Unified diffs of managed files, without what must not be seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from fleethands.facts.files import File
from fleethands.settings.secret import MASK

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
# of a unit file a line; of a file that EnvironmentFile= names an assignment, which may have several
_VARIABLE = re.compile(rf'^(Environment="?){_NAME}=.*$|^{_NAME}="(?:[^"\\]|\\.)*"$', re.MULTILINE)
_OTHER = re.compile(r"^(?!#|\[|EnvironmentFile=|\s*$).+$", re.MULTILINE)  # lines that may hold a value


def unified(path: str, before: File, after: File, shown: Collection[str] | None = None) -> str:
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
    parts, end = [], 0
    for match in _VARIABLE.finditer(text):
        parts += [_unknown(text[end : match.start()]), _assignment(match, shown)]
        end = match.end()
    return "".join([*parts, _unknown(text[end:])])


def _assignment(match: re.Match[str], shown: Collection[str]) -> str:
    of_unit, name = match[1], match[2] or match[3]
    if name in shown:
        return match[0]
    if of_unit is None:
        return f'{name}="{MASK}"'
    return f"{of_unit}{name}={MASK}" + ('"' if of_unit.endswith('"') else "")


def _unknown(text: str) -> str:
    return _OTHER.sub(MASK, text)
