"""Reads the settings of a whole fleet, and names every mistake in it at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from fleethands.settings.host import HostSettings
from fleethands.settings.secret import Secret
from fleethands.settings.support import unsupported

if TYPE_CHECKING:
    from pyinfra.api.host import Host

PREFIXES = ("ollama_", "openhands_", "models")


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in an inventory."""

    host: str
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.host}: `{self.path}`: {self.problem}"


class SettingsError(ValueError):
    """An inventory that can't be applied; `mistakes` holds all of it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(f"error: {mistake}" for mistake in mistakes))


def read_fleet(fleet: Mapping[str, Mapping[str, Any]]) -> dict[str, HostSettings]:
    """
    Settings of each host, from its host data.

    + fleet: host name → host data; keys that are not ours (ssh_user, …) are left alone

    Raises SettingsError with every mistake of every host.
    """
    mistakes: list[Mistake] = []
    settings: dict[str, HostSettings] = {}
    for host, data in fleet.items():
        try:
            settings[host] = HostSettings(**_ours(host, data, mistakes))
        except ValidationError as error:
            mistakes += [_mistake(host, data, detail) for detail in error.errors()]
        else:
            found = (*unsupported(settings[host]), *_unreadable(settings[host]))
            mistakes += [Mistake(host, path, problem) for path, problem in found]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def of(host: Host) -> HostSettings:
    """
    One host's settings inside a deploy. The first call checks the whole inventory.

    Raises pyinfra's InventoryError, which stops all hosts before anything is changed, with every mistake.
    """
    from pyinfra.api.exceptions import InventoryError  # noqa: PLC0415  settings are read without pyinfra elsewhere

    inventory = host.state.inventory
    if inventory not in _read:
        try:
            _read[inventory] = read_fleet({each.name: each.data.dict() for each in inventory})
        except SettingsError as error:
            raise InventoryError(f"the inventory has mistakes, and nothing was changed\n\n{error}") from None
    return _read[inventory][host.name]


_read: WeakKeyDictionary[Any, dict[str, HostSettings]] = WeakKeyDictionary()


def _ours(host: str, data: Mapping[str, Any], mistakes: list[Mistake]) -> dict[str, Any]:
    known = {key: value for key, value in data.items() if key in HostSettings.model_fields}
    for key in data:
        if key not in known and key.startswith(PREFIXES):
            near = difflib.get_close_matches(key, HostSettings.model_fields, 1, cutoff=0.5)
            mistakes.append(Mistake(host, key, "no such setting" + (f", nearest is `{near[0]}`" if near else "")))
    return known


def _unreadable(settings: HostSettings) -> Iterator[tuple[str, str]]:
    for key, values in (("ollama_env", settings.ollama_env), ("openhands_env", settings.openhands_env)):
        for name, value in values.items():
            try:
                if isinstance(value, Secret):
                    value.reveal()
            except ValueError as error:
                yield f"{key}.{name}", str(error)


def _mistake(host: str, data: Mapping[str, Any], detail: Any) -> Mistake:
    path = ".".join(str(part) for part in detail["loc"] if part not in {"function-before", "tuple"}) or "settings"
    problem = detail["msg"].removeprefix("Value error, ")
    problem = problem[:1].lower() + problem[1:]
    if detail["loc"] and not isinstance(detail.get("input"), dict):
        problem += f", got `{detail.get('input')!s}`"
    return Mistake(host, path, problem)
