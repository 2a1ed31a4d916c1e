"""The hosts that an engine works on, from a target and a host pattern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyinfra.api import State
from pyinfra.context import ctx_state

from fleethands.fleet.ansible.kind import PREFIX
from fleethands.fleet.ansible.notes import Notes, check_connections
from fleethands.fleet.group_data import find_stray_files
from fleethands.fleet.hosts_in_code import HostsInCode
from fleethands.fleet.inventory import clone_inventory, load_inventory
from fleethands.fleet.roster import Roster
from fleethands.fleet.selection import HostSelection, select_hosts
from fleethands.fleet.shard import EmptyShard
from fleethands.settings.validation.unknown_keys import foreign_keys


@dataclass(frozen=True)
class SelectedHosts:
    """
    Hosts of one inventory.

    + inventory: pyinfra's
    + hosts: pyinfra's own objects of the selected hosts
    + fleet: names of all hosts that the pattern selects, those of other shards included
    + notes: host → what was noticed in the Ansible files that declare it
    + misspelled: a line for each file of group_data that may be meant for another group
    """

    inventory: Any
    hosts: list[Any]
    fleet: frozenset[str]
    notes: Mapping[str, Notes]
    misspelled: tuple[str, ...]

    @classmethod
    def load(cls, target: str | HostsInCode, data: Mapping[str, Any], pick: HostSelection) -> SelectedHosts:
        """
        Load an inventory and select hosts from it. Nothing is connected.

        Raises WrongName, WrongInventory, NoHosts, Unreachable; EmptyShard where the shard has no host.
        """
        ctx_state.set(State())  # pyinfra loads group_data in the context of a state, whichever it is
        whole, notes = _load(target, data)
        roster = Roster.from_inventory(whole)
        names = select_hosts(str(target), pick, roster)
        hosts = [whole.get_host(name) for name in names if pick.shard.contains(name)]
        if not hosts:
            raise EmptyShard(f"none of {len(names)} hosts is of part {pick.shard}")
        own = {host.name: notes[host.name] for host in sorted(hosts, key=lambda host: host.name) if host.name in notes}
        path = Path(target.removeprefix(PREFIX)) if isinstance(target, str) else None
        misspelled = find_stray_files(path, whole) if path is not None else []
        check_connections(own, data)
        return cls(whole, hosts, frozenset(pick.names_in(roster)), own, tuple(misspelled))

    def subset(self, names: Iterable[str], data: Mapping[str, Any]) -> SelectedHosts:
        """
        New pyinfra hosts for some of the names, in a copy of the inventory.

        + data: takes precedence over the data that this inventory was loaded with
        """
        copied = clone_inventory(self.inventory, names, data)
        return replace(self, inventory=copied, hosts=list(copied))

    @property
    def names(self) -> list[str]:
        """Names of the selected hosts, sorted."""
        return sorted(host.name for host in self.hosts)

    @property
    def warnings(self) -> list[str]:
        """A line for everything in the inventory that fleethands ignores, and that its author may have meant."""
        noted = dict.fromkeys(line for note in self.notes.values() for line in note.warnings)
        return [*self.misspelled, *noted, *self._foreign_keys()]

    def _foreign_keys(self) -> list[str]:
        keys = dict.fromkeys(key for host in self.hosts for key in host.data.dict())
        return [f"host data: `{key}` is ignored: {problem}" for key, problem in foreign_keys(keys)]


def _load(target: str | HostsInCode, data: Mapping[str, Any]) -> tuple[Any, dict[str, Notes]]:
    return load_inventory(target, data) if isinstance(target, str) else (target.load(data), {})
