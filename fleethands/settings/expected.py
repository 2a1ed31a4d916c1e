"""Errors about a value of a setting."""

from __future__ import annotations


class InvalidValue(ValueError):
    """
    A value that a setting does not accept.

    + form: the expected value, with the correct form if it is known
    + note: what the value would cause
    """

    def __init__(self, form: str, note: str = "") -> None:
        self.form, self.note = form, note
        super().__init__(f"expected {form}" + (f": {note}" if note else ""))

    def got(self, value: str) -> str:
        """
        The message.

        + value: the value as it may be shown
        """
        return f"expected {self.form}, got {value}" + (f", {self.note}" if self.note else "")


class WrongType(InvalidValue):
    """Wrong type. The message comes from the setting's own description."""


def check_text(value: object) -> str:
    """Text that can be passed to a process. Raises WrongType, and InvalidValue for other text."""
    if not isinstance(value, str):
        raise WrongType("text")
    if "\0" in value:
        raise InvalidValue("text without a zero byte")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidValue("text that can be written as UTF-8")
    return value


def check_line(value: object) -> str:
    """Text without control characters. Raises InvalidValue."""
    if any(ord(char) < 32 or ord(char) == 127 for char in check_text(value)):
        raise InvalidValue("one line without control characters")
    return str(value)
