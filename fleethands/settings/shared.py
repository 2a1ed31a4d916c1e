"""Settings that hosts share, because their host data has the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fleethands.settings.host import HostSettings
from fleethands.settings.renamed import translate
from fleethands.settings.validation.unknown_keys import PYINFRA_PREFIXES

Problems = list[tuple[str, str]]  # (path of a setting, problem)
Read = Callable[[Mapping[str, Any]], tuple[HostSettings, Problems]]


class SharedSettings:
    """
    Reads host data once for all hosts with the same settings. Their connections may differ.

    + read: the settings of one host, and their problems. Host data with problems is read again for each host.

    Example: `SharedSettings(read).read({"models": ["codellama:7b"], "ssh_hostname": "10.0.0.7"})`.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[str, list[tuple[dict[str, Any], HostSettings]]] = {}

    def read(self, data: Mapping[str, Any]) -> tuple[HostSettings, Problems]:
        """The settings of one host, and their problems."""
        own = {key: value for key, value in translate(data).items() if key in HostSettings.model_fields}
        others = sorted(str(key) for key in data.keys() - own.keys() if not str(key).startswith(PYINFRA_PREFIXES))
        # equal values may be of different types: `1 == True`
        alike = self._known.setdefault(repr((others, sorted(own.items(), key=lambda item: item[0]))), [])
        found = next((settings for known, settings in alike if known == own), None)
        if found is not None:
            return found, []
        settings, problems = self._read(data)
        if not problems:
            alike.append((own, settings))
        return settings, problems
