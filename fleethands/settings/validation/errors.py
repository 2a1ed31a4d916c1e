"""Messages about settings. They never show a value that may be a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands.errors import FleethandsError
from fleethands.settings.values.secret import MASK, Secret

MAX_SHOWN = 80  # characters of a value that are shown
_SECRET = re.compile(r"key|token|secret|passw|pwd|credential|auth", re.IGNORECASE)
_USERINFO = re.compile(r"://(\S*)@|^([^\s/@]*:[^\s/@]*)@(?!sha)")


@dataclass(frozen=True)
class InvalidSetting:
    """One mistake in an inventory."""

    host: str
    path: str
    problem: str

    def __str__(self) -> str:
        return _printable(f"{self.host}: `{self.path}`: {self.problem}")


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
    return [str(InvalidSetting(_join_hosts(names), path, problem)) for (path, problem), names in hosts.items()]


def _join_hosts(hosts: list[str]) -> str:
    return hosts[0] if len(hosts) == 1 else f"{', '.join(hosts)} ({len(hosts)} hosts)"


def show_value(path: str, value: object) -> str:
    """A value for a message: one short line, masked if it may be a secret."""
    if isinstance(value, dict):
        return "a dictionary"
    if isinstance(value, list | tuple | set | frozenset):
        return "a list"
    if isinstance(value, Secret) or _SECRET.search(path.rpartition(".")[2]):
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
