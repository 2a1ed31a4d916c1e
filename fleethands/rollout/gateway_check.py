"""Whether the gateway of a host answers this machine, with its certificate."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable

from fleethands.operations.core.decision import APPLY_HINT
from fleethands.operations.core.proof_record import Link
from fleethands.settings import HostSettings
from fleethands.settings.values import certificates
from fleethands.settings.values.names import ListenAddress

LINK = "gateway-from-outside"
SECONDS = 5.0  # for a connection, and for each step of TLS


def check_gateway(settings: HostSettings, addresses: Iterable[str]) -> list[Link]:
    """
    The link of the gateway as another machine sees it; none without a gateway.

    + addresses: of the host, as this machine reaches them

    No connection breaks nothing, because the clients may be in another network. Another certificate does.
    """
    if settings.gateway is None:
        return []
    begun, port = time.monotonic(), settings.gateway.port
    try:
        context = trust(settings)
    except ValueError as error:
        return [Link(LINK, False, 0, str(error), "on this machine: fleethands check")]
    said = []
    for address in (each for each in addresses if listens_on(settings.gateway, each)):
        try:
            said.append(_shake_hands(context, address, port, settings.gateway_names[0]))
        except ssl.SSLCertVerificationError as error:
            detail = f"{address} port {port} answers this machine with another certificate: {error.verify_message}"
            return [Link(LINK, False, time.monotonic() - begun, detail, APPLY_HINT)]
        except OSError as error:
            why = getattr(error, "reason", "") or error.strerror or "no answer"
            said.append(f"{address} port {port} does not answer this machine ({why}): see the firewalls between them")
    return [Link(LINK, True, time.monotonic() - begun, "; ".join(said))] if said else []


def listens_on(gateway: ListenAddress, address: str) -> bool:
    """Whether the gateway is to answer there. On `::` it takes IPv4, too."""
    return gateway.ip in {address, "::"} or (gateway.ip == "0.0.0.0" and ":" not in address)  # noqa: S104


def trust(settings: HostSettings) -> ssl.SSLContext:
    """
    Accepts the declared certificate alone, or those of the declared authority. With ACME it accepts what this machine
    trusts, or the declared roots. Raises ValueError.
    """
    if settings.gateway_acme is not None:
        return ssl.create_default_context(cadata=certificates.read_acme_trust(settings) or None)
    if settings.gateway_certificate is not None or settings.gateway_authority is None:
        pem = certificates.read_certificate(settings).chain_pem
    else:
        pem = certificates.read_authority(settings.gateway_authority).certificate_pem
    context = ssl.create_default_context(cadata=pem)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the declared certificate need not be one of an authority
    return context


def _shake_hands(context: ssl.SSLContext, address: str, port: int, name: str) -> str:
    with (
        socket.create_connection((address, port), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return f"{address} port {port} answers this machine with {secured.version()}"
