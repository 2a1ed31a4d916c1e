"""What is seen while an engine works: commands counted where they are sent, unreachable hosts, steps and progress."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any, Protocol

from pyinfra.api import State
from pyinfra.api.output import set_echo
from pyinfra.api.state import BaseStateCallback

from fleethands.operations import journal
from fleethands.rollout.masking import NOTHING, Mask
from fleethands.rollout.reach import diagnosis

KEEPALIVE = 15  # seconds
PULL = re.compile(r"(?P<what>model \S+) (?P<done>\d+)/(?P<total>\d+) bytes")  # scripts/pull.sh


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


class Listener(Protocol):
    """Who is told what happens while it happens."""

    def phase(self, text: str) -> None:
        """A part of the run begins, as `canary lab-1` or `batch 2 of 4`."""

    def step(self, host: str, name: str) -> None:
        """An operation that changes a host begins."""

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        """So many bytes of a model have come to a host; total 0: not known yet."""

    def remark(self, host: str, text: str) -> None:
        """A line that a host says of what it does."""

    def done(self, host: str, ok: bool) -> None:
        """A host's last operation has ended, or one has failed."""


class Narration(BaseStateCallback):
    """Tells a listener each operation that changes a host, and its progress."""

    def __init__(self, state: State, listener: Listener, mask: Mask = NOTHING) -> None:
        self.state, self.listener, self.mask = state, listener, mask
        self._left: dict[str, set[str]] = {}
        set_echo(self.heard)

    def operation_host_start(self, _state: State, host: Any, op_hash: str) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        if name in journal.changing(host):
            self.listener.step(host.name, name)

    def operation_host_success(self, _state: State, host: Any, op_hash: str, _retries: int = 0) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        left = self._left.setdefault(host.name, journal.changing(host))
        if name in left:
            left.remove(name)
            if not left:
                self.listener.done(host.name, ok=True)

    def operation_host_error(self, _state: State, host: Any, *_: Any) -> None:
        self.listener.done(host.name, ok=False)

    def heard(self, message: Any = None, **_: Any) -> None:
        """A line that a script on a host has just said, behind pyinfra's prefix for the host."""
        prefix, mark, text = self.mask.text(str(message)).partition("progress: ")
        host = prefix.strip().strip("[]")
        if bytes_of := PULL.fullmatch(text):
            self.listener.pull(host, bytes_of["what"], int(bytes_of["done"]), int(bytes_of["total"]))
        elif mark:
            self.listener.remark(host, text)


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
