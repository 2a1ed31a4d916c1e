"""Hosts as people have them (tests/lab/hosts.yaml): each is proven, or refused with a hint that works when typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleethands import paths
from tests.lab import observe
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.relay import Relay
from tests.lab.zoo import STATES, State
from tests.lab.zoo.controller import Controller
from tests.lab.zoo.hints import Way, ways
from tests.lab.zoo.standing import Standing, differing, foreign, standing
from tests.lab.zoo.state import FIXTURES

ANOTHER = {"no-docker": ("lab-4", "trixie-nodocker"), "bookworm": ("lab-3", "bookworm")}
REFUSED = {"refused", "unreachable"}
# of an engine that the plan starts
ENGINE = ("unit docker.", "unit containerd.", "network ", "file /etc/systemd/system/", "file /etc/docker")


@dataclass
class Ground:
    """Where states are tried: brings a host into one, as often as it is asked."""

    lab: Lab
    here: Path
    request: pytest.FixtureRequest
    proxy: str
    stack: ExitStack = field(default_factory=ExitStack)
    count: int = 0

    def brought(self, state: State) -> Controller:
        """A host in that state, and the machine where fleethands is typed."""
        host = self._base(state.base)
        self.count += 1
        for name in state.recorded:
            host.run(f"mkdir -p /run/recorded; cat > /run/recorded/{name}", stdin=(FIXTURES / name).read_text())
        host.run("sh -s", stdin=state.script, timeout=300)
        return Controller.laid(self.lab, host, state, self.here / str(self.count), self.proxy)

    def _base(self, base: str) -> Host:
        self.lab.internet.clear_faults()
        self.stack.close()
        if base in ANOTHER:
            name, suite = ANOTHER[base]
            self.lab.up(name)
            host = self.lab[name]
            host.restore("clean", suite=suite)
            if base == "no-docker":
                self.stack.enter_context(host.outward())
            return host
        host = self.lab["lab-1"]
        host.restore("clean" if base == "clean" else self.request.getfixturevalue(f"{base}_state"))
        return host


@pytest.fixture
def ground(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ground]:
    with Relay(lab.gateway, (lab.internet.address, 443), proxy=True).open() as relay:
        here = Ground(lab, tmp_path, request, f"http://{lab.gateway}:{relay.port}")
        with here.stack:
            yield here
    lab.trim(3)


def _cases() -> list[Any]:
    """Those of one base one after the other: what it takes is made once."""
    slow = [pytest.mark.soak, pytest.mark.timeout(900)]
    inorder = sorted(STATES, key=lambda state: state.base)
    return [pytest.param(each, id=each.name, marks=[] if each.sample else slow) for each in inorder]


@pytest.mark.parametrize("state", _cases())
def test_a_host_as_people_have_it(state: State, ground: Ground) -> None:
    controller = ground.brought(state)
    if state.must == "proven":
        is_proven(state, controller)
    else:
        is_refused(state, controller, ground)


def is_proven(state: State, controller: Controller) -> None:
    """An apply does what the plan said, nothing foreign changes, and uninstall removes everything managed."""
    before = standing(controller.host)
    _, plan = controller.fleethands("plan")
    assert [word for word in state.words if word not in text(plan)] == [], text(plan)

    applied(state, controller, plan, before)

    code, done = controller.fleethands("uninstall", "--models", "--workspaces")
    assert code == 0, text(done)
    untouched(state, controller, plan, before)


def is_refused(state: State, controller: Controller, ground: Ground) -> None:
    """Plan and apply say why, nothing changes, and what the hints say brings the host further."""
    before = standing(controller.host)
    for command in ("plan", "apply"):
        code, told = controller.fleethands(command)
        assert (code, told["status"] in REFUSED) == (1, True), text(told)
        assert [word for word in state.words if word not in told["reason"]] == [], text(told)
    assert differing(before, standing(controller.host)) == {}

    touched = False
    for number in range(len(ways(state, told["hints"]))):
        if touched:
            controller = ground.brought(state)
            _, told = controller.fleethands("plan")
        way = ways(state, told["hints"])[number]
        follow_hints(state, controller, way)
        touched = bool(way.on_host or way.here or state.then == "proven")


def follow_hints(state: State, controller: Controller, way: Way) -> None:
    """What the hints say is done, and the plan comes further."""
    for line in way.on_host:
        controller.host.run(f"yes | sh -c {shlex.quote(line)}", timeout=240)
    for line in way.here:
        controller.type(line)
    before = standing(controller.host)
    code, told = controller.fleethands("plan", **way.data)
    if state.then == "further" and code == 1:
        assert [word for word in state.words if word not in told["reason"]] != [], text(told)
        return
    assert code in {0, 2}, text(told)
    if state.then == "proven":
        applied(state, controller, told, before, **way.data)


def applied(state: State, controller: Controller, plan: dict[str, Any], before: Standing, **data: Any) -> None:
    """What is planned is done, its proof holds, nothing else has changed, and then there is nothing left to do."""
    code, done = controller.fleethands("apply", **data)
    assert code == 0, text(done)
    assert operation_names(plan) == operation_names(done)
    proof = observe.proof(controller.host)
    tried = [link.name for link in proof]
    assert [*tried[:2], tried[-1]] == observe.OLLAMA_LINKS
    assert all(link.ok for link in proof)
    untouched(state, controller, plan, before)
    controller.host.run("sh -s", stdin=f"set -e\ntest -s {paths.CURRENT_RECORD}\n{state.check}")
    code, again = controller.fleethands("plan", **data)
    assert (code, operation_names(again), again["remote_commands"]) == (0, [], 1), text(again)


def untouched(state: State, controller: Controller, plan: dict[str, Any], before: Standing) -> None:
    """Foreign things are as before, except the packages that the plan names."""
    rows = [row for row in plan["changes"] if row["operation"] == "Install from the distribution"]
    unknown = any("not known" in row["consequence"] for row in rows)
    packages = None if unknown else [name for row in rows for name in row["to"].split()]
    ours = [*state.ours, *(ENGINE if "Docker | Run the engine" in operation_names(plan) else ())]
    assert foreign(before, standing(controller.host), packages, ours) == {}


def operation_names(told: dict[str, Any]) -> list[str]:
    """Names of the operations that a document has of the host."""
    return [f"{row['task']} | {row['operation']}" for row in told["changes"]]


def text(told: dict[str, Any]) -> str:
    """All that it says: of a plan the words that a person reads, and why a run failed."""
    keys = ("task", "operation", "from", "to", "why", "consequence")
    rows = ["; ".join(str(row[key]) for key in keys) for row in told["changes"]]
    return "\n".join([told["status"], told["reason"], *told["hints"], *rows, *told["notes"], *told["log"]])
