"""The hosts and groups of an inventory file, with the variables that stand in it."""

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

    + hosts: its own, without those of its children; depth: below `all`, which has 0
    """

    name: str
    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    depth: int = 1

    @property
    def rank(self) -> tuple[int, int, str]:
        """Which groups' variables come first, to be overridden by later ones: parents, then by name."""
        said = self.variables.get(PRIORITY)
        number = str(said.value) if said else "1"
        return self.depth, int(number) if number.lstrip("-").isdecimal() else 1, self.name


class Tree:
    """
    An inventory as it is declared.

    + path: its file

    `hosts`: name → its own variables, in the order of the file; `groups`: by name, `all` and `ungrouped` among them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hosts: dict[str, dict[str, Variable]] = {}
        self.groups: dict[str, Group] = {ALL: Group(ALL, depth=0), UNGROUPED: Group(UNGROUPED)}

    def group(self, name: str) -> Group:
        """The group of this name, which is made where there is none yet."""
        return self.groups.setdefault(name, Group(name))

    def add_host(self, group: str, name: str, variables: Mapping[str, Variable]) -> None:
        """A host of a group; what is declared later counts."""
        self.hosts.setdefault(name, {}).update(variables)
        members = self.group(group).hosts
        if name not in members:
            members.append(name)

    def add_child(self, parent: str, child: str, place: FileLocation) -> None:
        """A group inside another one. Raises UnreadableInventory where that goes round in a circle."""
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
        """Each host's groups without `all`, in the order in which their variables count, the last one most."""
        found: dict[str, set[str]] = {name: set() for name in self.hosts}
        for group in self.groups.values():
            if group.name != ALL:
                for inner in (group.name, *self.below(group.name)):
                    for host in self.groups[inner].hosts:
                        found[host].add(group.name)
        order = sorted(self.groups.values(), key=lambda group: group.rank)
        grouped = {host: names - {UNGROUPED} or {UNGROUPED} for host, names in found.items()}
        return {host: [group for group in order if group.name in names] for host, names in grouped.items()}
