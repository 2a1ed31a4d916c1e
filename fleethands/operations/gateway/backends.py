"""The hosts behind a gateway: where nginx reaches each, and whose certificates it trusts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.operations.core.decision import Change, Decision, Refused
from fleethands.operations.core.operation import operation
from fleethands.operations.gateway.certificate import MODE, OWNER
from fleethands.operations.gateway.tokens import join_names
from fleethands.operations.system import system
from fleethands.settings import HostSettings
from fleethands.settings.gateway import backend_name, is_own
from fleethands.settings.values.names import ListenAddress

BACKEND = re.compile(r"^# backend ([A-Za-z0-9._-]{1,63}) \S+$", re.MULTILINE | re.ASCII)


@dataclass(frozen=True)
class Backend:
    """
    A host behind the gateway.

    + name: in the inventory
    + address: of its gateway; of its Ollama, if it is the host of this gateway itself (`is_own`)
    """

    name: str
    address: ListenAddress
    is_own: bool = False

    @property
    def tls_name(self) -> str:
        """The name that its certificate has to have."""
        return backend_name(self.address.ip)


def find_backends(settings: HostSettings) -> Iterator[Backend]:
    """The declared hosts behind the gateway."""
    ollama = ListenAddress(settings.ollama_host.local_ip, settings.ollama_host.port)
    for name, address in settings.gateway_backends.items():
        own = is_own(settings, address)
        yield Backend(name, ollama if own else address, own)


@operation
def write_backends(settings: HostSettings, probe: Probe, content: str | None) -> Decision:
    """
    Write the part of nginx's configuration about the hosts behind the gateway.

    + content: with the token by which the gateway is their client; None: no host is behind it
    """
    decision: Decision = system.write_file.decide(
        settings, probe, path=paths.GATEWAY_BACKENDS, content=content, mode=MODE, owner=OWNER
    )
    if not isinstance(decision, Change):
        return decision
    present = BACKEND.findall((probe.files[paths.GATEWAY_BACKENDS].content or b"").decode(errors="replace"))
    wanted = [*settings.gateway_backends]
    return replace(
        decision, subject="hosts behind the gateway", before=join_names(present), after=join_names(wanted), diff="",
        why="an address or the token differs" if present == wanted else "",
    )  # fmt: skip


@operation
def write_trust(settings: HostSettings, probe: Probe) -> Decision:
    """Write the certificate of the authority that issued those of the hosts behind the gateway."""
    from fleethands.settings.values import certificates  # noqa: PLC0415  only a gateway has a certificate

    content = None
    if settings.gateway_backends and settings.gateway_authority is not None:
        try:
            content = certificates.read_authority(settings.gateway_authority).certificate_pem
        except ValueError as error:
            return Refused(f"`gateway_authority`: {error}", ("on this machine: fleethands check",))
    decision: Decision = system.write_file.decide(settings, probe, path=paths.GATEWAY_TRUST, content=content)
    return decision
