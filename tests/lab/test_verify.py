"""`fleethands verify`: makes the proof again each time, and touches nothing else on the host."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import CANVAS, V1, answers
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host


def listing(host: Host) -> list[str]:
    """Every file but the proof's own record."""
    return [line for line in observe.listing(host).splitlines() if not line.startswith("/var/lib/fleethands")]


def test_every_link_is_tried_anew_and_nothing_else_changes(converged: Host) -> None:
    before, files = observe.identity(converged), listing(converged)
    asked = int(converged.run("journalctl -u ollama -o cat | grep -c /api/generate").stdout)

    code, done = fleethands("verify")

    host = done["hosts"]["lab-1"]
    assert (code, done["result"], host["changes"]) == (0, "unchanged", [])
    assert [link["link"] for link in host["proof"] if link["ok"]] == [*observe.LINKS, *observe.OUTSIDE]
    (speed,) = [link["speed"] for link in host["proof"] if "speed" in link]
    answers = int(converged.run("journalctl -u ollama -o cat | grep -c /api/generate").stdout) - asked
    assert answers == 3 + speed["answers"]
    assert (observe.identity(converged), listing(converged)) == (before, files)
    assert observe.leftovers(converged) == []


def test_a_link_that_breaks_from_outside_alone_fails_the_proof_and_voids_it(converged: Host) -> None:
    # while it runs it loads a lost table again
    converged.run("systemctl stop fleethands-firewall; nft delete table inet fleethands")

    code, done = fleethands("verify")

    host = done["hosts"]["lab-1"]
    assert (code, host["status"]) == (1, "failed")
    assert [link["link"] for link in host["proof"] if not link["ok"]] == ["closed-from-outside"]
    assert f"{converged.address} port 11434 answers" in host["reason"]
    assert host["hints"] == ["on this machine: fleethands apply inventory/lab.py --hosts lab-1"]
    assert fleethands("apply")[0] == 0
    assert fleethands("plan")[0] == 0


def converses(host: Host, **data: Any) -> None:
    """A conversation was held: its agent's call came from a container and was answered; and nothing is left of it."""
    before = host.run("docker ps -aq --no-trunc | sort").stdout
    asked = asked_by_containers(host)

    code, done = fleethands("verify", "--conversation", timeout=1000, **data)  # its own limit is shorter

    assert code == 0, fleet.trouble(done)
    (talk,) = [link for link in done["hosts"]["lab-1"]["proof"] if link["link"] == "conversation"]
    assert talk["ok"]
    assert asked_by_containers(host) > asked
    assert host.run("docker ps -aq --no-trunc | sort").stdout == before
    assert observe.leftovers(host) == []
    assert changes(fleethands("plan", **data)[1]) == []


def asked_by_containers(host: Host) -> int:
    """Chat completions that Ollama answered to anybody but the host itself."""
    said = (
        "journalctl -u ollama -o cat | grep -F /v1/chat/completions | grep -F '| 200 |' | grep -vcE ' (127.0.0.1|::1) '"
    )
    return int(host.run(said, check=False).stdout)


@pytest.mark.soak
def test_a_conversation_is_held_and_removed(converged: Host) -> None:
    answers(converged)
    converses(converged)
    assert converged.run("docker exec openhands-app ls -A /.openhands/sessions", check=False).stdout == ""


@pytest.mark.soak
def test_a_conversation_of_canvas_is_held_and_removed(canvas: Host) -> None:
    converses(canvas, **CANVAS)
    assert canvas.run("ls -A /opt/openhands/state-canvas/agent-canvas/conversations", check=False).stdout == ""


@pytest.mark.soak
def test_a_conversation_of_v1_is_held_in_a_sandbox_that_is_removed(v1: Host) -> None:
    converses(v1, **V1)
    assert '"items":[]' in v1.run("curl -fsS localhost:3000/api/v1/app-conversations/search").stdout
