"""Checks that the ports of Ollama and OpenHands are free."""

from __future__ import annotations

import shlex
from dataclasses import replace

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.docker import EVERYWHERE, Publisher
from fleethands.facts.network import Listener
from fleethands.operations.core.decision import Refused
from fleethands.operations.core.ownership import is_written_by_fleethands
from fleethands.operations.ollama import external
from fleethands.operations.openhands import conflicts, source_service
from fleethands.settings import HostSettings
from fleethands.settings.openhands import inner_ports

INNER = "openhands_flavor"  # the key for the fixed ports of OpenHands' parts, whose processes have all kinds of names
DOCKER = ("docker-proxy", "dockerd")  # without `userland-proxy` the engine itself listens on published ports
GATEWAY = ("gateway", "gateway_page")
SERVICE = ("node", "MainThread", "uvicorn")  # names of the process of our service


def check_ports(settings: HostSettings, probe: Probe) -> Refused | None:
    """Refuse if a foreign process listens on a port, and name the process."""
    declared = {settings.ollama_host.port: "ollama_host"} if settings.manages_ollama else {}
    if settings.openhands_flavor != "off":
        declared[settings.openhands_port] = "openhands_port"
    declared |= dict.fromkeys(inner_ports(settings), INNER)
    if settings.gateway is not None:
        declared[settings.gateway.port] = "gateway"
    if settings.gateway_page is not None:
        declared[settings.gateway_page.port] = "gateway_page"
    for listener in probe.sockets:
        key = declared.get(listener.port)
        if key is not None and not _is_ours(listener, key, probe):
            refused = _refuse_listener(listener, key, _find_publisher(listener, probe))
            keep_it = external.external_hints(settings, probe) if key == "ollama_host" else ()
            return replace(refused, hints=(*refused.hints, *keep_it))
    return None


def _is_ours(listener: Listener, key: str, probe: Probe) -> bool:
    if _is_published(listener, probe) or (key in GATEWAY and _is_gateway(listener, probe)):
        return True
    if key in {"openhands_port", INNER}:
        if listener.process in DOCKER:
            return _find_publisher(listener, probe) is None
        return source_service.is_installed(probe) and (key == INNER or listener.process in SERVICE)
    if listener.process != "ollama":
        return False
    if not listener.pid or not probe.knows("process"):
        return True
    return probe.process is not None and listener.pid in {probe.process.pid, probe.process.inside}


def _is_gateway(listener: Listener, probe: Probe) -> bool:
    return listener.process == "nginx" and is_written_by_fleethands(probe, paths.GATEWAY_UNIT)


def _is_published(listener: Listener, probe: Probe) -> bool:
    """Whether our own container publishes the port, whichever process listens for it."""
    container = probe.docker.container if probe.knows("docker") else None
    if container is None or container.state != "running" or conflicts.has_foreign_container(probe):
        return False
    return (listener.port, "" if listener.address in EVERYWHERE else listener.address) in container.published


def _find_publisher(listener: Listener, probe: Probe) -> Publisher | None:
    """The foreign container that publishes the port; None without one, or if Docker does not answer."""
    if not probe.knows("docker"):
        return None
    return next((each for each in probe.docker.publishers if each.port == listener.port), None)


def _refuse_listener(listener: Listener, key: str, container: Publisher | None) -> Refused:
    owner = f"`{listener.process}`" if listener.process else "another process"
    pid = f" (pid {listener.pid})" if listener.pid else ""
    other = f"or have another {'OpenHands' if key == INNER else 'port'}: `{key}`"
    if container is not None:
        return _refuse_container(container, f"port {listener.port} is held by {owner}{pid}", key, other)
    if listener.process == "ollama":
        hint = f"it is not ollama.service's own; on the host: kill {listener.pid}"
        return Refused(f"port {listener.port} is held by {owner}{pid}", (hint, other))
    look = f"see it on the host: ss -ltnp 'sport = :{listener.port}'"
    return Refused(f"port {listener.port} is held by {owner}{pid}", (look, other))


def _refuse_container(container: Publisher, held: str, key: str, other: str) -> Refused:
    """A foreign container, whose image is named for Ollama, may hold the port of the managed Ollama."""
    name, image = shlex.quote(container.name), container.image
    if key != "ollama_host" or "ollama" not in image.rpartition("/")[2]:
        return Refused(f"{held} for the container `{container.name}`", (f"on the host: docker stop {name}", other))
    return Refused(
        f"{held} for the container `{container.name}` of {image}, which fleethands did not make",
        (
            f"to replace it with a managed one, on the host: docker update --restart no {name} && docker stop {name}",
            other,
        ),
    )
