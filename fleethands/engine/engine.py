"""
Embeds pyinfra 3.10. Its private names: here, walker, ledger, watch, connection, target, client, keycheck, streams,
wire, ansible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
import pyinfra_cli.util  # its import patches the standard library for gevent
from pyinfra.api import Config, State
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state

from fleethands import facts
from fleethands.command_line import CommandLine
from fleethands.engine.concurrency import HostPool
from fleethands.engine.executor import HostExecutor
from fleethands.engine.host_run import HostRun, RunAborted
from fleethands.engine.monitor import ConnectionMonitor, ProgressCallbacks, ProgressListener
from fleethands.engine.results import OperationResults
from fleethands.engine.setup import prepare
from fleethands.fleet.ansible.kind import PREFIX
from fleethands.fleet.ansible.notes import Notes, check_connections, read_noted
from fleethands.fleet.group_data import find_stray_files
from fleethands.fleet.inventory import clone_inventory, load_inventory, set_ssh_defaults
from fleethands.fleet.roster import Roster
from fleethands.fleet.selection import ALL_HOSTS, HostSelection, select_hosts
from fleethands.fleet.shard import EmptyShard
from fleethands.operations.core import journal, lock_token
from fleethands.pinning import registry
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.report.timeline import Timeline
from fleethands.settings import HostSettings, Secret
from fleethands.settings.lockfile import Lockfile
from fleethands.ssh.connection import disconnect, is_connected
from fleethands.ssh.timeouts import CONNECT, CONNECTED, LIMITS, HostTimeout, Limits, format_duration
from fleethands.text.sanitize import sanitize_line

# each costs this machine a tenth of a second of its own, so more would only hold up one another until they time out
SURVEYED_AT_ONCE = 32


class Engine(OperationResults):
    """
    One fleet, connected once. Its hosts are independent: one that fails, or takes long, holds up no other.

    + target: an inventory file, host names, or whatever else pyinfra takes
    + project: directory of deploy.py
    + data: host data on top of the inventory's
    + pick: which of its hosts; raises EmptyShard where its part of them has none
    + command_line: what was typed, for hints
    """

    def __init__(
        self,
        target: str,
        project: Path,
        data: Mapping[str, Any],
        pick: HostSelection = ALL_HOSTS,
        command_line: CommandLine | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        prepare(project)
        self.project, self.limits = project, limits
        self.begun = time.time()
        self.watch = ConnectionMonitor(command_line or CommandLine(target=target), limits)
        self.timeline = Timeline()
        self._use(State(check_for_changes=True))
        self.inventory, notes = load_inventory(target, data)
        self._strays = find_stray_files(Path(target.removeprefix(PREFIX)), self.inventory)
        roster = Roster.from_inventory(self.inventory)
        whole = select_hosts(target, pick, roster)
        self.fleet = frozenset(pick.names_in(roster))  # with all its parts
        self.chosen = [self.inventory.get_host(name) for name in whole if pick.shard.contains(name)]
        self.notes: dict[str, Notes] = {name: notes[name] for name in self.names if name in notes}
        if not self.chosen:
            raise EmptyShard(f"none of {len(whole)} hosts is of part {pick.shard}")
        check_connections(self.notes, data)
        self._init()

    def _use(self, state: State) -> None:
        self.state, self.config = state, Config(CONNECT_TIMEOUT=CONNECT)
        self.state.cwd = str(self.project)
        self._settings: dict[str, HostSettings] = {}
        self.read: set[str] = set()  # hosts that have said all that a plan asks
        self.mask: Mask = NO_MASK
        self.others: list[Engine] = []
        self._crowd = HostPool()
        self._walker = HostExecutor(state, self.watch, self.timeline)
        ctx_state.set(state)

    def _init(self) -> None:
        for host in self.chosen:
            set_ssh_defaults(host)
        ctx_inventory.set(self.inventory)
        ctx_config.set(self.config)
        self.state.init(self.inventory, self.config, initial_limit=self.chosen)
        self.state.add_callback_handler(self.watch)
        self.state.add_callback_handler(self.timeline)

    @contextmanager
    def beside(self, names: Iterable[str], data: Mapping[str, Any]) -> Iterator[Engine]:
        """
        Another engine for some of the hosts, over the same connections, with a plan and a run of its own. Meanwhile
        this one does nothing. A connection that was lost is made anew.

        + data: on top of what this one was given
        """
        other = object.__new__(Engine)
        other.timeline = self.timeline
        self.others.append(other)
        other.project, other.limits, other.begun, other.watch = self.project, self.limits, self.begun, self.watch
        other.notes = self.notes
        try:
            other._use(State(check_for_changes=True))
            other.inventory = clone_inventory(self.inventory, names, data)
            other.chosen = list(other.inventory)
            other._init()
            other._take_over(self)
            other.settings()
            yield other
        finally:
            for host in other.chosen:
                if client := getattr(host.connector, "client", None):
                    self.host(host.name).connector.client = client
            ctx_state.set(self.state)
            ctx_inventory.set(self.inventory)
            ctx_config.set(self.config)

    def _take_over(self, other: Engine) -> None:
        self.state.set_stage(StateStage.Connect)
        lost = []
        for host in self.chosen:
            before = other.host(host.name)
            for seen in (self.watch.lost, self.watch.unanswered):
                seen.pop(host.name, None)
            lock_token.set_token(host, lock_token.token(before))
            if not is_connected(before):
                lost.append(host)
                continue
            if client := getattr(before.connector, "client", None):
                host.connector.client = client
            host.connected = True
            self.state.trigger_callbacks("host_connect", host)
            self.state.activate_host(host)
        self._crowd.each(self._reach, lost)

    @property
    def walks(self) -> Mapping[str, HostRun]:
        """How far each host came, of those that a run has taken."""
        return self._walker.walks

    def stop(self) -> None:
        """No operation begins any more; those that are at work are finished."""
        self._walker.stopping = True

    @property
    def is_running(self) -> bool:
        """Whether a run has begun: changes may have been made."""
        return bool(self.state.current_stage >= StateStage.Execute)

    @property
    def stopping(self) -> bool:
        """Whether it was stopped."""
        return self._walker.stopping

    @property
    def warnings(self) -> list[str]:
        """What the inventory's files have that is left, and may have been meant."""
        return [*self._strays, *dict.fromkeys(line for note in self.notes.values() for line in note.warnings)]

    @property
    def command_line(self) -> CommandLine:
        """What was typed."""
        return self.watch.command_line

    @property
    def names(self) -> list[str]:
        """The chosen hosts, sorted."""
        return sorted(host.name for host in self.chosen)

    def settings(self, lock: Lockfile | None = None) -> dict[str, HostSettings]:
        """
        Settings of every chosen host; nothing is connected yet.

        + lock: None for that of the working directory

        Raises SettingsError with every mistake, LockfileError.
        """
        data = {host.name: host.data.dict() for host in self.chosen}
        self._settings = read_noted(data, self.notes, self.inventory.override_data, lock)
        self.mask = Mask.of(self._settings.values())
        return self._settings

    def secrets(self, name: str) -> frozenset[str]:
        """Names of the variables that are declared secret for a host."""
        variables = [
            item for each in self._known(name) for item in (*each.ollama_env.items(), *each.openhands_env.items())
        ]
        return frozenset(name for name, value in variables if isinstance(value, Secret))

    def _known(self, name: str) -> list[HostSettings]:
        """The settings of a host, and those of the record that it goes back to: they may have secrets of their own."""
        asked = facts.probed_settings(self.host(name))
        return [self._settings[name], *([asked] if asked else [])]

    def ask_registries(self, say: Callable[[str], None]) -> None:
        """
        Ask what the tag of each model and image is now, once a name and from here: a plan then knows which ones moved.

        + say: is told what a registry did not answer, one line of text
        """
        found = registry.resolve_tags(self._settings.values(), say)
        for host in self.chosen:
            host.data.fleethands_check_tags = found

    def connect(self) -> None:
        """Reach every host that can be reached; `watch.unreachable` has the others with the reason."""
        self.state.set_stage(StateStage.Connect)
        self._crowd.ask(self._reach, self.chosen)

    def _reach(self, host: Any) -> None:
        try:
            with gevent.Timeout(CONNECTED, HostTimeout(f"not reached within {format_duration(CONNECTED)}")):
                host.connect(show_errors=False)
        except (Exception, HostTimeout) as error:  # its key, its ssh_config: whatever is wrong there concerns this host
            self.state.trigger_callbacks("host_connect_error", host, error)
        if host.connected:
            self.state.activate_host(host)

    def survey(self, deploy: str = "deploy.py", keep: bool = True) -> None:
        """
        Reach and plan each host in one go, so many at a time: of a large fleet only they are connected at once.

        + keep: the connections to hosts that have something to do
        """
        self._begin(deploy)

        def look(host: Any) -> None:
            if not host.connected:
                self._reach(host)
            if host.connected:
                self._load(host)
            if not keep or not journal.operations_with_changes(host):
                disconnect(host)

        try:
            self._crowd.ask(look, self.chosen, SURVEYED_AT_ONCE)
        finally:
            self._end()

    def plan(self, deploy: str = "deploy.py") -> None:
        """Walk a deploy file of the project on every host; decisions are in `planned`."""
        self._begin(deploy)
        try:
            self._crowd.ask(self._load, [host for host in self.chosen if host.connected])
        finally:
            self._end()

    def _begin(self, deploy: str) -> None:
        self.state.set_stage(StateStage.Prepare)
        self.state.current_deploy_filename = str(self.project / deploy)

    def _end(self) -> None:
        self.mask = Mask.of(each for name in self.names for each in self._known(name))

    def _load(self, host: Any) -> None:
        ctx_config.set(self.config.copy())
        ctx_host.set(host)
        try:
            with gevent.Timeout(self.limits.host, HostTimeout(f"not read within {format_duration(self.limits.host)}")):
                pyinfra_cli.util.exec_file(self.state.current_deploy_filename)
        except (Exception, HostTimeout) as error:  # one host that can't be planned is no reason to leave the others
            self.watch.unanswered.setdefault(host.name, (sanitize_line(str(error)), []))
        self.read.add(host.name)

    def run(self, names: Iterable[str], listener: ProgressListener) -> None:
        """
        Carry the plan out on some hosts; decisions are in `done`, what operations said in `outcomes`, and how far each
        came in `walks`.

        Raises KeyboardInterrupt when it is thrown in, after it has ended what hosts were at.
        """
        self.watch.narration = ProgressCallbacks(self.state, listener, self.mask)
        self.state.add_callback_handler(self.watch.narration)
        self.state.set_stage(StateStage.Execute)
        self.state.is_executing = True
        try:
            self._crowd.each(self._walker.lead, [self.host(name) for name in names])
        finally:
            self._crowd.end(RunAborted)
            self.state.callback_handlers.remove(self.watch.narration)

    def hang_up(self, name: str) -> None:
        """End the connection to a host that is not needed any more."""
        disconnect(self.host(name))

    def close(self) -> None:
        """End every connection."""
        for host in self.chosen:
            disconnect(host)
