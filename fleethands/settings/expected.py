"""The one way in which a value is refused."""

from __future__ import annotations


class InvalidValue(ValueError):
    """
    A value is not what it should be.

    + form: what is expected, with the right spelling where it is known
    + note: what would come of the value
    """

    def __init__(self, form: str, note: str = "") -> None:
        self.form, self.note = form, note
        super().__init__(f"expected {form}" + (f": {note}" if note else ""))

    def got(self, value: str) -> str:
        """The whole sentence, with the value as it may be shown."""
        return f"expected {self.form}, got {value}" + (f", {self.note}" if self.note else "")


class WrongType(InvalidValue):
    """A value of another type: what is expected then is what the setting takes."""


def check_text(value: object) -> str:
    """A text that a process can be given. Raises WrongType, and InvalidValue for a text that none can be given."""
    if not isinstance(value, str):
        raise WrongType("text")
    if "\0" in value:
        raise InvalidValue("text without a zero byte")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidValue("text that can be written as UTF-8")
    return value


def check_line(value: object) -> str:
    """A text without control characters. Raises InvalidValue."""
    if any(ord(char) < 32 or ord(char) == 127 for char in check_text(value)):
        raise InvalidValue("one line without control characters")
    return str(value)
