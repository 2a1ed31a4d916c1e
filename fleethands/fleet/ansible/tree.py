"""The hosts, groups and variables of an inventory file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleethands.fleet.ansible.place import FileLocation, UnreadableInventory, Variable

ALL, UNGROUPED = "all", "ungrouped"
PRIORITY = "ansible_group_priority"


@dataclass
class Group:
    """
    One group.

    + hosts: its own, without those of its children; depth: levels below `all`
    """

    name: str
    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    depth: int = 1

    @property
    def rank(self) -> tuple[int, int, str]:
        """The order of groups, where later ones override earlier ones: parents first, then by name."""
        said = self.variables.get(PRIORITY)
        number = str(said.value) if said else "1"
        return self.depth, int(number) if number.lstrip("-").isdecimal() else 1, self.name


class Tree:
    """
    The declarations of an inventory.

    + path: its file

    `hosts`: name → its own variables, in the order of the file; `groups`: by name, `all` and `ungrouped` among them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hosts: dict[str, dict[str, Variable]] = {}
        self.groups: dict[str, Group] = {ALL: Group(ALL, depth=0), UNGROUPED: Group(UNGROUPED)}

    def group(self, name: str) -> Group:
        """The group of this name, created if it is missing."""
        return self.groups.setdefault(name, Group(name))

    def add_host(self, group: str, name: str, variables: Mapping[str, Variable]) -> None:
        """Add a host to a group. A later declaration overrides an earlier one."""
        self.hosts.setdefault(name, {}).update(variables)
        members = self.group(group).hosts
        if name not in members:
            members.append(name)

    def add_child(self, parent: str, child: str, place: FileLocation) -> None:
        """Add a group to another one. Raises UnreadableInventory for a circle."""
        self.group(parent)
        self.group(child)
        if child in (parent, ALL) or parent in self.below(child):
            raise UnreadableInventory(place, f"the group `{child}` would contain itself by way of `{parent}`")
        if child not in self.groups[parent].children and parent != ALL:
            self.groups[parent].children.append(child)
            self._sink(child, self.groups[parent].depth + 1)

    def _sink(self, name: str, depth: int) -> None:
        group = self.groups[name]
        if group.depth < depth:
            group.depth = depth
            for child in group.children:
                self._sink(child, depth + 1)

    def below(self, name: str) -> set[str]:
        """Every group inside a group."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for child in self.groups[waiting.pop()].children:
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def members(self) -> dict[str, list[Group]]:
        """Each host's groups without `all`, where the variables of later groups override those of earlier ones."""
        found: dict[str, set[str]] = {name: set() for name in self.hosts}
        for group in self.groups.values():
            if group.name != ALL:
                for inner in (group.name, *self.below(group.name)):
                    for host in self.groups[inner].hosts:
                        found[host].add(group.name)
        order = sorted(self.groups.values(), key=lambda group: group.rank)
        grouped = {host: names - {UNGROUPED} or {UNGROUPED} for host, names in found.items()}
        return {host: [group for group in order if group.name in names] for host, names in grouped.items()}
