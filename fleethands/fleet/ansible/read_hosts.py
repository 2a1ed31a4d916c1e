"""Reads an Ansible inventory: its hosts with their data, its groups, and notes about the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.connection import Connection, connection
from fleethands.fleet.ansible.files import VarsFiles
from fleethands.fleet.ansible.layers import GroupData, Layers
from fleethands.fleet.ansible.notes import Notes, Unusable
from fleethands.fleet.ansible.own_variables import ENCRYPTED, is_own_variable, problem_of, setting, warnings
from fleethands.fleet.ansible.place import UnreadableInventory, Variable, relative_path
from fleethands.fleet.ansible.reading import tree_of
from fleethands.fleet.ansible.ssh_args import SshOptions
from fleethands.fleet.ansible.tree import Group

LOCAL = "@local"
ReadGroupData = Callable[[Path, Mapping[str, list[str]]], GroupData]  # inventory, group → its hosts


@dataclass
class AnsibleHosts:
    """
    The hosts of an inventory.

    + hosts: name → host data; groups: name → its hosts; notes: by host
    + options: address → options of ssh
    """

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)
    options: dict[str, SshOptions] = field(default_factory=dict)


def read_hosts(path: Path, read_group_data: ReadGroupData) -> AnsibleHosts:
    """
    The hosts of a file.

    + read_group_data: reads pyinfra's group_data

    Raises UnreadableInventory.
    """
    tree = tree_of(path)
    files, members = VarsFiles([path.parent, Path.cwd()]), tree.members()
    layers = Layers(tree, files, read_group_data(path, _hosts_by_group(members)))
    found = AnsibleHosts()
    for host, own in members.items():
        variables = layers.variables_of(host, own)
        reached = connection(_of_ansible(variables))
        name = LOCAL if reached.local else host
        if name in found.hosts:
            place = variables["ansible_connection"].place
            raise UnreadableInventory(place, f"`{host}`: another host is `local`, and this machine is only one")
        found.hosts[name], found.notes[name] = _host(host, own, variables, reached, files)
        if reached.options:
            found.options[found.hosts[name].get("ssh_hostname", host)] = reached.options
        for group in own:
            found.groups.setdefault(group.name, []).append(name)
    return found


def _hosts_by_group(members: Mapping[str, list[Group]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for host, own in members.items():
        for group in own:
            groups.setdefault(group.name, []).append(host)
    return groups


def _host(
    host: str, groups: list[Group], variables: Mapping[str, Variable], reached: Connection, files: VarsFiles
) -> tuple[dict[str, Any], Notes]:
    """The host data and the notes of one host."""
    notes = Notes(connection=reached.unusable, warnings=warnings(_of_ansible(variables)))
    data = dict(reached.data)
    for key, variable in variables.items():
        if variable.place.is_python:
            data[key] = variable.value
        elif is_own_variable(key) and (problem := problem_of(variable.value)):
            notes.settings.append(Unusable(key, key, variable.place, problem))
        elif is_own_variable(key):
            notes.places[key] = variable.place
            try:
                data[key] = setting(key, variable)
            except ValueError as error:
                notes.settings.append(Unusable(key, key, variable.place, str(error)))
    for name in ("all", *(group.name for group in groups), host):
        encrypted = files.encrypted.get(name, [])
        notes.warnings += [f"{relative_path(each)}: {ENCRYPTED}" for each in encrypted]
    return data, notes


def _of_ansible(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    return {key: each for key, each in variables.items() if not each.place.is_python}
