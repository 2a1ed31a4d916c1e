"""Notes about the hosts of an Ansible inventory, which count when a command selects these hosts."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.errors import FleethandsError
from fleethands.fleet.ansible.place import FileLocation
from fleethands.settings import HostSettings, SettingsError, read_fleet
from fleethands.settings.lockfile import Lockfile
from fleethands.settings.validation.errors import InvalidSetting

HINTS = {
    "ssh_password": "to log in by a key instead: `--data ssh_password=null`",
    "ssh_config_file": "write it into ~/.ssh/config, and add `--data ssh_config_file=null`",
}


@dataclass(frozen=True)
class Unusable:
    """Why a variable can't be used; `key` is its name in host data."""

    key: str
    name: str
    place: FileLocation
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: `{self.name}`: {self.problem}"


@dataclass
class Notes:
    """
    Notes about one host.

    + connection: variables that prevent a connection; settings: settings that can't be read
    + places: key of host data → its location; warnings: lines of text
    """

    connection: list[Unusable] = field(default_factory=list)
    settings: list[Unusable] = field(default_factory=list)
    places: dict[str, FileLocation] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class UnsupportedConnection(FleethandsError):
    """Hosts whose declared connection fleethands cannot make."""


def check_connections(notes: Mapping[str, Notes], given: Container[str]) -> None:
    """
    Raise UnsupportedConnection with all locations.

    + notes: of the selected hosts, by name; given: keys of `--data`, which override the inventory
    """
    wrong: dict[Unusable, list[str]] = {}
    for host, note in notes.items():
        for each in note.connection:
            if each.key not in given:
                wrong.setdefault(each, []).append(host)
    if wrong:
        hints = dict.fromkeys(_hint(each, hosts) for each, hosts in wrong.items())
        raise UnsupportedConnection("\nerror: ".join(dict.fromkeys(map(str, wrong))), *hints)


def _hint(each: Unusable, hosts: list[str]) -> str:
    if each.key == "ansible_connection":
        return f"to leave out what is not for fleethands: `--exclude {','.join(sorted(hosts))}`"
    return HINTS.get(each.key, f"write the value itself there, or set it: `--data {each.key}=…`")


def read_noted(
    fleet: Mapping[str, Mapping[str, Any]],
    notes: Mapping[str, Notes],
    given: Container[str],
    lock: Lockfile | None = None,
) -> dict[str, HostSettings]:
    """
    The settings of each host, with the location of each mistake.

    + given: keys of `--data`, which override the inventory

    Raises SettingsError, LockfileError.
    """
    mistakes = [
        InvalidSetting(host, each.key, f"{each.problem} ({each.place})")
        for host, note in notes.items()
        for each in note.settings
        if host in fleet and each.key not in given
    ]
    known = {(each.host, each.path) for each in mistakes}
    try:
        settings = read_fleet(fleet, lock)
    except SettingsError as error:
        placed = [_placed(each, notes.get(each.host), given) for each in error.mistakes]
        mistakes += [each for each in placed if (each.host, each.path.partition(".")[0]) not in known]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _placed(mistake: InvalidSetting, note: Notes | None, given: Container[str]) -> InvalidSetting:
    key = mistake.path.partition(".")[0]
    if note is None or key in given or key not in note.places:
        return mistake
    return InvalidSetting(mistake.host, mistake.path, f"{mistake.problem} ({note.places[key]})")
