"""Values as systemd reads them back byte for byte (systemd.syntax(7), systemd.exec(5))."""

from __future__ import annotations


def assignment(name: str, value: str) -> str:
    """
    One quoted word `"NAME=value"` of an Environment= line.

    Raises ValueError for a value that no environment can hold.
    """
    if "\0" in value:
        raise ValueError(f"`{name}`: expected no zero byte")
    return word(f"{name}={value}")


def word(value: str) -> str:
    """One quoted word of a unit file's line."""
    return '"' + "".join(_escaped(char) for char in value) + '"'


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
