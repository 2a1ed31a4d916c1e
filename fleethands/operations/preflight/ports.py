"""Who holds the ports that Ollama and OpenHands need."""

from __future__ import annotations

import shlex
from dataclasses import replace

from fleethands.facts import Probe
from fleethands.facts.docker import EVERYWHERE, Publisher
from fleethands.facts.network import Listener
from fleethands.operations.core.decision import Refused
from fleethands.operations.ollama import external
from fleethands.operations.openhands import conflicts, source_service
from fleethands.settings import HostSettings
from fleethands.settings.openhands import inner_ports

INNER = "openhands_flavor"  # of its parts' ports, which are fixed; the parts are of all kinds
DOCKER = ("docker-proxy", "dockerd")  # the engine itself holds published ports where `userland-proxy` is false
SERVICE = ("node", "MainThread", "uvicorn")  # what the kernel calls the process of our service


def check_ports(settings: HostSettings, probe: Probe) -> Refused | None:
    """A port that somebody else listens on, with who that is."""
    declared = {settings.ollama_host.port: "ollama_host"} if settings.manages_ollama else {}
    if settings.openhands_flavor != "off":
        declared[settings.openhands_port] = "openhands_port"
    declared |= dict.fromkeys(inner_ports(settings), INNER)
    for listener in probe.sockets:
        key = declared.get(listener.port)
        if key is not None and not _ours(listener, key, probe):
            held = _held(listener, key, _publisher(listener, probe))
            as_it_is = external.external_hints(settings, probe) if key == "ollama_host" else ()
            return replace(held, hints=(*held.hints, *as_it_is))
    return None


def _ours(listener: Listener, key: str, probe: Probe) -> bool:
    if _published(listener, probe):
        return True
    if key in {"openhands_port", INNER}:
        if listener.process in DOCKER:
            return _publisher(listener, probe) is None
        return source_service.is_installed(probe) and (key == INNER or listener.process in SERVICE)
    if listener.process != "ollama":
        return False
    if not listener.pid or not probe.knows("process"):
        return True
    return probe.process is not None and listener.pid in {probe.process.pid, probe.process.inside}


def _published(listener: Listener, probe: Probe) -> bool:
    """Whether our own container publishes the port there, whoever holds its socket for it."""
    container = probe.docker.container if probe.knows("docker") else None
    if container is None or container.state != "running" or conflicts.has_foreign_container(probe):
        return False
    return (listener.port, "" if listener.address in EVERYWHERE else listener.address) in container.published


def _publisher(listener: Listener, probe: Probe) -> Publisher | None:
    """The container, not ours, that has the port; None when there is none or Docker does not tell."""
    if not probe.knows("docker"):
        return None
    return next((each for each in probe.docker.publishers if each.port == listener.port), None)


def _held(listener: Listener, key: str, container: Publisher | None) -> Refused:
    owner = f"`{listener.process}`" if listener.process else "another process"
    pid = f" (pid {listener.pid})" if listener.pid else ""
    other = f"or have another {'OpenHands' if key == INNER else 'port'}: `{key}`"
    if container is not None:
        return _held_by(container, f"port {listener.port} is held by {owner}{pid}", key, other)
    if listener.process == "ollama":
        hint = f"it is not ollama.service's own; on the host: kill {listener.pid}"
        return Refused(f"port {listener.port} is held by {owner}{pid}", (hint, other))
    look = f"see it on the host: ss -ltnp 'sport = :{listener.port}'"
    return Refused(f"port {listener.port} is held by {owner}{pid}", (look, other))


def _held_by(container: Publisher, held: str, key: str, other: str) -> Refused:
    """A container that is Ollama, by its image's name, may be in the place of ours for good."""
    name, image = shlex.quote(container.name), container.image
    if key != "ollama_host" or "ollama" not in image.rpartition("/")[2]:
        return Refused(f"{held} for the container `{container.name}`", (f"on the host: docker stop {name}", other))
    return Refused(
        f"{held} for the container `{container.name}` of {image}, which fleethands did not make",
        (
            f"to have ours in its place, on the host: docker update --restart no {name} && docker stop {name}",
            other,
        ),
    )
