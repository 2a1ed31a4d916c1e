"""Messages about settings. They never show a value that may be a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands.errors import FleethandsError
from fleethands.settings.values.secret import MASK, Secret

MAX_SHOWN = 80  # characters of a value that are shown
_GIVEN = re.compile(r", got (`.*?`(?=, |\Z| \()|a list|a dictionary|[0-9]+\b)")
_NEAREST = re.compile(r"nearest is `([^`]+)`")
_SECRET = re.compile(r"key|token|secret|passw|pwd|credential|auth|webhook|gateway_people", re.IGNORECASE)
_USERINFO = re.compile(r"://(\S*)@|^([^\s/@]*:[^\s/@]*)@(?!sha)")


@dataclass(frozen=True)
class InvalidSetting:
    """One mistake in an inventory."""

    host: str
    path: str
    problem: str

    def __str__(self) -> str:
        return _printable(f"{self.host}: `{self.path}`: {self.problem}")

    @property
    def expected(self) -> str | None:
        """The values that the setting accepts: messages have the form `expected …, got …, nearest is …`."""
        found = re.match(r"expected (.*?)(?=, got |, nearest is |, because |: |\Z)", self.problem)
        return found[1] if found else None

    @property
    def given(self) -> str | None:
        """The value as it may be shown."""
        found = _GIVEN.search(self.problem)
        return found[1].strip("`") if found else None

    @property
    def nearest(self) -> str | None:
        """The nearest valid word."""
        found = _NEAREST.search(self.problem)
        return found[1] if found else None


class SettingsError(FleethandsError, ValueError):
    """
    All mistakes of an inventory. The text lists a mistake once for all hosts that have it.

    + mistakes: one for each host and setting
    """

    def __init__(self, mistakes: list[InvalidSetting]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(f"error: {line}" for line in _fold_hosts(mistakes)))


def _fold_hosts(mistakes: list[InvalidSetting]) -> list[str]:
    hosts: dict[tuple[str, str], list[str]] = {}
    for mistake in mistakes:
        hosts.setdefault((mistake.path, mistake.problem), []).append(mistake.host)
    return [str(InvalidSetting(join_hosts(names), path, problem)) for (path, problem), names in hosts.items()]


def join_hosts(hosts: list[str], most: int | None = None) -> str:
    """
    The names of hosts, and their number if there are several.

    + most: names that are listed; None for all
    """
    if len(hosts) == 1:
        return hosts[0]
    listed = hosts[:most] if most else hosts
    more = ", …" if len(listed) < len(hosts) else ""
    return f"{', '.join(listed)}{more} ({len(hosts)} hosts)"


def show_value(path: str, value: object) -> str:
    """A value for a message: one short line, masked if it may be a secret."""
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, list | tuple | set | frozenset):
        return "a list"
    if isinstance(value, Secret) or _SECRET.search(path):
        return f"`{MASK}`"
    text = _printable(str(value))
    return f"`{text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + '…'}`"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def mask_userinfo(sentence: str, value: object) -> str:
    """A message about a value, without the user and password of an address in it."""
    for match in _USERINFO.finditer(value if isinstance(value, str) else ""):
        secret = match[1] or match[2]
        sentence = sentence.replace(secret, MASK) if secret else sentence
    return sentence
