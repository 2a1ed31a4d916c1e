"""Loads pyinfra's inventory of a target; a mistake in it is an error of one line."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyinfra.api.host import Host

from fleethands.fleet.ansible.kind import ansible_file
from fleethands.fleet.host_address import SshAddress, check_target
from fleethands.fleet.inventory_error import InventoryError, inventory_error
from fleethands.ssh.timeouts import CONNECT

if TYPE_CHECKING:
    from fleethands.fleet.ansible.notes import Notes

__all__ = ["InventoryError", "clone_inventory", "load_inventory", "set_ssh_defaults"]

PARAMIKO_TIMEOUTS = {"banner_timeout": CONNECT, "auth_timeout": CONNECT, "channel_timeout": 2 * CONNECT}


def load_inventory(target: str, data: Mapping[str, Any]) -> tuple[Any, dict[str, Notes]]:
    """
    pyinfra's inventory of a target, and notes about the hosts of Ansible's files.

    group_data counts in the working directory and next to the inventory. Raises InvalidHostName for a target that is no
    file, InventoryError for a file.
    """
    path = ansible_file(target)
    check_target(str(path or target))
    try:
        if path is not None:
            from fleethands.fleet.ansible.load import load  # noqa: PLC0415  it brings YAML

            return load(path, data)
        from pyinfra_cli.inventory import make_inventory  # noqa: PLC0415  pyinfra's API reads no inventory files

        return make_inventory(target, override_data=dict(data), cwd=str(Path.cwd())), {}
    except (SystemExit, Exception) as error:  # an inventory is a program and may raise anything
        raise inventory_error(error, target) from None


def clone_inventory(inventory: Any, names: Iterable[str], data: Mapping[str, Any]) -> Any:
    """
    A copy of an inventory with some of its hosts, all unconnected.

    + data: added to the inventory's data
    """
    new = copy.copy(inventory)
    new.override_data = {**inventory.override_data, **data}
    new.hosts = {}
    for name in names:
        old = inventory.get_host(name)
        new.hosts[name] = Host(name, inventory=new, groups=old.groups, connector_cls=old.connector_cls)
    return new


def set_ssh_defaults(host: Any) -> None:
    """
    Set what pyinfra leaves open: user, address and port of a name such as `root@box:22`, strict host key checking and
    timeouts. Raises InvalidHostName.
    """
    known = host.data.dict()
    if "ssh_hostname" not in known and (address := SshAddress.parse(host.name)):
        host.data.ssh_user, host.data.ssh_hostname = address.user, address.hostname
        if address.port:
            host.data.ssh_port = address.port
    if "ssh_strict_host_key_checking" not in known:
        host.data.ssh_strict_host_key_checking = "yes"
    host.data.ssh_paramiko_connect_kwargs = {**PARAMIKO_TIMEOUTS, **(known.get("ssh_paramiko_connect_kwargs") or {})}
