"""What the proof's script has to know about the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands import paths
from fleethands.settings import HostSettings
from fleethands.settings.gateway import connect_to, gateway_url


@dataclass(frozen=True, kw_only=True)
class GatewayVariables:
    """
    Where the gateway answers.

    + gateway: its URL, by the first of its names; empty without a gateway
    + gateway_connect: where that is on the host itself, as curl's --connect-to takes it
    + gateway_certificate, gateway_tokens: its files; gateway_runtime: the directory of its sockets
    + gateway_backends: the names of the hosts behind it, with blanks between them
    """

    gateway: str
    gateway_connect: str
    gateway_certificate: str = paths.GATEWAY_CERTIFICATE
    gateway_tokens: str = paths.GATEWAY_TOKENS
    gateway_runtime: str = paths.GATEWAY_RUNTIME
    gateway_backends: str = ""


def gateway_variables(settings: HostSettings) -> GatewayVariables:
    """The variables of a host's gateway."""
    return GatewayVariables(
        gateway=gateway_url(settings),
        gateway_connect=connect_to(settings),
        gateway_backends=" ".join(settings.gateway_backends),
    )
