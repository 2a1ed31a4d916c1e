"""What a plan says is what an apply does, from every starting state of states.yaml; and then nothing is left to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import fleet, observe
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab

HOSTS = ("lab-1", "lab-2")
STATES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("states.yaml").read_text())
ROUNDS = [STATES[first : first + len(HOSTS)] for first in range(0, len(STATES), len(HOSTS))]
SAMPLE = slice(0, None, 8)  # the rest by `make soak`
PROOF = "Proof | Get an answer to a prompt"


def _rounds() -> Iterator[Any]:
    sample = ROUNDS[SAMPLE]
    for states in ROUNDS:
        marks = [] if states in sample else [pytest.mark.soak]
        yield pytest.param(states, id=" + ".join(state["state"] for state in states), marks=marks)


@pytest.mark.parametrize("states", list(_rounds()))
def test_a_plan_says_what_an_apply_does(lab: Lab, converged_state: str, states: list[dict[str, Any]]) -> None:
    lab.internet.clear_faults()

    def bring(host: str, state: dict[str, Any]) -> None:
        lab[host].restore(converged_state)
        lab[host].run(state["break"], timeout=90)

    with ThreadPoolExecutor() as pool:
        list(pool.map(bring, HOSTS, states))
    wanted = {
        host: [*state["changes"], PROOF] if state["changes"] or "proof" in state["state"] else []
        for host, state in zip(HOSTS, states, strict=False)
    }

    _, plan = fleethands("plan", hosts="lab-[12]")
    code, deed = fleethands("apply", hosts="lab-[12]")
    again_code, again = fleethands("plan", hosts="lab-[12]")

    assert {host: changes(plan, host) for host in wanted} == wanted
    assert {host: changes(deed, host) for host in wanted} == wanted
    assert code == 0, deed
    assert [plan["hosts"][host]["remote_commands"] for host in wanted] == [1] * len(wanted)
    assert (again_code, again["result"]) == (0, "unchanged"), again
    assert all(observe.proven(lab[host]) for host in wanted)


def noted(line: str) -> bool:
    """A plan has its notes last, each with its operation. pyinfra prints them at the operation."""
    return line.startswith("note: ")


def test_stock_pyinfra_says_the_same(converged: Host) -> None:
    converged.run("rm /etc/systemd/system/ollama.service.d/50-fleethands.conf; docker rm -f openhands-app")

    dry = fleet.plan("lab-1", diff=True).said
    plan = fleet.say("plan")[1]

    told = [
        line.partition("[lab-1] ")[2] for line in dry.splitlines() if re.search(r"\[lab-1\] (~ |    |note: )", line)
    ]
    planned = [line.removeprefix("  ") for line in plan.splitlines() if line.startswith("  ")]
    assert [line for line in told if not noted(line)] == [line for line in planned if not noted(line)]
    assert [f"note: OpenHands | Run the container: {line.removeprefix('note: ')}" for line in told if noted(line)] == [
        line for line in planned if noted(line)
    ]
    assert [line for line in told if line.startswith("~ ")] == [
        "~ Ollama | Write the override",
        "~ OpenHands | Run the container",
        f"~ {PROOF}",
    ]
