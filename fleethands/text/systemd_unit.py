"""Parses unit files and environment files like systemd does (systemd.syntax(7), systemd.exec(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SECTION = re.compile(r"\[([^\]]+)\]\Z")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "s": " ", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"x[0-9a-fA-F]{2}|[0-3][0-7]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.", re.DOTALL)


@dataclass(frozen=True)
class Setting:
    """`key=value` of a section; line: number of its first line."""

    section: str
    key: str
    value: str
    line: int


def parse_settings(text: str) -> Iterator[Setting]:
    """The settings of a unit file in order, each with its continuation lines."""
    section = ""
    for number, line in _logical_lines(text):
        if match := _SECTION.match(line):
            section = match[1]
        elif "=" in line:
            key, _, value = line.partition("=")
            yield Setting(section, key.strip(), value.strip(), number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, line), with continuation lines joined. A comment between them is skipped."""
    begun, held = 0, ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if line.startswith(("#", ";")) or (not line and not begun):
            continue
        begun = begun or number
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        yield begun, (held + line).strip()
        begun, held = 0, ""
    if begun:
        yield begun, held.strip()


def parse_assignments(value: str) -> list[tuple[str, str]]:
    """(name, value) of each word of an Environment= line. Words without `=` are skipped."""
    pairs = (word.replace("%%", "%").partition("=") for word in split_words(value))
    return [(name, said) for name, equals, said in pairs if equals]


def split_words(value: str) -> Iterator[str]:
    """The words of a line, unquoted and unescaped."""
    word: str | None = None
    quote, index = "", 0
    while index < len(value):
        char = value[index]
        index += 1
        if char == "\\" and (match := _ESCAPE.match(value, index)):
            word = (word or "") + _unescaped(match[0])
            index = match.end()
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote, word = char, word or ""
        elif not quote and char.isspace():
            if word is not None:
                yield word
            word = None
        else:
            word = (word or "") + char
    if word is not None:
        yield word


def _unescaped(code: str) -> str:
    if len(code) > 1:
        return chr(int(code[1:], 16)) if code[0] in "xuU" else chr(int(code, 8))
    return _ESCAPES.get(code, code if code in "\\\"'" else "\\" + code)


def parse_environment_file(text: str) -> Iterator[tuple[str, str, int]]:
    """(name, value, line) of each line of a file for EnvironmentFile=."""
    for number, line in _logical_lines(text):
        name, equals, value = line.partition("=")
        if equals:
            yield name.strip(), "".join(split_words(value)) if value[:1] in {'"', "'"} else value.strip(), number
