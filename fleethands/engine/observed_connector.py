"""One host's remote commands, counted, timed and limited where pyinfra sends them."""

from __future__ import annotations

from functools import partial
from typing import Any

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException

from fleethands.engine.connection_monitor import ConnectionMonitor
from fleethands.report.timeline import READ, Timeline
from fleethands.ssh.connection import disconnect
from fleethands.streams import TooMuchOutput, listen


class ObservedConnector:
    """
    Takes the place of `run_shell_command` in one host's connector, because pyinfra calls no callback for a command.

    + monitor: counts the command, and notes a lost connection or a failed probe
    + timeline: gets a step for each command of a plan; while operations run, the command belongs to an operation
    """

    def __init__(self, host: Any, monitor: ConnectionMonitor, timeline: Timeline) -> None:
        self._host, self._monitor, self._timeline = host, monitor, timeline
        self._send = host.connector.run_shell_command

    @classmethod
    def attach(cls, host: Any, monitor: ConnectionMonitor, timeline: Timeline) -> None:
        """Send the commands of a connected host through a new ObservedConnector."""
        host.connector.run_shell_command = cls(host, monitor, timeline).run_shell_command

    def run_shell_command(self, *args: Any, **kwargs: Any) -> Any:
        """
        The same as the connector's, with the same parameters and result.

        Raises SSHException where the connection is lost, and where the command exceeds a limit of time or output.
        """
        if self._host.state.is_executing:
            return self._run(*args, **kwargs)
        with self._timeline.step(self._host.name, READ):
            return self._run(*args, **kwargs)

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        timeout = kwargs.get("_timeout")
        self._monitor.count_command(self._host.name)
        try:
            # pyinfra's own timeout covers the output alone
            with (
                self._monitor.output_timeout(self._host.name),
                gevent.Timeout(timeout, TimeoutError),
                listen(partial(self._monitor.on_lines, self._host.name)),
            ):
                succeeded, output = self._send(*args, **kwargs)
        except (OSError, SSHException, EOFError) as error:
            self._monitor.note_lost(self._host, error, timeout)
            if isinstance(error, TooMuchOutput):
                disconnect(self._host)
            raise SSHException(str(error)) from error
        if not succeeded:
            self._monitor.note_failure(self._host, output.stderr_lines)
        return succeeded, output
