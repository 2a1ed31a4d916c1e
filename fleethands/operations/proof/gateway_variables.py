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
    + gateway_certificate, gateway_tokens: its files
    """

    gateway: str
    gateway_connect: str
    gateway_certificate: str = paths.GATEWAY_CERTIFICATE
    gateway_tokens: str = paths.GATEWAY_TOKENS


def gateway_variables(settings: HostSettings) -> GatewayVariables:
    """The variables of a host's gateway."""
    return GatewayVariables(gateway=gateway_url(settings), gateway_connect=connect_to(settings))
