"""Embeds pyinfra 3.10: this, watch.py and target.py alone touch its semi-private names (tests/unit/test_engine.py)."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyinfra
import pyinfra_cli.util  # its import patches the standard library for gevent
from pyinfra.api import Config, State
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operations import run_ops
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_config, ctx_inventory, ctx_state

from fleethands import facts
from fleethands.facts import Probe
from fleethands.operations import journal
from fleethands.rollout.masking import NOTHING, Mask
from fleethands.rollout.registry import Unanswered, digests, look_up
from fleethands.rollout.shard import WHOLE, EmptyShard, Shard
from fleethands.rollout.target import inventory, no_hosts, reach_by_ssh
from fleethands.rollout.timeline import Timeline
from fleethands.rollout.watch import Listener, Narration, Outcome, Watch
from fleethands.settings import HostSettings, Secret, read_fleet

CONNECT_TIMEOUT = 10  # seconds


class Engine:
    """
    One fleet, connected once.

    + target: an inventory file, host names, or whatever else pyinfra takes
    + project: directory of deploy.py
    + data: host data on top of the inventory's
    + hosts, exclude: patterns of names, as fnmatch reads them
    + words: target and options as a command line has them, for hints
    + shard: only the hosts of this part; raises EmptyShard where that is none
    """

    def __init__(
        self,
        target: str,
        project: Path,
        data: Mapping[str, Any],
        hosts: str = "*",
        exclude: str = "",
        words: str = "",
        shard: Shard = WHOLE,
    ) -> None:
        for name in ("paramiko", "pyinfra"):  # the report says it all, once
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        os.environ["PYINFRA_PROGRESS"] = "off"
        sys.path.insert(0, str(project))
        pyinfra.is_cli = True  # operations are told apart by where they stand, not by their number
        self.project = project
        self.state = State(check_for_changes=True)
        self.state.cwd = str(project)
        self.begun = time.time()
        self._settings: dict[str, HostSettings] = {}
        self.watch = Watch(words or target)
        self.timeline = Timeline()
        self.mask: Mask = NOTHING
        ctx_state.set(self.state)
        self.inventory = inventory(target, data, project)
        self.chosen = [host for host in self.inventory if fnmatch(host.name, hosts) and not fnmatch(host.name, exclude)]
        if not self.chosen:
            raise no_hosts(target, hosts, exclude, self.inventory)
        whole, self.chosen = self.chosen, [host for host in self.chosen if shard.holds(host.name)]
        if not self.chosen:
            raise EmptyShard(f"none of {len(whole)} hosts is of part {shard}")
        for host in self.chosen:
            reach_by_ssh(host)
        config = Config(CONNECT_TIMEOUT=CONNECT_TIMEOUT)
        ctx_inventory.set(self.inventory)
        ctx_config.set(config)
        self.state.init(self.inventory, config, initial_limit=self.chosen)
        self.state.add_callback_handler(self.watch)
        self.state.add_callback_handler(self.timeline)

    @property
    def names(self) -> list[str]:
        """The chosen hosts, sorted."""
        return sorted(host.name for host in self.chosen)

    def settings(self) -> dict[str, HostSettings]:
        """Settings of every chosen host. Raises SettingsError with every mistake; nothing is connected yet."""
        self._settings = read_fleet({host.name: host.data.dict() for host in self.chosen})
        self.mask = Mask.of(self._settings.values())
        return self._settings

    def secrets(self, name: str) -> frozenset[str]:
        """Names of the variables that are declared secret for a host."""
        settings = self._settings[name]
        variables = {**settings.ollama_env, **settings.openhands_env}
        return frozenset(name for name, value in variables.items() if isinstance(value, Secret))

    def ask_registries(self, say: Callable[[str], None]) -> None:
        """
        Ask what each model's tag is now, once a name and from here, so that a plan knows of tags that moved.

        + say: is told what a registry did not answer, one line of text
        """
        found = look_up(model for settings in self._settings.values() for model in settings.models)
        for name, answer in found.items():
            if isinstance(answer, Unanswered):
                say(f"warning: {name}: {answer.reason}")
        for host in self.chosen:
            host.data.fleethands_upstream = digests(found)

    def connect(self) -> None:
        """Reach every host that can be reached; `watch.unreachable` has the others with the reason."""
        self.state.set_stage(StateStage.Connect)
        try:
            connect_all(self.state)
        except PyinfraError:
            return  # none could be reached

    def plan(self, deploy: str = "deploy.py") -> None:
        """Walk a deploy file of the project on every host; decisions are in `planned`."""
        self.state.set_stage(StateStage.Prepare)
        pyinfra_cli.util.load_deploy_file(self.state, str(self.project / deploy))

    def apply(self, listener: Listener) -> None:
        """Carry the plan out; decisions are in `done`, what operations said in `outcomes`."""
        self.state.add_callback_handler(Narration(self.state, listener, self.mask))
        self.state.set_stage(StateStage.Execute)
        try:
            run_ops(self.state)
        except PyinfraError:
            return  # no host is left

    def host(self, name: str) -> Any:
        """pyinfra's own host."""
        return self.inventory.get_host(name)

    def has_proven(self, name: str) -> bool:
        """Whether this run made a proof on a host that held."""
        proofs = [each for each in self.outcomes(name) if each.task == "Proof"]
        return bool(proofs) and not any(each.failed for each in proofs)

    def planned(self, name: str) -> list[journal.Entry]:
        """What operations decided on a host while the plan was made."""
        return journal.of(self.inventory.get_host(name), executing=False)

    def done(self, name: str) -> list[journal.Entry]:
        """What operations decided on a host while they ran."""
        return journal.of(self.inventory.get_host(name), executing=True)

    def seen(self, name: str) -> Probe | None:
        """A host as it was when it was last asked; None when it changed since, or never answered."""
        return facts.last(self.inventory.get_host(name))

    def outcomes(self, name: str) -> list[Outcome]:
        """What each operation that ran on a host said, in their order."""
        host = self.inventory.get_host(name)
        found = []
        for op_hash in self.state.get_op_order():
            data = self.state.ops[host].get(op_hash)
            if data is None or not data.operation_meta.is_complete():
                continue
            (operation,) = self.state.get_op_meta(op_hash).names
            meta = data.operation_meta
            found.append(Outcome(operation, meta.did_error(), meta.stdout, meta.stderr))
        return found

    def close(self) -> None:
        """End every connection."""
        for host in self.chosen:
            client = getattr(host.connector, "client", None)
            if client is not None:
                client.close()
