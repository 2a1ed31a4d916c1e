"""Settings that were renamed or removed. In an inventory an old name is an error that says what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleethands.settings.validation.errors import mask_userinfo
from fleethands.settings.values.literal import literal


@dataclass(frozen=True)
class Renamed:
    """A setting that has another name now, and takes the same values."""

    new: str

    def problem(self, value: object) -> str:
        """What to write instead of the old name with this value."""
        line = mask_userinfo(f"{literal(self.new)}: {literal(value)}", value)
        return f"renamed to `{self.new}`: write `{line}` instead"


@dataclass(frozen=True)
class Removed:
    """A setting that no longer exists; `advice` is a sentence that says what to do instead."""

    advice: str

    def problem(self, _value: object) -> str:
        """What to do instead."""
        return f"removed: {self.advice}"


# Every name that was ever accepted in an inventory: hosts keep release records with it.
OLD_SETTINGS: Mapping[str, Renamed | Removed] = {
    "ollama_run": Renamed("ollama_runtime"),
    "ollama_base_url": Renamed("ollama_address"),
}


def find_old_keys(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, problem) of each old name in host data."""
    return [(key, OLD_SETTINGS[key].problem(value)) for key, value in data.items() if key in OLD_SETTINGS]


def translate(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same host data with today's names, without removed settings. A new name wins over its old one."""
    renamed = {each.new: data[key] for key, each in OLD_SETTINGS.items() if key in data and isinstance(each, Renamed)}
    return renamed | {key: value for key, value in data.items() if key not in OLD_SETTINGS}
