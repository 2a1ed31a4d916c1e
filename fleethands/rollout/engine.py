"""The one module that touches pyinfra's semi-private names (pyinfra 3.10; tests/unit/test_engine.py says which)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyinfra
import pyinfra_cli.util  # its import patches the standard library for gevent
from pyinfra.api import Config, State
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, StateStage
from pyinfra.context import ctx_config, ctx_inventory, ctx_state
from pyinfra_cli.inventory import make_inventory

from fleethands.operations import journal
from fleethands.settings import HostSettings, read_fleet

CONNECT_TIMEOUT = 10  # seconds
KEEPALIVE = 15  # seconds


class NoHosts(LookupError):
    """A target or a pattern names no host."""


class _Watch(BaseStateCallback):
    """Counts commands where they are sent, and remembers why a host could not be reached."""

    def __init__(self) -> None:
        self.commands: dict[str, int] = {}
        self.unreachable: dict[str, str] = {}

    def host_connect(self, _state: State, host: Any) -> None:
        self._quicken(host)
        send = host.connector.run_shell_command

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.commands[host.name] = self.commands.get(host.name, 0) + 1
            return send(*args, **kwargs)

        host.connector.run_shell_command = counted

    def host_connect_error(self, _state: State, host: Any, error: Exception) -> None:
        self.unreachable[host.name] = str(error)

    def _quicken(self, host: Any) -> None:
        client = getattr(host.connector, "client", None)
        transport = client.get_transport() if client else None
        if transport is not None:
            transport.set_keepalive(KEEPALIVE)
            if isinstance(transport.sock, socket.socket):  # not so behind a jump host
                transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paramiko leaves Nagle on


class Engine:
    """
    One fleet, connected once.

    + target: an inventory file, host names, or whatever else pyinfra takes
    + project: directory of deploy.py
    + data: host data on top of the inventory's
    """

    def __init__(
        self, target: str, project: Path, data: Mapping[str, Any], hosts: str = "*", exclude: str = ""
    ) -> None:
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        pyinfra.is_cli = True  # operations are told apart by where they stand, not by their number
        self.project = project
        self.state = State(check_for_changes=True)
        self.state.cwd = str(project)
        self.watch = _Watch()
        ctx_state.set(self.state)
        self.inventory = make_inventory(target, override_data=dict(data), cwd=str(project))
        self.chosen = [host for host in self.inventory if fnmatch(host.name, hosts) and not fnmatch(host.name, exclude)]
        if not self.chosen:
            raise NoHosts(f"`{target}` names no host" + (f" that matches `{hosts}`" if hosts != "*" else ""))
        config = Config(CONNECT_TIMEOUT=CONNECT_TIMEOUT)
        ctx_inventory.set(self.inventory)
        ctx_config.set(config)
        self.state.init(self.inventory, config, initial_limit=self.chosen)
        self.state.add_callback_handler(self.watch)

    @property
    def names(self) -> list[str]:
        """The chosen hosts, sorted."""
        return sorted(host.name for host in self.chosen)

    def settings(self) -> dict[str, HostSettings]:
        """Settings of every chosen host. Raises SettingsError with every mistake; nothing is connected yet."""
        return read_fleet({host.name: host.data.dict() for host in self.chosen})

    def connect(self) -> None:
        """Reach every host that can be reached; `watch.unreachable` has the others with the reason."""
        self.state.set_stage(StateStage.Connect)
        try:
            connect_all(self.state)
        except PyinfraError:
            return  # none could be reached

    def plan(self) -> None:
        """Walk deploy.py on every host; decisions are in `planned`."""
        self.state.set_stage(StateStage.Prepare)
        pyinfra_cli.util.load_deploy_file(self.state, str(self.project / "deploy.py"))

    def apply(self) -> None:
        """Carry the plan out; decisions are in `done`, and `failed` names what broke."""
        self.state.set_stage(StateStage.Execute)
        try:
            run_ops(self.state)
        except PyinfraError:
            return  # no host is left

    def planned(self, name: str) -> list[journal.Entry]:
        """What operations decided on a host while the plan was made."""
        return journal.of(self.inventory.get_host(name), executing=False)

    def done(self, name: str) -> list[journal.Entry]:
        """What operations decided on a host while they ran."""
        return journal.of(self.inventory.get_host(name), executing=True)

    def failed(self, name: str) -> tuple[str, list[str]] | None:
        """The operation that broke on a host and the last lines it said; None where none did."""
        host = self.inventory.get_host(name)
        for op_hash, data in self.state.ops[host].items():
            meta = data.operation_meta
            if meta.is_complete() and meta.did_error():
                (operation,) = self.state.get_op_meta(op_hash).names
                return operation, list(meta.stderr_lines)
        return None

    def close(self) -> None:
        """End every connection."""
        for host in self.chosen:
            client = getattr(host.connector, "client", None)
            if client is not None:
                client.close()
