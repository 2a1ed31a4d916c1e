"""What tests ask a host, in the words of the guide."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

from fleethands.operations.core.proof_record import Link, parse_links
from fleethands.paths import PROOF
from tests.lab.host import Host

LINKS = [
    "list",
    "generate-on-host",
    "context",
    "docker",
    "container",
    "workspace",
    "generate-in-openhands",
    "generate-in-container",
    "openhands-answers",
    "openhands-model",
    "speed",
]
OLLAMA_LINKS = [*LINKS[:2], "speed"]  # with `openhands_flavor` off
OUTSIDE = ["closed-from-outside", "open-through-ssh"]  # tried by the controller, so not in a host's own record


@dataclass(frozen=True)
class Identity:
    """What a second run must leave as it is."""

    container: str
    container_started: str
    ollama_pid: str
    ollama_started: str


def identity(host: Host) -> Identity:
    """The container and the process that serve now."""
    container, started = host.run("docker inspect openhands-app --format '{{.Id}} {{.State.StartedAt}}'").stdout.split()
    pid = host.run("systemctl show ollama -p MainPID --value").stdout.strip()
    since = host.run(f"cut -d ' ' -f 22 /proc/{pid}/stat").stdout.strip()
    return Identity(container, started, pid, since)


def proof(host: Host) -> list[Link]:
    """The links of the host's own proof record."""
    return parse_links(host.run(f"cat {PROOF}", check=False).stdout.encode())


def proven(host: Host, links: list[str] = LINKS) -> bool:
    """Whether every link of the guide's chain was tried and held."""
    return [link.name for link in proof(host) if link.ok] == links


def process(host: Host) -> str:
    """The Ollama that serves now: its pid, when it started and what it runs."""
    pid = "$(systemctl show ollama -p MainPID --value)"
    return host.run(f"echo {pid} $(cut -d ' ' -f 22 /proc/{pid}/stat) $(readlink /proc/{pid}/exe)").stdout


def environment(host: Host) -> dict[str, str]:
    """Variables of the running Ollama, as the kernel has them."""
    pid = host.run("systemctl show ollama -p MainPID --value").stdout.strip()
    lines = host.run(f"tr '\\0' '\\n' < /proc/{pid}/environ").stdout.splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def streamed_tokens(host: Host, model: str = "codellama:7b") -> int:
    """Tokens that `curl localhost:11434/api/generate` streams."""
    body = json.dumps({"model": model, "prompt": "Say OK.", "options": {"num_predict": 8}})
    said = host.run(f"curl -sSN --max-time 60 localhost:11434/api/generate -d '{body}'").stdout
    return sum(1 for line in said.splitlines() if json.loads(line)["done"] is False)


def reachable(address: str, port: int, timeout: float = 1.5) -> bool:
    """Whether this machine, which is outside of every host, gets through to a port."""
    try:
        with socket.create_connection((address, port), timeout):
            return True
    except OSError:
        return False


def listing(host: Host) -> str:
    """Every file of the host but what lives by itself, and every object of Docker's."""
    files = host.run(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /var/log -o -path /var/lib/docker"
        " -o -path /var/lib/systemd -o -path /var/lib/containerd -o -path '/tmp/systemd-private-*' \\) -prune"
        " -o -printf '%p %y %s %m %u:%g %l\\n' | sort"
    ).stdout
    # Docker creates its default networks at each start, with new ids
    docker = "docker ps -aq; docker images -q; docker volume ls -q; docker network ls --format '{{.Name}}'"
    return files + host.run(docker, check=False).stdout


def leftovers(host: Host, container: str = "openhands-app") -> list[str]:
    """What a run must not leave: work files, pulls, containers other than the declared one."""
    places = (
        "find /tmp /root /var/tmp -mindepth 1"
        " -not -path '*/systemd-private-*' -not -path '/tmp/.*-unix' -not -path '/root/.ssh*'"
        " -not -name .bashrc -not -name .profile; "
        "find /opt/ollama -mindepth 1 -maxdepth 1 -name '.*'; "
        "find /etc /opt /var/lib/fleethands -name '.fleethands-*'; "
        "find /run/fleethands -name '*.ndjson'; "
        f"docker ps -a --format '{{{{.Names}}}}' | grep -vx {container}; "
        "systemctl list-units --all --plain --no-legend 'fleethands-pull-*'"
    )
    return host.run(places, check=False).stdout.splitlines()
