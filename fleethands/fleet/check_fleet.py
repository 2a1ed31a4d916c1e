"""Finds every mistake of an inventory without contacting anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.kind import PREFIX
from fleethands.fleet.ansible.notes import Notes, Unusable
from fleethands.fleet.ansible.place import FileLocation
from fleethands.fleet.declared_hosts import DeclaredHosts, declared_hosts
from fleethands.fleet.group_data import find_stray_files
from fleethands.fleet.host_address import InvalidHostName, SshAddress
from fleethands.fleet.inventory_error import InventoryError
from fleethands.fleet.python_lines import locate_key
from fleethands.fleet.roster import ALL, Roster
from fleethands.fleet.selection import HostSelection, select_hosts
from fleethands.fleet.shard import Shard
from fleethands.settings.load import check_settings
from fleethands.settings.lockfile import LOCKFILE_NAME, Lockfile, LockfileError, load_lockfile, lockfile_path
from fleethands.settings.validation.errors import InvalidSetting
from fleethands.settings.validation.unknown_keys import foreign_keys


@dataclass(frozen=True)
class Mistake:
    """
    One mistake.

    + setting: the host, the setting and the problem; host and setting are empty for a file as a whole
    + place: the file that has it, with the line if it is known
    + hints: next steps
    """

    setting: InvalidSetting
    place: FileLocation | None = None
    hints: tuple[str, ...] = ()


@dataclass
class CheckedFleet:
    """
    What a check found.

    + hosts: names of the checked hosts
    + mistakes: what must be fixed; notes: what was not checked, or may be meant otherwise
    """

    hosts: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_fleet(target: str, pick: HostSelection, shard: Shard, override: Mapping[str, Any]) -> CheckedFleet:
    """
    Check the selected hosts of a target.

    + override: data of `--data`

    Raises InvalidHostName, NoHostsError, UnlistedHosts.
    """
    found = CheckedFleet()
    lock = _lock(found)
    try:
        declared = declared_hosts(target, override)
    except InventoryError as error:
        found.mistakes.append(Mistake(InvalidSetting("", "", error.problem.message), error.place, error.hints))
        return found
    groups = {name: hosts for name, hosts in declared.groups.items() if hosts}
    roster = Roster([*declared.data], {ALL: [*declared.data], **groups})
    found.hosts = [name for name in select_hosts(target, pick, roster) if shard.contains(name)]
    found.notes += find_stray_files(Path(target.removeprefix(PREFIX)), declared)
    _check_hosts(found, declared, lock, override)
    return found


def _lock(found: CheckedFleet) -> Lockfile:
    path = lockfile_path()
    try:
        return load_lockfile(path)
    except LockfileError as error:
        problem = InvalidSetting("", "", error.problem.message)
        found.mistakes.append(Mistake(problem, FileLocation(path, error.line), error.hints))
        return Lockfile()


def _check_hosts(found: CheckedFleet, declared: DeclaredHosts, lock: Lockfile, override: Mapping[str, Any]) -> None:
    notes = {name: declared.notes.get(name, Notes()) for name in found.hosts}
    for name, note in notes.items():
        found.mistakes += _unusable(name, (*note.connection, *note.settings), override)
        found.mistakes += _address(name, declared.data[name])
    known = {(each.setting.host, each.setting.path) for each in found.mistakes}
    data = {name: declared.data[name] for name in found.hosts}
    settings, mistakes, unread = check_settings(data, lock)
    for each in mistakes:
        key = each.path.partition(".")[0]
        if (each.host, key) not in known:
            found.mistakes.append(Mistake(each, _place(declared, notes, each.host, key)))
    missing = dict.fromkeys(name for each in settings.values() for name in each.pins.missing)
    keys = sorted({key for each in data.values() for key in each if isinstance(key, str)})
    found.notes += [f"host data: `{key}` is ignored: {problem}" for key, problem in foreign_keys(keys)]
    found.notes += [f"{LOCKFILE_NAME} does not pin {name}" for name in missing]
    found.notes += dict.fromkeys(line for note in notes.values() for line in note.warnings)
    found.notes += dict.fromkeys(f"`{each.path}`: {each.problem}" for each in unread)


def _unusable(host: str, rows: tuple[Unusable, ...], override: Mapping[str, Any]) -> Iterator[Mistake]:
    for each in rows:
        if each.key not in override:
            yield Mistake(InvalidSetting(host, each.name, each.problem), each.place)


def _address(host: str, data: Mapping[str, Any]) -> Iterator[Mistake]:
    if "ssh_hostname" in data:
        return
    try:
        SshAddress.parse(host)
    except InvalidHostName as error:
        problem = error.problem.message.removeprefix(f"`{host}`: ")
        yield Mistake(InvalidSetting(host, "ssh_hostname", problem), None, error.hints)


def _place(declared: DeclaredHosts, notes: Mapping[str, Notes], host: str, key: str) -> FileLocation | None:
    if place := notes[host].places.get(key):
        return place
    python = declared.places.get(host, {}).get(key)
    return locate_key(python, host, key) if python else None
