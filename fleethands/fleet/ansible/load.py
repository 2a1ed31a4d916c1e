"""Loads an Ansible inventory as pyinfra's, with notes about its hosts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyinfra.api import Inventory
from pyinfra.context import ctx_inventory
from pyinfra_cli.inventory import _get_group_data

from fleethands.fleet.ansible.connection import Connection, connection
from fleethands.fleet.ansible.files import VarsFiles
from fleethands.fleet.ansible.layers import Layers
from fleethands.fleet.ansible.notes import Notes, Unusable
from fleethands.fleet.ansible.own_variables import ENCRYPTED, is_own_variable, problem_of, setting, warnings
from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable, relative_path
from fleethands.fleet.ansible.reading import tree_of
from fleethands.fleet.ansible.ssh_args import config_files
from fleethands.fleet.ansible.tree import Group
from fleethands.fleet.group_data import group_data_directories

LOCAL = "@local"


def load(path: Path, override: Mapping[str, Any]) -> tuple[Any, dict[str, Notes]]:
    """
    pyinfra's inventory of a file, and notes about each host by name. Raises UnreadableInventory.

    + override: data that overrides all other data
    """
    tree = tree_of(path)
    files, members = VarsFiles([path.parent, Path.cwd()]), tree.members()
    layers = Layers(tree, files, _group_data(path, members))
    hosts, notes, options = {}, {}, {}
    groups: dict[str, list[str]] = {}
    for host, own in members.items():
        variables = layers.variables_of(host, own)
        reached = connection(_of_ansible(variables))
        name = LOCAL if reached.local else host
        if name in hosts:
            place = variables["ansible_connection"].place
            raise UnreadableInventory(place, f"`{host}`: another host is `local`, and this machine is only one")
        hosts[name], notes[name] = _host(host, own, variables, reached, files)
        if reached.options:
            options[hosts[name].get("ssh_hostname", host)] = reached.options
        for group in own:
            groups.setdefault(group.name, []).append(name)
    _add_configs(hosts, config_files(options))
    named: dict[str, Any] = {name: (members, {}) for name, members in groups.items()}
    return Inventory(([*hosts.items()], {}), override_data=dict(override), **named), notes


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


def _group_data(path: Path, members: Mapping[str, list[Group]]) -> dict[str, dict[str, Variable]]:
    """pyinfra's group_data: group → variables."""
    groups: dict[str, list[str]] = {}
    for host, own in members.items():
        for group in own:
            groups.setdefault(group.name, []).append(host)
    found: dict[str, dict[str, Variable]] = {}
    with ctx_inventory.use(Inventory(([*members], {}), **{name: (hosts, {}) for name, hosts in groups.items()})):
        for directory in group_data_directories(path):
            for group, data in _get_group_data(str(directory)).items():
                place = FileLocation(directory / f"{group}.py", 0)
                found.setdefault(group, {}).update({key: Variable(value, place) for key, value in data.items()})
    return found


def _of_ansible(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    return {key: each for key, each in variables.items() if not each.place.is_python}


def _add_configs(hosts: dict[str, dict[str, Any]], paths: Mapping[str, str]) -> None:
    for name, data in hosts.items():
        if path := paths.get(data.get("ssh_hostname", name)):
            data.setdefault("ssh_config_file", path)
