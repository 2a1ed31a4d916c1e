"""Where the gateway of a host answers, and who may read only its metrics, by the host's settings."""

from __future__ import annotations

import ipaddress
import re

from fleethands.settings.host import HostSettings
from fleethands.settings.openhands import generation_of
from fleethands.settings.values.names import ListenAddress


def gateway_url(settings: HostSettings) -> str:
    """The address of the gateway by its first name; empty without a gateway."""
    return _url(settings, settings.gateway)


def page_url(settings: HostSettings) -> str:
    """The address of OpenHands' page on the gateway by its first name; empty without the page."""
    return _url(settings, settings.gateway_page)


def _url(settings: HostSettings, address: ListenAddress | None) -> str:
    if settings.gateway is None or address is None:
        return ""
    name = settings.gateway_names[0]
    return f"https://{f'[{name}]' if ':' in name else name}:{address.port}"


def connect_to(settings: HostSettings) -> str:
    """Where the gateway listens on the host itself, as curl's `--connect-to` takes it; empty without a gateway."""
    return _connect_to(settings.gateway)


def connect_to_page(settings: HostSettings) -> str:
    """The same of OpenHands' page on the gateway; empty without the page."""
    return _connect_to(settings.gateway_page)


def _connect_to(address: ListenAddress | None) -> str:
    return f"::{ListenAddress(address.local_ip, address.port)}" if address else ""


def closed_path(settings: HostSettings) -> str:
    """A path of OpenHands' page that needs a login, or the key if the page has no people."""
    generation = generation_of(settings)
    return generation.ready if settings.gateway_people else generation.settings_api


def certificate_names(settings: HostSettings) -> tuple[str, ...]:
    """The names for which the declared authority issues the certificate."""
    names = settings.gateway_names
    return (*names, *(backend_name(each) for each in names if is_ip(each)))


def backend_name(ip: str) -> str:
    """
    The DNS name of an IP address in the certificates of gateways: nginx checks no address of a backend (nginx
    src/event/ngx_event_openssl.c `ngx_ssl_check_host`, 1.26.3).

    Example: `backend_name("10.0.0.11")` is `ip-10-0-0-11.fleethands.internal`.
    """
    return f"ip-{re.sub('[.:]', '-', ipaddress.ip_address(ip).exploded)}.fleethands.internal"


def is_ip(name: str) -> bool:
    """Whether a name of `gateway_names` is an IP address."""
    return ":" in name or name.rpartition(".")[2].isdecimal()


def is_own(settings: HostSettings, backend: ListenAddress) -> bool:
    """Whether a backend is this host itself."""
    gateway = settings.gateway
    return gateway is not None and backend.port == gateway.port and backend.ip in settings.gateway_names


def only_watchers(settings: HostSettings) -> tuple[str, ...]:
    """The clients of the gateway that may read the metrics, and nothing else."""
    return tuple(name for name in settings.gateway_watchers if name not in settings.gateway_managers)
