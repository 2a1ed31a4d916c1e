"""The secrets that the settings of a host name."""

from __future__ import annotations

from typing import Any

from fleethands.settings.host import HostSettings
from fleethands.settings.values.secret import Secret


def declared_secrets(settings: HostSettings) -> dict[str, Secret]:
    """Every secret of a host by the path of its setting, such as `ollama_env.HTTPS_PROXY`."""
    rows: dict[str, Any] = {}
    for key in type(settings).model_fields:
        value = getattr(settings, key)
        rows |= {f"{key}.{name}": each for name, each in value.items()} if isinstance(value, dict) else {key: value}
    return {path: value for path, value in rows.items() if isinstance(value, Secret)}
