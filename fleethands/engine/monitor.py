"""What is seen while an engine works: commands counted where they are sent, unreachable hosts, steps and progress."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api import State
from pyinfra.api.output import set_echo
from pyinfra.api.state import BaseStateCallback

from fleethands.command_line import CommandLine
from fleethands.facts import ssh_command
from fleethands.operations.core import journal
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.ssh.connection import disconnect, enable_keepalive, is_connected
from fleethands.ssh.diagnosis import Why, explain_flood, explain_lost_connection, explain_silence, explain_timeout
from fleethands.ssh.timeouts import CommandStalled, Limits, OutputTimeout, format_duration
from fleethands.ssh.unreachable import why_unreachable
from fleethands.streams import TooMuchOutput

PULL = re.compile(r"(?P<what>model \S+) (?P<done>\d{1,15})/(?P<total>\d{1,15}) bytes")  # operations/models/pull.sh
LONGEST = 500  # characters of a line that is shown while a host works


class ConnectionMonitor(BaseStateCallback):
    """
    Counts commands where they are sent, ends those that fall silent, and remembers why a host could not be reached or
    did not answer.

    + command_line: what was typed, for hints
    """

    def __init__(self, command_line: CommandLine, limits: Limits) -> None:
        self.command_line, self.limits = command_line, limits
        self.commands: dict[str, int] = {}
        self.unreachable: dict[str, Why] = {}
        self.unanswered: dict[str, Why] = {}  # asked what it is, it refused to say
        self.lost: dict[str, Why] = {}  # while something was done there
        self.narration: ProgressCallbacks | None = None
        self._awaited: dict[str, list[OutputTimeout]] = {}
        set_echo(self.heard)

    def host_connect(self, _state: State, host: Any) -> None:
        enable_keepalive(host)
        send = host.connector.run_shell_command

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.commands[host.name] = self.commands.get(host.name, 0) + 1
            with self._listening(host.name):
                try:
                    with gevent.Timeout(kwargs.get("_timeout"), TimeoutError):  # pyinfra's own is for its output alone
                        done, said = send(*args, **{**kwargs, "print_output": True})
                except (OSError, SSHException, EOFError) as error:
                    self.lost[host.name] = self._why(host, error, kwargs.get("_timeout"))
                    if isinstance(error, TooMuchOutput):
                        disconnect(host)
                    raise SSHException(str(error)) from error
            if not done:
                self._note(host, said.stderr_lines)
            return done, said

        host.connector.run_shell_command = counted

    def host_connect_error(self, _state: State, host: Any, error: Exception) -> None:
        self.unreachable[host.name] = why_unreachable(self.command_line, host, error)
        disconnect(host)

    def heard(self, message: Any = None, **said: Any) -> None:
        """A line that a script on a host has just said, behind pyinfra's prefix for the host."""
        name = str(message).partition("] ")[0].strip().removeprefix("[")
        for patience in self._awaited.get(name, ()):
            patience.reset()
        if self.narration:
            self.narration.heard(message, **said)

    @contextmanager
    def _listening(self, name: str) -> Iterator[None]:
        awaited = self._awaited.setdefault(name, [])
        with OutputTimeout(self.limits.silence) as patience:
            awaited.append(patience)
            try:
                yield
            finally:
                awaited.remove(patience)

    def _note(self, host: Any, errors: list[str]) -> None:
        if not is_connected(host):
            self.lost[host.name] = explain_lost_connection(
                ssh_command(host, "-v"), self.command_line.resume_hints(host.name)
            )
        said = [line.removeprefix("error: ") for line in errors if line.startswith("error: ")]
        if said and not host.state.is_executing:
            hints = [line.removeprefix("hint: ") for line in errors if line.startswith("hint: ")]
            self.unanswered[host.name] = said[0], hints

    def _why(self, host: Any, error: Exception, timeout: float | None) -> Why:
        if isinstance(error, CommandStalled):
            return explain_silence(ssh_command(host), format_duration(self.limits.silence))
        if isinstance(error, TooMuchOutput):
            return explain_flood(ssh_command(host), str(error))
        if isinstance(error, TimeoutError) and timeout:
            return explain_timeout(ssh_command(host), format_duration(timeout))
        return explain_lost_connection(ssh_command(host, "-v"), self.command_line.resume_hints(host.name))


class ProgressListener(Protocol):
    """Who is told what happens while it happens."""

    def phase(self, text: str) -> None:
        """A part of the run begins, as `canary: lab-1`; or what else there is to say of the whole run."""

    def step(self, host: str, name: str) -> None:
        """An operation that changes a host begins."""

    def pull(self, host: str, what: str, done: int, total: int) -> None:
        """So many bytes of a model have come to a host; total 0: not known yet."""

    def remark(self, host: str, text: str) -> None:
        """A line that a host says of what it does."""

    def done(self, host: str, ok: bool) -> None:
        """A host's last operation has ended, or one has failed."""


class ProgressCallbacks(BaseStateCallback):
    """Tells a listener each operation that changes a host, and its progress."""

    def __init__(self, state: State, listener: ProgressListener, mask: Mask = NO_MASK) -> None:
        self.state, self.listener, self.mask = state, listener, mask
        self._left: dict[str, set[str]] = {}

    def operation_host_start(self, _state: State, host: Any, op_hash: str) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        if name in journal.operations_with_changes(host):
            self.listener.step(host.name, name)

    def operation_host_success(self, _state: State, host: Any, op_hash: str, _retries: int = 0) -> None:
        (name,) = self.state.get_op_meta(op_hash).names
        left = self._left.setdefault(host.name, journal.operations_with_changes(host))
        if name in left:
            left.remove(name)
            if not left:
                self.listener.done(host.name, ok=True)

    def operation_host_error(self, _state: State, host: Any, *_: Any) -> None:
        self.listener.done(host.name, ok=False)

    def heard(self, message: Any = None, **_: Any) -> None:
        """A line that a script on a host has just said, behind pyinfra's prefix for the host."""
        prefix, mark, text = self.mask.text(str(message))[:LONGEST].partition("progress: ")
        host = prefix.strip()[1:-1]
        if bytes_of := PULL.fullmatch(text):
            self.listener.pull(host, bytes_of["what"], int(bytes_of["done"]), int(bytes_of["total"]))
        elif mark:
            self.listener.remark(host, text)
