"""Ways in that are broken: each found with its cause, and with a command that repairs it when it is typed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import GUIDE, V1
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host

OVERRIDE = "/etc/systemd/system/ollama.service.d/50-fleethands.conf"
RESTART = "systemctl daemon-reload && systemctl restart ollama && until curl -fs localhost:11434; do sleep 0.1; done"
DROPS = (
    "nft add table inet mine && nft add chain inet mine input '{ type filter hook input priority 0; }'"
    " && nft add rule inet mine input iifname docker0 tcp dport {%s} drop"
)


def posted(**settings: str) -> str:
    body = json.dumps({"llm_api_key": "k", **settings})
    return (
        "until curl -fs -m 20 -o /dev/null localhost:3000/health; do sleep 0.2; done; "
        f"curl -fsS -m 60 -H 'Content-Type: application/json' -d '{body}' localhost:3000/api/settings"
    )


@dataclass(frozen=True)
class Break:
    """
    One broken way.

    + how: typed on the host; link, says: what must be found
    + keeps: what a repair leaves there on purpose
    + refused: why a plan refuses the host; empty if an apply can continue
    """

    how: str
    link: str
    says: str
    data: dict[str, Any] = field(default_factory=dict)
    keeps: list[str] = field(default_factory=list)
    refused: str = ""


WAYS = {
    "Ollama bound to loopback": Break(
        f"sed -i s/0.0.0.0/127.0.0.1/ {OVERRIDE} && {RESTART}",
        "generate-in-openhands",
        "connection refused: Ollama listens on 127.0.0.1:11434 alone, which no container reaches",
    ),
    "a firewall drops docker0": Break(
        DROPS % "11434",
        "generate-in-openhands",
        "a firewall drops what containers send to port 11434: mine input",
    ),
    "host-gateway missing": Break(
        "docker rm -f openhands-app && docker run -d --name openhands-app -p 127.0.0.1:3000:3000"
        f" -v /opt/openhands/workspace:/opt/workspace_base {GUIDE}",
        "generate-in-openhands",
        "openhands-app is a foreign container, made without host.docker.internal",
        keeps=["openhands-app-adopted"],
        refused="a container named openhands-app is there that fleethands did not make",
    ),
    "model missing": Break("ollama rm codellama:7b", "list", "Ollama has no model codellama:7b"),
    "context 4096": Break(
        f"sed -i s/CONTEXT_LENGTH=32768/CONTEXT_LENGTH=4096/ {OVERRIDE} && {RESTART}",
        "context",
        "codellama:7b is loaded with a context of 4096 tokens, not 32768; OpenHands' own prompt needs 22000",
    ),
    "Docker daemon down": Break(
        "systemctl stop docker.socket docker.service", "docker", "Docker does not answer, docker.service is inactive"
    ),
    "port 3000 taken": Break(
        "docker stop openhands-app && systemd-run --quiet --unit squatter /usr/sbin/sshd -D -p 3000"
        " && until ss -Hltn 'sport = :3000' | grep -q .; do sleep 0.02; done",
        "container",
        "openhands-app is exited, and port 3000 is held by sshd (squatter.service)",
        refused="port 3000 is held by `sshd`",
    ),
    "image missing": Break(
        f"docker rm -f openhands-app && docker rmi -f {GUIDE}",
        "container",
        f"there is no container openhands-app, and no image {GUIDE}",
    ),
    "settings pointing elsewhere": Break(
        posted(llm_model="openai/codellama:7b", llm_base_url="http://elsewhere.invalid/v1"),
        "openhands-model",
        "a person chose openai/codellama:7b at http://elsewhere.invalid, and nothing answers there",
    ),
    "wrong prefix": Break(
        posted(llm_model="ollama/codellama:7b", llm_base_url="http://host.docker.internal:11434"),
        "openhands-model",
        "with the prefix ollama/ litellm sends no tools, so that the agent can only chat",
    ),
    "workspace not writable": Break(
        "chown root: /opt/openhands/workspace && chmod 0700 /opt/openhands/workspace",
        "workspace",
        "who works in /opt/openhands/workspace, cannot write there: it is root:root 700",
    ),
    "sandbox network blocked": Break(
        DROPS % "3000", "sandbox-reaches-app", "a firewall drops what containers send to port 3000: mine input", V1
    ),
}
SAMPLE = ("context 4096", "wrong prefix")


def type_in(host: Host, hint: str) -> None:
    """What a person would do who reads it."""
    place, _, command = hint.partition(": ")
    if place == "on the host":
        host.run(command, timeout=120)
    else:
        assert place == "on this machine"
        code, said = fleet.typed(f"{command} --yes")
        assert code == 0, said


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name in WAYS]
)
def test_it_is_found_and_the_hint_repairs_it(request: pytest.FixtureRequest, name: str) -> None:
    way = WAYS[name]
    data, converged = way.data, request.getfixturevalue("v1" if way.data else "converged")
    converged.run(way.how, timeout=120)

    code, done = fleethands("verify", **data)

    host = done["hosts"]["lab-1"]
    broken = [link for link in host["proof"] if not link["ok"]]
    assert code == 1
    assert broken[0]["link"] == way.link, broken
    assert way.says in broken[0]["detail"]
    assert host["hints"] == [broken[0]["hint"]]
    type_in(converged, broken[0]["hint"])
    code, done = fleethands("verify", **data)
    assert code == 0, done["hosts"]["lab-1"]["reason"]
    assert changes(fleethands("plan", **data)[1]) == []
    assert observe.leftovers(converged) == way.keeps
