"""Where the gateway of a host answers, and who may read only its metrics, by the host's settings."""

from __future__ import annotations

from fleethands.settings.host import HostSettings
from fleethands.settings.values.names import ListenAddress


def gateway_url(settings: HostSettings) -> str:
    """The address of the gateway by its first name; empty without a gateway."""
    if settings.gateway is None:
        return ""
    name = settings.gateway_names[0]
    return f"https://{f'[{name}]' if ':' in name else name}:{settings.gateway.port}"


def connect_to(settings: HostSettings) -> str:
    """Where the gateway listens on the host itself, as curl's `--connect-to` takes it; empty without a gateway."""
    return f"::{ListenAddress(settings.gateway.local_ip, settings.gateway.port)}" if settings.gateway else ""


def only_watchers(settings: HostSettings) -> tuple[str, ...]:
    """The clients of the gateway that may read the metrics, and nothing else."""
    return tuple(name for name in settings.gateway_watchers if name not in settings.gateway_managers)
