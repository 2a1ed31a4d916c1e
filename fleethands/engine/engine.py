"""
Plans and runs deploy files over a fleet, with pyinfra 3.10.

Private names of pyinfra are used here and in: host_executor, operation_results, connections, observed_connector,
operation_arguments, pyinfra_patches, fleet/inventory, ssh/client, ssh/connection, ssh/host_key_check, streams,
fleet/ansible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyinfra.api import Config, State
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_config, ctx_inventory, ctx_state

from fleethands.command_line import CommandLine
from fleethands.deploy_files import find_deploy_file
from fleethands.engine.connection_monitor import ConnectionMonitor
from fleethands.engine.connections import Connections
from fleethands.engine.fleet_settings import FleetSettings
from fleethands.engine.forget_host import forget_host
from fleethands.engine.host_executor import HostExecutor
from fleethands.engine.host_planner import HostPlanner
from fleethands.engine.host_pool import MAX_CONCURRENT, PLANNED_AT_ONCE, HostPool
from fleethands.engine.host_run import RunAborted
from fleethands.engine.operation_results import OperationResults
from fleethands.engine.progress import ProgressCallbacks, ProgressListener
from fleethands.engine.selected_hosts import SelectedHosts
from fleethands.engine.setup import prepare
from fleethands.fleet.hosts_in_code import HostsInCode
from fleethands.fleet.inventory import set_ssh_defaults
from fleethands.fleet.selection import ALL_HOSTS, HostSelection
from fleethands.operations.core import journal
from fleethands.report.model import HostReport
from fleethands.report.redaction import Mask
from fleethands.settings import HostSettings
from fleethands.settings.lockfile import Lockfile
from fleethands.ssh.connection import disconnect
from fleethands.ssh.timeouts import CONNECT, LIMITS, Limits


class Engine(OperationResults):
    """
    One plan and one run over some hosts. A host that fails or is slow delays no other host.

    + selected: the hosts
    + project: directory of deploy.py
    + connections: shared by all engines of a command

    `names` are those of its hosts, sorted. `probed` are the hosts whose plan is complete. `host_runs` says how far each
    host of the run got. `warnings` has a line for everything in the inventory that is ignored and may be a mistake.

    Example:

        engine = Engine.load("inventory/prod.py", project, {})
        engine.settings()
        engine.connect_and_plan()
        engine.run(engine.names, listener)
        engine.close()
    """

    def __init__(self, selected: SelectedHosts, project: Path, connections: Connections) -> None:
        self.selected, self.project, self.connections = selected, project, connections
        self.inventory, self.hosts, self.fleet = selected.inventory, selected.hosts, selected.fleet
        self.names, self.warnings = selected.names, selected.warnings
        self.monitor, self.timeline = connections.monitor, connections.timeline
        self.command_line = connections.monitor.command_line
        self.started = time.time()
        self.nested: list[Engine] = []  # made by for_hosts
        self.kept: dict[str, HostReport] = {}  # of hosts with nothing left to do
        self.state, self.config = State(check_for_changes=True), Config(CONNECT_TIMEOUT=CONNECT)
        self.state.cwd = str(project)
        self._settings = FleetSettings(selected)
        self._pool = HostPool()
        self._planner = HostPlanner(self.state, self.config, self.monitor)
        self._executor = HostExecutor(self.state, connections)
        self.probed, self.host_runs = self._planner.probed, self._executor.host_runs
        for host in self.hosts:
            set_ssh_defaults(host)
        self._enter_context()
        self.state.init(self.inventory, self.config, initial_limit=self.hosts)
        connections.observe(self.state)

    @classmethod
    def load(
        cls,
        target: str | HostsInCode,
        project: Path,
        data: Mapping[str, Any],
        pick: HostSelection = ALL_HOSTS,
        command_line: CommandLine | None = None,
        limits: Limits = LIMITS,
    ) -> Engine:
        """
        An engine for the hosts of a target. Nothing is connected yet.

        + target: an inventory file, host names, or another of pyinfra's targets; or hosts that a program declares
        + data: host data that takes precedence over the inventory's
        + command_line: what was typed, for hints

        Raises what SelectedHosts.load raises.
        """
        prepare(project)
        connections = Connections(ConnectionMonitor(command_line or CommandLine(target=str(target)), limits))
        return cls(SelectedHosts.load(target, data, pick), project, connections)

    @contextmanager
    def for_hosts(self, names: Iterable[str], data: Mapping[str, Any]) -> Iterator[Engine]:
        """
        Another engine for some of the hosts, with its own plan and run, over the same connections.

        Within the block, this engine must not be used. A connection that is lost is made again.

        + data: host data that takes precedence over this engine's
        """
        other = Engine(self.selected.subset(names, data), self.project, self.connections)
        other.started = self.started
        self.nested.append(other)
        try:
            other._take_connections(self)
            other.settings()
            yield other
        finally:
            for host in other.hosts:
                self.connections.hand_back(host, self.host(host.name))
            self._enter_context()

    def _enter_context(self) -> None:
        ctx_state.set(self.state)
        ctx_inventory.set(self.inventory)
        ctx_config.set(self.config)

    def _take_connections(self, other: Engine) -> None:
        self.state.set_stage(StateStage.Connect)
        lost = [host for host in self.hosts if not self.connections.hand_over(other.host(host.name), self.state, host)]
        self._pool.change(self._connect_host, lost)

    def stop(self) -> None:
        """Start no further operation. Operations that are at work are completed."""
        self._executor.stop()

    @property
    def is_running(self) -> bool:
        """Whether a run has begun: changes may have been made."""
        return bool(self.state.current_stage >= StateStage.Execute)

    @property
    def mask(self) -> Mask:
        """Hides the values of secrets in everything that is reported."""
        return self._settings.mask

    def settings(self, lock: Lockfile | None = None) -> dict[str, HostSettings]:
        """
        Settings of every host. Nothing is connected yet.

        + lock: None for the lockfile of the working directory

        Raises SettingsError with all mistakes, LockfileError.
        """
        return self._settings.load(lock)

    def secrets(self, name: str) -> frozenset[str]:
        """Names of the variables of a host that are declared secret."""
        return self._settings.secrets(name)

    def ask_registries(self, report: Callable[[str], None]) -> None:
        """
        Resolve the tag of each model and image once, from the controller, so that a plan knows which tags moved.

        + report: called with a line for each name that a registry did not resolve
        """
        self._settings.resolve_tags(report)

    def connect(self) -> None:
        """Connect every host. `monitor.unreachable` has those that failed, with the reason."""
        self.state.set_stage(StateStage.Connect)
        self._pool.read(self._connect_host, self.hosts)

    def _connect_host(self, host: Any) -> None:
        self.connections.open(self.state, host)

    def connect_and_plan(
        self, deploy: str = "deploy.py", keep: bool = True, report: Callable[[Engine, str], HostReport] | None = None
    ) -> None:
        """
        Connect and plan each host in one go, so that a large fleet never has all its connections open.

        + keep: keep the connections to hosts that have changes to make
        + report: makes the report of a host with nothing left to do. All else of this host is dropped.
        """

        def plan_host(host: Any) -> None:
            if not host.connected:
                self._connect_host(host)
            if host.connected:
                self._planner.plan_host(host)
            if not keep or not journal.operations_with_changes(host):
                disconnect(host)
                if report is not None:
                    self.kept[host.name] = report(self, host.name)
                    forget_host(self.state, host, self._settings)

        self._plan(deploy, plan_host, self.hosts, PLANNED_AT_ONCE)

    def plan(self, deploy: str = "deploy.py") -> None:
        """Evaluate a deploy file for every connected host. The decisions are in `planned`."""
        connected = [host for host in self.hosts if host.connected]
        self._plan(deploy, self._planner.plan_host, connected, MAX_CONCURRENT)

    def _plan(self, deploy: str, function: Callable[[Any], None], hosts: list[Any], at_once: int) -> None:
        self.state.set_stage(StateStage.Prepare)
        self.state.current_deploy_filename = str(find_deploy_file(self.project, deploy))
        try:
            self._pool.read(function, hosts, at_once)
        finally:
            self._settings.update_mask()

    def run(self, names: Iterable[str], listener: ProgressListener) -> None:
        """
        Run the planned operations of some hosts.

        The decisions are in `executed`, the output in `results`, and `host_runs` says how far each host got. Raises
        KeyboardInterrupt when a user stops the run, after the current operations of all hosts were aborted.
        """
        progress = self.monitor.progress = ProgressCallbacks(self.state, listener, self.mask)
        self.state.add_callback_handler(progress)
        self.state.set_stage(StateStage.Execute)
        self.state.is_executing = True
        try:
            self._pool.change(self._executor.run_host, [self.host(name) for name in names])
        finally:
            self._pool.kill(RunAborted)
            self.state.callback_handlers.remove(progress)

    def disconnect(self, name: str) -> None:
        """Close the connection to one host."""
        disconnect(self.host(name))

    def close(self) -> None:
        """Close every connection."""
        for host in self.hosts:
            disconnect(host)
