"""The hosts of a target as its files declare them. No host, no name server and no program is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleethands.fleet.ansible.kind import ansible_file
from fleethands.fleet.ansible.notes import Notes
from fleethands.fleet.ansible.place import FileLocation
from fleethands.fleet.host_address import InvalidHostName, check_target
from fleethands.fleet.inventory_error import inventory_error
from fleethands.fleet.python_inventory import UnlistedHosts, read_file, read_names
from fleethands.fleet.read_group_data import read_group_data


@dataclass
class DeclaredHosts:
    """
    Hosts with their data.

    + data: host → host data; groups: name → its hosts
    + notes: about the hosts of Ansible's files
    + places: host → key → the Python file that declares it
    """

    data: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    notes: Mapping[str, Notes] = field(default_factory=dict)
    places: dict[str, dict[str, FileLocation]] = field(default_factory=dict)


def declared_hosts(target: str, override: Mapping[str, Any]) -> DeclaredHosts:
    """
    The hosts of a target.

    + override: data that takes precedence over all other data

    Raises InvalidHostName for a target that is no file, InventoryError for a file, UnlistedHosts.
    """
    path = ansible_file(target)
    check_target(str(path or target))
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)  # inventories import modules next to the deploy file
    try:
        found = _of_ansible(path) if path is not None else _of_python(target)
    except (UnlistedHosts, InvalidHostName):
        raise
    except (SystemExit, Exception) as error:  # an inventory is a program and may raise anything
        raise inventory_error(error, target) from None
    for name, data in found.data.items():
        data.update(override)
        for key in override:
            found.places.get(name, {}).pop(key, None)
    return found


def _of_ansible(path: Path) -> DeclaredHosts:
    from fleethands.fleet.ansible.read_hosts import read_hosts  # noqa: PLC0415  it brings YAML

    found = read_hosts(path, read_group_data)
    return DeclaredHosts(found.hosts, found.groups, found.notes)


def _of_python(target: str) -> DeclaredHosts:
    found = read_file(Path(target), target) if os.path.isfile(target) else read_names(target.split(","))
    data = {name: {key: each.value for key, each in own.items()} for name, own in found.hosts.items()}
    places = {name: {key: each.place for key, each in own.items()} for name, own in found.hosts.items()}
    return DeclaredHosts(data, found.groups, places=places)
