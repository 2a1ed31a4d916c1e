"""The ports that the firewall of a host closes, by its settings and by its present rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleethands import paths
from fleethands.facts import Probe
from fleethands.settings import HostSettings
from fleethands.settings.generations import SANDBOXES, V1
from fleethands.settings.openhands import generation_of, inner_ports, ports_inside, rehearsal_ports

# lines of fleethands/templates/firewall.nft.j2, in its chains `input` and `routed`
CLOSED = re.compile(r"^\t\ttcp dport \{ ([0-9, ]+) \} jump (guard|page)$", re.MULTILINE)
HOST_NETWORK = "AGENT_SERVER_USE_HOST_NETWORK"  # with this variable, V1's sandboxes listen on the host itself


@dataclass(frozen=True)
class ClosedPorts:
    """
    Ports closed to other machines.

    + ports: of the host, which its containers may use, such as Ollama's
    + page: of the host, which its containers may not use either
    + inside: of our containers, at their own addresses
    + sandboxes: ranges of the host in which sandboxes publish ports
    """

    ports: tuple[int, ...] = ()
    page: tuple[int, ...] = ()
    inside: tuple[int, ...] = ()
    sandboxes: tuple[str, ...] = ()

    def __or__(self, other: ClosedPorts) -> ClosedPorts:
        """All ports of both; `self` decides which of its ports containers may use."""
        page = {*self.page, *other.page} - {*self.ports}
        ports = {*self.ports, *other.ports} - page
        sandboxes = tuple(sorted({*self.sandboxes, *other.sandboxes}))
        return ClosedPorts(_sorted(ports), _sorted(page), _sorted({*self.inside, *other.inside}), sandboxes)

    def __bool__(self) -> bool:
        return self != ClosedPorts()

    def __str__(self) -> str:
        return ", ".join([*map(str, self.of_host), *(f"{each} of sandboxes" for each in self.sandboxes)])

    @property
    def of_host(self) -> tuple[int, ...]:
        """All ports of the host itself."""
        return _sorted({*self.ports, *self.page})


def _sorted(ports: set[int]) -> tuple[int, ...]:
    return tuple(sorted(ports))


def declared_ports(settings: HostSettings) -> ClosedPorts:
    """The ports on which services of fleethands listen by these settings."""
    ollama = (settings.ollama_host.port,) if settings.manages_ollama else ()
    if settings.openhands_flavor == "off":
        return ClosedPorts(ollama)
    era = generation_of(settings)
    page = {settings.openhands_port, *inner_ports(settings), *rehearsal_ports(settings)}
    if era is V1 and str(settings.openhands_env.get(HOST_NETWORK, "")).lower() in {"1", "true"}:
        page |= {*SANDBOXES.inside}
    return ClosedPorts(
        ollama,
        _sorted(page),
        ports_inside(settings),
        (era.sandboxes.published,) if era.sandboxes else (),
    )


def ports_closed_now(probe: Probe) -> ClosedPorts:
    """The ports that the present rules of a host close."""
    text = (probe.files[paths.FIREWALL_RULES].content or b"").decode(errors="replace")
    found: dict[str, set[int]] = {"guard": set(), "page": set()}
    for ports, chain in CLOSED.findall(_chain(text, "input")):
        found[chain] |= _ports(ports)
    inside = {port for ports, _ in CLOSED.findall(_chain(text, "routed")) for port in _ports(ports)}
    ranges = (SANDBOXES.published,) if f"dport {SANDBOXES.published} jump guard" in text else ()
    return ClosedPorts(_sorted(found["guard"]), _sorted(found["page"]), _sorted(inside), ranges)


def _chain(text: str, name: str) -> str:
    return text.partition(f"\tchain {name} {{\n")[2].partition("\n\t}")[0]


def _ports(text: str) -> set[int]:
    return {port for port in map(int, re.findall(r"\b[0-9]{1,5}\b", text)) if 0 < port < 1 << 16}


def describe_effect(settings: HostSettings, closed: ClosedPorts) -> str:
    """What a user of the network notices, for the plan."""
    allowed = ", ".join(settings.allow_from) or "none"
    effects = [f"closes {_join_ports(closed.of_host)} to other machines (allowed: {allowed})"]
    if closed.page:
        effects.append(f"closes {_join_ports(closed.page)} of the host to containers too{_exception(closed)}")
    if closed.sandboxes:
        ranges = " and ".join(closed.sandboxes)
        effects.append(f"closes the ports of its sandboxes, and over IPv6 all ports of {ranges}")
    return "; ".join([*effects, "no other port is touched"])


def _join_ports(ports: tuple[int, ...]) -> str:
    *most, last = map(str, ports)
    return f"ports {', '.join(most)} and {last}" if most else f"port {last}"


def _exception(closed: ClosedPorts) -> str:
    return " but those on Docker's own network" if SANDBOXES.published in closed.sandboxes else ""
