"""Loads an Ansible inventory as pyinfra's, with notes about its hosts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyinfra.api import Inventory

from fleethands.fleet.ansible.notes import Notes
from fleethands.fleet.ansible.read_hosts import read_hosts
from fleethands.fleet.ansible.ssh_args import config_files
from fleethands.fleet.read_group_data import read_group_data


def load(path: Path, override: Mapping[str, Any]) -> tuple[Any, dict[str, Notes]]:
    """
    pyinfra's inventory of a file, and notes about each host by name. Raises UnreadableInventory.

    + override: data that overrides all other data
    """
    found = read_hosts(path, read_group_data)
    _add_configs(found.hosts, config_files(found.options))
    named: dict[str, Any] = {name: (members, {}) for name, members in found.groups.items()}
    return Inventory(([*found.hosts.items()], {}), override_data=dict(override), **named), found.notes


def _add_configs(hosts: dict[str, dict[str, Any]], paths: Mapping[str, str]) -> None:
    for name, data in hosts.items():
        if path := paths.get(data.get("ssh_hostname", name)):
            data.setdefault("ssh_config_file", path)
