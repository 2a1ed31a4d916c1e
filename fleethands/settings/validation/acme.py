"""Checks the settings of a certificate by ACME against those of the gateway."""

from __future__ import annotations

from collections.abc import Iterator

from fleethands.settings.gateway import is_ip
from fleethands.settings.host import HostSettings

WAYS = ("gateway_authority", "gateway_certificate", "gateway_key")
NEEDS = ("gateway_acme_email", "gateway_acme_trust")
HTTP_PORT = 80


def find_conflicts_of_acme(settings: HostSettings) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each mistake, with its path and the other settings that it follows from."""
    if settings.gateway_acme is None:
        for key in NEEDS:
            if getattr(settings, key) is not None:
                yield key, "expected only with `gateway_acme`", ("gateway_acme", "gateway")
        return
    for key in WAYS:
        if getattr(settings, key) is not None and not (key == "gateway_authority" and settings.gateway_backends):
            yield key, "expected only without `gateway_acme`, which brings the certificate", ("gateway_acme", "gateway")
    for index, name in enumerate(settings.gateway_names):
        if is_ip(name) or "." not in name:
            problem = f"expected a DNS name of a domain with `gateway_acme`, got `{name}`"
            yield f"gateway_names.{index}", problem, ("gateway_acme", "gateway")
    for key, address in (("gateway", settings.gateway), ("gateway_page", settings.gateway_page)):
        if address is not None and address.port == HTTP_PORT:
            problem = "expected another port than 80 with `gateway_acme`: the authority connects there"
            yield key, problem, ("gateway_acme",)
    yield from _trust(settings)


def _trust(settings: HostSettings) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What is wrong with the file of root certificates."""
    from fleethands.settings.values import certificates  # noqa: PLC0415  only a gateway has a certificate

    try:
        certificates.read_acme_trust(settings)
    except ValueError as error:
        yield "gateway_acme_trust", str(error), ("gateway_acme", "gateway")
