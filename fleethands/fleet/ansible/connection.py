"""Turns Ansible's connection variables into pyinfra's host data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleethands.fleet.ansible.notes import Unusable
from fleethands.fleet.ansible.own_variables import plain, problem_of
from fleethands.fleet.ansible.place import Variable
from fleethands.fleet.ansible.ssh_args import SshOptions, UnsupportedOption

# of several names, the last one counts: as in Ansible's ssh connection plugin
TEXTS = {
    "ssh_hostname": ("ansible_host", "ansible_ssh_host"),
    "ssh_user": ("ansible_user", "ansible_ssh_user"),
    "ssh_key": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "ssh_key_password": ("ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"),
    "ssh_password": ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
}
PORT = ("ansible_port", "ansible_ssh_port")
ARGS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
BY_SSH = {"ssh", "smart", "paramiko", "paramiko_ssh"}
CANT = ("ansible_private_key", "ansible_ssh_private_key", "ansible_paramiko_proxy_command")
BUILTIN = "ansible.builtin."


@dataclass
class Connection:
    """
    One host's connection.

    + data: host data of pyinfra; options: of ssh, None without any; local: whether the host is this machine
    + unusable: variables that fleethands can't use
    """

    data: dict[str, Any] = field(default_factory=dict)
    options: SshOptions | None = None
    local: bool = False
    unusable: list[Unusable] = field(default_factory=list)


def connection(variables: Mapping[str, Variable]) -> Connection:
    """
    Of a host's variables. Whatever else Ansible knows of connections (become, interpreters, pipelining) is left: root
    is reached by sudo, and hosts need no Python.
    """
    found = Connection()
    _kind(found, variables)
    if found.local:
        return found
    for key, names in TEXTS.items():
        if (taken := _usable(found, key, names, variables)) is not None:
            found.data[key] = str(taken[1].value)
    if (taken := _usable(found, "ssh_port", PORT, variables)) is not None:
        _port(found, *taken)
    for name in CANT:
        if name in variables:
            found.unusable.append(Unusable("ssh_key", name, variables[name].place, "can't be honoured"))
    _args(found, variables)
    return found


def _kind(found: Connection, variables: Mapping[str, Variable]) -> None:
    taken = _usable(found, "ansible_connection", ("ansible_connection",), variables)
    if taken is None:
        return
    kind = str(taken[1].value).removeprefix(BUILTIN)
    found.local = kind == "local"
    if not found.local and kind not in BY_SSH:
        problem = f"expected `ssh` or `local`, got `{kind}`"
        found.unusable.append(Unusable("ansible_connection", taken[0], taken[1].place, problem))


def _usable(
    found: Connection, key: str, names: tuple[str, ...], variables: Mapping[str, Variable]
) -> tuple[str, Variable] | None:
    """The effective variable with its name; None if it is not declared, or can't be read."""
    name = next((each for each in reversed(names) if each in variables and variables[each].value is not None), None)
    if name is None:
        return None
    variable = variables[name]
    if problem := problem_of(variable.value):
        found.unusable.append(Unusable(key, name, variable.place, problem))
        return None
    return name, Variable(plain(variable), variable.place)


def _port(found: Connection, name: str, variable: Variable) -> None:
    text = str(variable.value)
    if text.isdecimal() and 0 < int(text) < 2**16:
        found.data["ssh_port"] = int(text)
    else:
        problem = f"expected a port from 1 to 65535, got `{text}`"
        found.unusable.append(Unusable("ssh_port", name, variable.place, problem))


def _args(found: Connection, variables: Mapping[str, Variable]) -> None:
    taken = [each for name in ARGS if (each := _usable(found, "ssh_config_file", (name,), variables)) is not None]
    if not taken:
        return
    name, variable = taken[-1]
    try:
        options = SshOptions.read(" ".join(str(each.value) for _, each in taken))
    except UnsupportedOption as error:
        found.unusable.append(Unusable("ssh_config_file", name, variable.place, str(error)))
        return
    for key, option in (("ssh_user", "User"), ("ssh_port", "Port")):  # ProxyCommand's %r and %p
        if key in found.data and "ProxyCommand" in options.options:
            options.options.setdefault(option, str(found.data[key]))
    if options.options or options.config:
        found.options = options
