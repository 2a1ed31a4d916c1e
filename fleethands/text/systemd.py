"""Quotes values for systemd, which reads them back unchanged (systemd.syntax(7), systemd.exec(5))."""

from __future__ import annotations


def assignment(name: str, value: str) -> str:
    """
    One quoted word `"NAME=value"` of an Environment= line.

    Raises ValueError for a value that systemd rejects.
    """
    try:
        return quote_word(check_encodable(f"{name}={value}"))
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from None


def file_assignment(name: str, value: str) -> str:
    """
    One line `NAME="value"` of an EnvironmentFile= (systemd.exec(5); src/basic/env-file.c, v252).

    Raises ValueError for a value that systemd rejects.
    """
    try:
        check_encodable(value)
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from None
    return f'{name}="' + "".join(f"\\{char}" if char in '\\"`$' else char for char in value) + '"'


def quote_word(value: str) -> str:
    """
    One quoted word of a unit file's line.

    Only Environment= may contain control characters: directives with paths do not support `\\x` and `\\n`.
    """
    return '"' + "".join(_escaped(char) for char in value) + '"'


def check_encodable(value: str) -> str:
    """
    The same text, if a unit file can contain it.

    systemd stops reading a file at a surrogate or a noncharacter, and ignores the rest of it
    (src/basic/utf8.c `unichar_is_valid`, src/shared/conf-parser.c; tested with v252 and v257).

    Raises ValueError.
    """
    for char in value:
        code = ord(char)
        if code == 0:
            raise ValueError("expected no zero byte")
        if 0xD800 <= code <= 0xDFFF:
            raise ValueError("expected text in UTF-8, got other bytes")
        if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
            raise ValueError(f"expected no U+{code:04X}: systemd stops reading a file there")
    return value


def _escaped(char: str) -> str:
    if char in '\\"':
        return "\\" + char
    if char == "%":
        return "%%"
    if char == "\n":
        return "\\n"
    if char == "\t":
        return "\\t"
    if ord(char) < 32 or ord(char) == 127:
        return f"\\x{ord(char):02x}"
    return char
