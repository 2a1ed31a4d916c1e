"""Settings and secrets of an engine's hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleethands import facts
from fleethands.engine.selected_hosts import SelectedHosts
from fleethands.fleet.ansible.notes import read_noted
from fleethands.pinning import registry
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.settings import HostSettings, Secret
from fleethands.settings.lockfile import Lockfile


class FleetSettings:
    """
    The settings of the selected hosts, once `load` was called.

    + mask: hides the values of all their secrets
    """

    def __init__(self, selected: SelectedHosts) -> None:
        self.mask: Mask = NO_MASK
        self._selected = selected
        self._by_host: dict[str, HostSettings] = {}
        self._noted: list[HostSettings] = []

    def load(self, lock: Lockfile | None) -> dict[str, HostSettings]:
        """
        Read the settings of every host from its host data.

        Raises SettingsError with all mistakes, LockfileError.
        """
        data = {host.name: host.data.dict() for host in self._selected.hosts}
        self._by_host = read_noted(data, self._selected.notes, self._selected.inventory.override_data, lock)
        self.mask = Mask.from_settings(self._by_host.values())
        return self._by_host

    @property
    def by_host(self) -> Mapping[str, HostSettings]:
        """The settings that `load` read."""
        return self._by_host

    def update_mask(self) -> None:
        """Hide the secrets, too, of release records that a plan has read."""
        found = [settings for name in self._by_host for settings in self._all_settings(name)]
        self.mask = Mask.from_settings({id(each): each for each in [*found, *self._noted]}.values())

    def note(self, probed: HostSettings | None) -> None:
        """Hide the secrets of these settings, too, although nothing else is kept of their host."""
        if probed is not None and not any(probed is each for each in self._noted):
            self._noted.append(probed)

    def secrets(self, name: str) -> frozenset[str]:
        """Names of the variables of a host that are declared secret."""
        found = set()
        for settings in self._all_settings(name):
            for variable, value in (*settings.ollama_env.items(), *settings.openhands_env.items()):
                if isinstance(value, Secret):
                    found.add(variable)
        return frozenset(found)

    def resolve_tags(self, report: Callable[[str], None]) -> None:
        """Ask the registries for the tag of each model and image, and add the answers to the host data."""
        found = registry.resolve_tags(self._by_host.values(), report)
        for host in self._selected.hosts:
            host.data.fleethands_check_tags = found

    def _all_settings(self, name: str) -> list[HostSettings]:
        """The declared settings, and those of the record that a rollback restores: it may have other secrets."""
        probed = facts.probed_settings(self._selected.inventory.get_host(name))
        return [self._by_host[name], *([probed] if probed else [])]
