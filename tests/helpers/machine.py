"""A stand-in for one host behind pyinfra's own state and operations: what is read of it, and what changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from pyinfra.api import Config, Inventory, State
from pyinfra.api.deploy import add_deploy
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.connectors.fake import FakeConnector
from pyinfra.connectors.util import CommandOutput
from pyinfra.context import ctx_host, ctx_state

from fleethands import facts
from fleethands.facts import Probe
from fleethands.operations.core import journal
from fleethands.operations.core.decision import Refused, changes_of

NAME = "@fake/box"
DATA = {"fake_delay": 0, "fake_delay_jitter": 0, "models": ["codellama:7b"], "ollama_version": "0.24.0"}


@dataclass
class Machine:
    """
    + probe: what a probe reads now
    + effects: command of a foreign operation → what it makes of the host; fleethands' scripts have none
    + probes: how often it was read; commands: what else was sent; texts: the scripts of fleethands among them
    """

    probe: Probe
    effects: Mapping[str, Callable[[Probe], Probe]] = field(default_factory=dict)
    probes: int = 0
    commands: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def read(self, *_: Any) -> Probe:
        self.probes += 1
        return self.probe

    def run(self, command: Any, *_args: Any, **options: Any) -> tuple[bool, CommandOutput]:
        text = str(command)
        self.commands.append(text)
        self.texts.append(str(options.get("_stdin") or ""))
        if text in self.effects:
            self.probe = self.effects[text](self.probe)
        return True, CommandOutput([])


@dataclass
class Deployed:
    """What a deploy decided: names of operations with a change or a refusal, in the plan and in the run."""

    planned: list[str]
    executed: list[str]
    operations: list[str]
    predicted: Probe | None


@contextmanager
def reached(machine: Machine) -> Any:
    """pyinfra's connector for tests and the probe reach the machine."""
    with (
        patch.object(FakeConnector, "run_shell_command", machine.run),
        patch("fleethands.facts.host_session.ask_host", machine.read),
    ):
        yield


def deploy(
    machine: Machine, function: Callable[[], None], run: bool = True, plan: bool = True, **data: Any
) -> Deployed:
    """Plan a deploy function with pyinfra's API, and run it."""
    inventory = Inventory(([(NAME, {**DATA, **data})], {}))
    state = State(inventory, Config(), check_for_changes=plan)
    state.init(inventory, Config())
    host = inventory.get_host(NAME)
    host.connected = True
    state.activate_host(host)
    with reached(machine), ctx_state.use(state), ctx_host.use(host):
        state.set_stage(StateStage.Prepare)
        add_deploy(state, function)
        predicted = facts.predicted() if facts.cached_probe(host) else None
        if run:
            state.set_stage(StateStage.Execute)
            run_ops(state)
    order = [" / ".join(state.get_op_meta(each).names) for each in state.get_op_order()]
    return Deployed(_names(host, executing=False), _names(host, executing=True), order, predicted)


def _names(host: Any, *, executing: bool) -> list[str]:
    entries = journal.entries(host, executing=executing)
    return [each.name for each in entries if changes_of(each.decision) or isinstance(each.decision, Refused)]
