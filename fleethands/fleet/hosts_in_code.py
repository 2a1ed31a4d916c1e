"""An inventory that a program builds, in place of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api import Inventory
from pyinfra.api.exceptions import PyinfraError

from fleethands.fleet.inventory import InventoryError


@dataclass(frozen=True)
class HostsInCode:
    """
    Hosts without an inventory file. `group_data` directories do not count.

    + hosts: name → host data; groups: name → names of hosts
    """

    hosts: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return "this fleet"

    def load(self, data: Mapping[str, Any]) -> Any:
        """
        pyinfra's inventory.

        + data: for all hosts; takes precedence

        Raises InventoryError.
        """
        named: dict[str, Any] = {name: (list(members), {}) for name, members in self.groups.items()}
        names = [(name, dict(own)) for name, own in self.hosts.items()]
        try:
            return Inventory((names, {}), override_data=dict(data), **named)
        except PyinfraError as error:  # of a connector such as `@docker/NAME`
            raise InventoryError(f"{self}: {error}") from None
