"""Ollama's container, broken in many ways, is repaired."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.fleet import fleethands, trouble
from tests.lab.host import Host
from tests.lab.ollama_container import (
    CONTAINER_NAME,
    CONTAINER_SETTINGS,
    IMAGE,
    PROVE,
    SERVE,
    apply_settings,
    assert_unchanged,
)
from tests.lab.test_broken_ways import type_in

OVERRIDE = "/etc/systemd/system/ollama.service.d/50-fleethands.conf"
THEIRS = "systemctl stop ollama && docker run --detach --name theirs --restart always {} " + IMAGE


@dataclass(frozen=True)
class Break:
    """How it is broken, the expected message and the command that prints it; data: the settings."""

    how: str
    says: str
    command: str = "verify"
    data: dict[str, Any] = field(default_factory=lambda: CONTAINER_SETTINGS)


WAYS = {
    "the image is gone": Break(
        f"docker rm -f {CONTAINER_NAME}; docker rmi -f {IMAGE}",
        f"connection refused: nothing listens on port 11434, the image {IMAGE} is not on the host",
    ),
    "Docker is disabled": Break(
        "systemctl disable -q --now docker.socket docker.service",
        "connection refused: nothing listens on port 11434, "
        "Docker does not run (docker.service is inactive), and Ollama is a container",
    ),
    "another container publishes the port": Break(
        THEIRS.format("--publish 11434:11434"),
        f"for the container `theirs` of {IMAGE}, which fleethands did not make",
        "plan",
    ),
    "another container has the port of the host": Break(
        THEIRS.format("--network host") + " && until ss -Hltn sport = :11434 | grep -q .; do sleep 0.05; done",
        f"for the container `theirs` of {IMAGE}, which fleethands did not make",
        "plan",
    ),
    "the unit was stopped and disabled": Break(
        "systemctl disable -q --now ollama",
        "connection refused: nothing listens on port 11434, ollama.service is inactive",
    ),
}


@pytest.mark.soak
@pytest.mark.parametrize("name", WAYS)
def test_a_broken_one_is_found_with_its_cause_and_mended_by_its_hint(contained: Host, name: str) -> None:
    way = WAYS[name]
    contained.run(way.how, timeout=60)

    code, found = fleethands(way.command, **way.data)

    told = found["hosts"]["lab-1"]
    assert (code, way.says in told["reason"]) == (1, True), told
    hint = next(each for each in told["hints"] if ": fleethands" in each or "docker stop" in each)
    type_in(contained, hint if hint.startswith("on ") else f"on the host: {hint.partition('on the host: ')[2]}")
    fleethands("apply", **way.data)
    code, verified = fleethands("verify", **way.data)
    assert code == 0, trouble(verified)
    assert_unchanged(**way.data)


@pytest.mark.soak
def test_what_a_person_does_to_it_does_not_last(contained: Host) -> None:
    back = "until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done"
    for done in (
        f"docker stop {CONTAINER_NAME}",
        f"docker kill {CONTAINER_NAME}",
        "kill -9 $(systemctl show ollama -p MainPID --value)",
        "systemctl restart docker",
        "systemctl stop docker docker.socket && systemctl start docker",
    ):
        contained.run(f"{done}; sleep 0.5; {back}", timeout=60)
        assert_unchanged(**CONTAINER_SETTINGS)
    contained.run(f"sed -i s/0.0.0.0/127.0.0.1/ {OVERRIDE}; systemctl daemon-reload; systemctl restart ollama; {back}")

    assert apply_settings(**CONTAINER_SETTINGS) == ["Ollama | Write the override", SERVE, PROVE]
