"""What an engine observes of its hosts: remote commands, connections that are lost, output and its silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fleethands.command_line import CommandLine
from fleethands.engine.confirmations import Confirmations
from fleethands.engine.progress import ProgressCallbacks
from fleethands.facts import ssh_command
from fleethands.ssh.connection import is_connected
from fleethands.ssh.diagnosis import Why, explain_flood, explain_lost_connection, explain_silence, explain_timeout
from fleethands.ssh.timeouts import CommandStalled, Limits, OutputTimeout
from fleethands.ssh.unreachable import why_unreachable
from fleethands.streams import TooMuchOutput
from fleethands.text.format import format_duration


class ConnectionMonitor:
    """
    Counts remote commands, stops those that print nothing for too long, and keeps the reason why a host failed.

    + command_line: what was typed, for hints

    The problems, each a message and its hints, are by host:

    - `unreachable`: no connection could be made
    - `probe_failures`: the host did not answer a plan's probe
    - `lost_connections`: the connection ended while a command ran
    """

    def __init__(self, command_line: CommandLine, limits: Limits) -> None:
        self.command_line, self.limits = command_line, limits
        self.commands: dict[str, int] = {}
        self.unreachable: dict[str, Why] = {}
        self.probe_failures: dict[str, Why] = {}
        self.lost_connections: dict[str, Why] = {}
        self.progress: ProgressCallbacks | None = None
        self.confirmations = Confirmations(self.count_command)
        self._timeouts: dict[str, list[OutputTimeout]] = {}

    def count_command(self, name: str) -> None:
        """Count one remote command of a host."""
        self.commands[name] = self.commands.get(name, 0) + 1

    def forget_problems(self, name: str) -> None:
        """Another run over the same connections begins on a host."""
        self.lost_connections.pop(name, None)
        self.probe_failures.pop(name, None)
        self.confirmations.failures.pop(name, None)

    def on_lines(self, name: str, _output: str, lines: list[str]) -> None:
        """
        Receive lines that a command has just printed.

        + name: of the host
        """
        for timeout in self._timeouts.get(name, ()):
            timeout.reset()
        if self.progress:  # of a run: a plan changes nothing
            for line in lines:
                self.confirmations.on_line(name, line.strip())
                self.progress.on_line(name, line)

    @contextmanager
    def output_timeout(self, name: str) -> Iterator[None]:
        """Raise CommandStalled where a host's command prints nothing for `limits.silence` seconds."""
        timeouts = self._timeouts.setdefault(name, [])
        with OutputTimeout(self.limits.silence) as timeout:
            timeouts.append(timeout)
            try:
                yield
            finally:
                timeouts.remove(timeout)

    def note_unreachable(self, host: Any, error: Exception) -> None:
        """Keep the reason why no connection to a host could be made."""
        self.unreachable[host.name] = why_unreachable(self.command_line, host, error)

    def note_lost(self, host: Any, error: Exception, timeout: float | None) -> None:
        """
        Keep the reason why a command did not end by itself.

        + timeout: the command's own, in seconds
        """
        self.lost_connections[host.name] = self._explain(host, error, timeout)

    def note_failure(self, host: Any, errors: list[str]) -> None:
        """
        Keep the reason of a command that failed, if the connection or a probe is the cause.

        + errors: lines of its standard error
        """
        if not is_connected(host):
            self.lost_connections[host.name] = explain_lost_connection(
                ssh_command(host, "-v"), self.command_line.resume_hints(host.name)
            )
        messages = [line.removeprefix("error: ") for line in errors if line.startswith("error: ")]
        if messages and not host.state.is_executing:
            hints = [line.removeprefix("hint: ") for line in errors if line.startswith("hint: ")]
            self.probe_failures[host.name] = messages[0], hints

    def _explain(self, host: Any, error: Exception, timeout: float | None) -> Why:
        if isinstance(error, CommandStalled):
            return explain_silence(ssh_command(host), format_duration(self.limits.silence))
        if isinstance(error, TooMuchOutput):
            return explain_flood(ssh_command(host), str(error))
        if isinstance(error, TimeoutError) and timeout:
            return explain_timeout(ssh_command(host), format_duration(timeout))
        return self._explain_loss(host)

    def _explain_loss(self, host: Any) -> Why:
        return explain_lost_connection(ssh_command(host, "-v"), self.command_line.resume_hints(host.name))
