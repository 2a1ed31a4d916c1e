"""The variables and keys that unit files and drop-ins assign, each with its location."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.facts.service import Service, UnitText
from fleethands.settings.schema.ollama_env import is_known
from fleethands.settings.values.secret import MASK
from fleethands.text.systemd_unit import Setting, parse_assignments, parse_environment_file, parse_settings, split_words

_SECRET = re.compile(r"KEY|TOKEN|PASS|SECRET|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]+@")


def mask_value(name: str, value: str) -> str:
    """A value as it may be shown: masked if its name or the value itself looks secret."""
    return MASK if _SECRET.search(name) or _LOGIN.search(value) else value


@dataclass(frozen=True)
class Assignment:
    """
    One assignment in effect.

    + kind: Environment, EnvironmentFile, UnsetEnvironment, reset, or the key itself
    + location: `FILE:LINE`
    """

    kind: str
    name: str
    value: str
    location: str

    @property
    def masked_value(self) -> str:
        """The value as it may be shown. Not all users may be able to read a file of variables."""
        return mask_value(self.name, self.value) if is_known(self.name) or self.kind != "EnvironmentFile" else MASK


def read_assignments(service: Service, text: UnitText) -> Iterator[Assignment]:
    """The assignments of one unit file or drop-in, and of the files that it names."""
    for setting in parse_settings(text.lines):
        if setting.section == "Service":
            yield from _parse_setting(setting, f"{text.path}:{setting.line}")
    for file in service.files:
        if file.unit == text.path:
            for name, value, number in parse_environment_file(file.lines):
                yield Assignment("EnvironmentFile", name, value, f"{file.path}:{number}")


def _parse_setting(setting: Setting, location: str) -> Iterator[Assignment]:
    if setting.key == "Environment" and not setting.value:
        yield Assignment("reset", "Environment", "", location)
    elif setting.key == "EnvironmentFile" and not setting.value:
        yield Assignment("reset", "EnvironmentFile", "", location)
    elif setting.key == "Environment":
        yield from (
            Assignment("Environment", name, value, location) for name, value in parse_assignments(setting.value)
        )
    elif setting.key == "UnsetEnvironment":
        names = (word.partition("=")[0] for word in split_words(setting.value))
        yield from (Assignment("UnsetEnvironment", name, name, location) for name in names)
    elif setting.key not in {"EnvironmentFile", "PassEnvironment"}:
        yield Assignment(setting.key, setting.key, setting.value, location)
