"""OpenHands of each generation, as tests declare it, and what they ask of it."""

from __future__ import annotations

from typing import Any

from tests.lab.host import Host

GUIDE = "ghcr.io/all-hands-ai/openhands:main"
# those that send a model their tools need one that takes them
TOOLS: dict[str, Any] = {"models": ["tiny-tools"]}
V0: dict[str, Any] = {}
V1: dict[str, Any] = {"openhands_image": "docker.openhands.dev/openhands/openhands:1.11", **TOOLS}
CANVAS: dict[str, Any] = {
    "openhands_flavor": "canvas",
    "openhands_image": "ghcr.io/openhands/agent-canvas:1.16.0",
    **TOOLS,
}
KEY_FILE = "/etc/fleethands/canvas.env"
ASKED = '{"initial_message": {"content": [{"type": "text", "text": "Say OK."}]}}'


def until(host: Host, condition: str, seconds: float) -> str:
    """What a command of the host says once it succeeds."""
    return host.run(f"until {condition}; do sleep 0.2; done", timeout=seconds).stdout.strip()


def answers(host: Host, page: str = "localhost:3000/health") -> None:
    """OpenHands is there: after a boot, or a restart of Docker, long after its container."""
    until(host, f"curl -fs -o /dev/null {page}", 240)


def canvas_key(host: Host) -> str:
    """What Canvas' page asks for."""
    return host.run(f"sed -n s/^LOCAL_BACKEND_API_KEY=//p {KEY_FILE}").stdout.strip()


def sandbox_ports(host: Host) -> list[int]:
    """A conversation of V1 is begun; the ports that its sandbox publishes, once the sandbox answers."""
    host.run(f"curl -fsS -H 'Content-Type: application/json' -d '{ASKED}' localhost:3000/api/v1/app-conversations")
    sandbox = until(host, "docker ps --filter name=oh-agent-server --format {{.Names}} | grep .", 120)
    rows = host.run(f"docker port {sandbox}").stdout.split()
    ports = sorted({int(row.rpartition(":")[2]) for row in rows if ":" in row})
    until(host, " || ".join(f"curl -fs -o /dev/null localhost:{port}/alive" for port in ports), 120)
    return ports
