"""The forms in which a program may write a secret: quoted, in JSON, in a URL, in base64, in hex."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

SHORT = 4  # characters: a shorter value is masked only as a whole word, or `on` would vanish from `connection`
SURE = 6  # characters of base64 or hex that depend on the secret alone: fewer occur in any text
NESTED = 8  # backslashes for one: text that is quoted three times
_HTML = {"&": ("amp", "38"), "<": ("lt", "60"), ">": ("gt", "62"), '"': ("quot", "34"), "'": ("apos", "39")}
_LETTERS = {"\n": "n", "\t": "t", "\r": "r", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\x1b": "e"}
_WORD = re.compile(r"[A-Za-z0-9]+")
_BASE64 = "[A-Za-z0-9+/_-]"


@dataclass(frozen=True)
class SecretForm:
    """
    One form of a secret.

    + source: a regular expression that matches it
    + core: a text that every match contains
    """

    source: str
    core: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression. Most are never needed, because their core is in no text."""
        return re.compile(self.source)


@lru_cache(maxsize=10_000)
def secret_forms(value: str) -> tuple[SecretForm, ...]:
    """
    All forms of a value, of each of its lines, and of the password in it if it is a URL.

    The result is cached together with its compiled expressions, for all plans of a run.
    """
    whole = {value, *(line.strip() for line in value.splitlines() if _core(line))}
    with suppress(ValueError):  # it need not be an address
        whole.add(urlsplit(value).password or value)
    return tuple(writing for each in sorted(whole) if each.strip() for writing in _spell_forms(each))


def _spell_forms(value: str) -> Iterator[SecretForm]:
    source = _quoted(value)
    yield SecretForm(source if len(value) >= SHORT else rf"(?<!\w){source}(?!\w)", _core(value))
    data = value.encode(errors="surrogateescape") if _is_bytes(value) else value.encode(errors="surrogatepass")
    if 2 * len(data) >= SURE:
        yield from (SecretForm(digits, digits) for digits in (data.hex(), data.hex().upper()))
    yield from _in_base64(data)


def _is_bytes(value: str) -> bool:
    """Whether all its lone surrogates represent bytes that are not UTF-8."""
    return all(0xDC80 <= ord(char) <= 0xDCFF for char in value if 0xD800 <= ord(char) <= 0xDFFF)


def _in_base64(data: bytes) -> Iterator[SecretForm]:
    """One form for each of the three offsets. Characters that neighbouring bytes influence are masked too."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        first = -(-before * 8 // 6)
        last = (before + len(data)) * 8 // 6
        sure = text[first:last]
        if len(sure) >= SURE:
            shared = f"{_BASE64}?" if before else ""
            source = "".join(_LOOSE.get(char, char) for char in sure)
            yield SecretForm(f"{shared}{source}{_BASE64}?={{0,2}}", _core(sure))


_LOOSE = {"+": "(?:[+-]|%2[Bb])", "/": r"(?:\\{0,8}[/_]|%2[Ff])"}


def _core(text: str) -> str:
    """The longest part that is the same in every form."""
    return max(_WORD.findall(text), key=len, default="")


def _quoted(value: str) -> str:
    """Character by character, because programs nest and mix their ways to quote."""
    parts = re.findall(r"\\+|[A-Za-z0-9]+|.", value, re.DOTALL)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    if part.startswith("\\"):
        count = len(part)
        return rf"(?:\\{{{count},{count * NESTED}}}|(?:{_percent(part[0])}){{{count}}})"
    if _WORD.fullmatch(part):
        return part
    return rf"\\{{0,{NESTED}}}(?:{'|'.join(_escapes(part))})"


def _escapes(char: str) -> Iterator[str]:
    """The forms of one character, the longest first."""
    if char == "'":
        yield r"'\\{1,8}''"
        yield r"'\\{0,8}\"'\\{0,8}\"'"
    if char in _HTML:
        name, number = _HTML[char]
        yield f"&(?:{name}|#0*{number}|#[xX]0*{int(number):x});"
    if char in "%$":
        yield re.escape(char * 2)
    if char == " ":
        yield r"\+"
    if char in _LETTERS:
        yield rf"(?<=\\){_LETTERS[char]}"
    yield from _numbers(char)
    yield re.escape(char)
    if not char.isprintable():
        yield "\ufffd"  # what a report has in its place


def _numbers(char: str) -> Iterator[str]:
    """Its number, after a backslash that the expression already has, or after a per cent sign."""
    code = ord(char)
    units = [char] if code < 0x10000 else [chr(0xD800 + (code - 0x10000 >> 10)), chr(0xDC00 + (code & 0x3FF))]
    yield r"(?<=\\)" + r"\\{1,8}".join(f"u(?i:{ord(unit):04x})" for unit in units)
    yield rf"(?<=\\)U(?i:{code:08x})"
    if 0xD800 <= code <= 0xDFFF:
        return
    data = char.encode()
    yield r"(?<=\\)" + r"\\{1,8}".join(f"x(?i:{byte:02x})" for byte in data)
    yield r"(?<=\\)" + r"\\{1,8}".join(f"{byte:03o}" for byte in data)
    if code < 0x100:
        yield rf"(?<=\\)x(?i:{code:02x})"
    yield _percent(char)


def _percent(char: str) -> str:
    return "".join(f"%(?:25){{0,2}}(?i:{byte:02x})" for byte in char.encode())
