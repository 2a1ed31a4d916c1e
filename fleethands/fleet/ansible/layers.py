"""Decides which of several declarations of a variable is effective for a host."""

from __future__ import annotations

from collections.abc import Mapping

from fleethands.fleet.ansible.files import VarsFiles
from fleethands.fleet.ansible.own_variables import is_relevant
from fleethands.fleet.ansible.place import Variable
from fleethands.fleet.ansible.tree import ALL, Group, Tree

GroupData = Mapping[str, Mapping[str, Variable]]


class Layers:
    """
    The variables of hosts, from the weakest declaration to the strongest.

    The order is Ansible's own (its docs, "Understanding variable precedence"): groups in the inventory, group_vars of
    `all`, group_vars of groups, the host in the inventory, host_vars. pyinfra's group_data takes the position of the
    group_vars next to a playbook.
    """

    def __init__(self, tree: Tree, files: VarsFiles, group_data: GroupData) -> None:
        self._tree, self._files, self._group_data = tree, files, group_data

    def variables_of(self, host: str, groups: list[Group]) -> dict[str, Variable]:
        """
        What counts for a host, of the relevant variables. Raises UnreadableInventory for a file.

        + groups: the host's, parents first
        """
        names = [group.name for group in groups]
        found: dict[str, Variable] = {}
        for group in (self._tree.groups[ALL], *groups):
            found.update(_relevant(group.variables))
        for some in ([ALL], names):
            for name in some:
                found.update(_relevant(self._files.variables_of("group_vars", name)))
            for name in some:
                found.update(self._group_data.get(name, {}))
        found.update(_relevant(self._tree.hosts[host]))
        found.update(_relevant(self._files.variables_of("host_vars", host)))
        return found


def _relevant(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    return {name: variable for name, variable in variables.items() if is_relevant(name)}
