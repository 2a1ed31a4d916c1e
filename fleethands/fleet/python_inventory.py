"""Reads an inventory of pyinfra's without pyinfra: its hosts and groups, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleethands.errors import FleethandsError
from fleethands.fleet.ansible.place import FileLocation, Variable
from fleethands.fleet.read_group_data import read_group_data, run_file

ALL = "all"
PROGRAMS = ("@terraform", "@vagrant")  # connectors that run a program to list hosts
CONNECTORS = ("@chroot", "@docker", "@dockerssh", "@fake", "@local", "@podman", "@podmanssh", "@ssh")  # pyinfra 3.10

Data = dict[str, Variable]


@dataclass
class PythonHosts:
    """
    The hosts of an inventory.

    + hosts: name → its data, each value with its file; groups: name → its hosts
    """

    hosts: dict[str, Data] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class _Group:
    hosts: list[Any]
    data: Data


class UnlistedHosts(FleethandsError):
    """Hosts that only a program or another connector can list."""


def read_names(names: Iterable[str]) -> PythonHosts:
    """The hosts of a list of names, with the data of group_data. Raises UnlistedHosts."""
    return _assemble(Path(), {ALL: _Group(list(names), {})})


def read_file(path: Path, target: str) -> PythonHosts:
    """
    The hosts of an inventory file. It is a program and may raise anything.

    + target: its path as it was typed
    """
    values = run_file(target, path.read_text(encoding="utf-8"))
    groups = {name: _group(value, path) for name, value in values.items() if _is_group(name, value)}
    if ALL not in groups:
        groups[ALL] = _Group(list(dict.fromkeys(_name(each) for group in groups.values() for each in group.hosts)), {})
    groups.setdefault(path.name.rsplit(".", 1)[0], _Group(groups[ALL].hosts, {}))
    return _assemble(path, groups)


def _is_group(name: str, value: Any) -> bool:
    """As pyinfra decides (3.10, pyinfra_cli/inventory.py `_is_inventory_group`)."""
    if name.startswith("_") or not isinstance(value, list | tuple):
        return False
    hosts = value[0] if isinstance(value, tuple) else value
    return all(isinstance(each, str | tuple) for each in hosts)


def _group(value: Any, path: Path) -> _Group:
    hosts, data = value if isinstance(value, tuple) else (value, {})
    return _Group(list(hosts), _placed(data, path))


def _placed(data: Mapping[str, Any], path: Path) -> Data:
    return {key: Variable(value, FileLocation(path, 0)) for key, value in data.items()}


def _name(host: Any) -> str:
    return str(host[0] if isinstance(host, tuple) else host)


def _assemble(path: Path, groups: dict[str, _Group]) -> PythonHosts:
    """Add group_data, and put the layers of each host on top of each other (pyinfra 3.10, api/host.py)."""
    named = {name: [_name(host) for host in group.hosts] for name, group in groups.items()}
    for name, data in read_group_data(path, named).items():
        groups.setdefault(name, _Group([], {})).data.update(data)
    everyone = groups.pop(ALL)
    found, own = PythonHosts(), _own_data([*groups.values(), everyone], path)
    for host in named[ALL]:
        members = [*_connector_groups(host), *(each for each in groups if host in named.get(each, ()))]
        layers = [everyone.data, *(groups[each].data for each in members if each in groups), own[host]]
        found.hosts[host] = {key: value for layer in layers for key, value in layer.items()}
        for each in members:
            found.groups.setdefault(each, []).append(host)
    return found


def _own_data(groups: Iterable[_Group], path: Path) -> dict[str, Data]:
    found: dict[str, Data] = {}
    for group in groups:
        for host in group.hosts:
            data = host[1] if isinstance(host, tuple) else {}
            found.setdefault(_name(host), {}).update(_placed(data, path))
    return found


def _connector_groups(host: str) -> list[str]:
    """`@docker/image` is in the group `@docker`. Raises UnlistedHosts."""
    connector = host.partition("/")[0]
    if not host.startswith("@"):
        return []
    if connector in PROGRAMS:
        hint = "to check what the program lists, contact the hosts: `fleethands plan`"
        raise UnlistedHosts(f"`{host}`: a program lists these hosts, and check runs no program", hint)
    if connector not in CONNECTORS:
        raise UnlistedHosts(f"`{host}`: pyinfra has no such connector", f"there is: {', '.join(CONNECTORS)}")
    return [] if connector == "@ssh" else [connector]
