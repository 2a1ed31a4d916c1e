"""What is seen while an engine works: commands counted where they are sent, unreachable hosts, steps and progress."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyinfra.api import State
from pyinfra.api.output import set_echo
from pyinfra.api.state import BaseStateCallback

from fleethands.operations import journal
from fleethands.rollout.reach import diagnosis

KEEPALIVE = 15  # seconds


class Watch(BaseStateCallback):
    """Counts commands where they are sent, and remembers why a host could not be reached."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.commands: dict[str, int] = {}
        self.unreachable: dict[str, tuple[str, list[str]]] = {}

    def host_connect(self, _state: State, host: Any) -> None:
        self._quicken(host)
        send = host.connector.run_shell_command

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.commands[host.name] = self.commands.get(host.name, 0) + 1
            return send(*args, **{**kwargs, "print_output": True})

        host.connector.run_shell_command = counted

    def host_connect_error(self, _state: State, host: Any, error: Exception) -> None:
        address = host.data.get("ssh_hostname") or host.name
        self.unreachable[host.name] = diagnosis(self.words, host.name, address, str(error))

    def _quicken(self, host: Any) -> None:
        client = getattr(host.connector, "client", None)
        transport = client.get_transport() if client else None
        if transport is not None:
            transport.set_keepalive(KEEPALIVE)
            if isinstance(transport.sock, socket.socket):  # not so behind a jump host
                transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paramiko leaves Nagle on


class Narration(BaseStateCallback):
    """Says what happens while it happens, in plain lines: each operation that changes, and its progress."""

    def __init__(self, state: State, say: Callable[[str], None]) -> None:
        self.state, self.say = state, say
        set_echo(self.heard)

    def operation_host_start(self, _state: State, host: Any, op_hash: str) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        if name in journal.changing(host):
            self.say(f"{host.name}: {name}")

    def heard(self, message: Any = None, **_: Any) -> None:
        """A line that a script on a host has just said, behind pyinfra's prefix for the host."""
        prefix, mark, text = str(message).partition("progress: ")
        if mark:
            self.say(f"{prefix.strip().strip('[]')}: {text}")


@dataclass(frozen=True)
class Outcome:
    """What one operation said on one host."""

    operation: str
    failed: bool
    stdout: str
    stderr: str

    @property
    def task(self) -> str:
        """The task that it belongs to."""
        return self.operation.partition(" | ")[0]

    def marked(self, mark: str) -> list[str]:
        """Lines that begin with `MARK: `, without it."""
        both = [*self.stdout.splitlines(), *self.stderr.splitlines()]
        return [line.removeprefix(f"{mark}: ") for line in both if line.startswith(f"{mark}: ")]

    @property
    def log(self) -> list[str]:
        """What else it said where errors go."""
        return [line for line in self.stderr.splitlines() if not line.startswith(("error: ", "hint: "))]
