"""Confirms changes that hosts would revert by themselves, each over an SSH connection that is newer than the change."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError

from fleethands.operations.firewall.revert import Unconfirmed
from fleethands.script import SHELL
from fleethands.ssh.connection import disconnect
from fleethands.text.sanitize import sanitize_line

CONFIRMED, LATE = "confirmed", "late"  # replies of confirm_change.sh
PAUSE = 1.0  # seconds between two attempts
MOST = 20  # confirmations for one host in a run; a run changes a firewall three times at most, and a rollback too


class Confirmations:
    """
    The confirmations of one run.

    + count: called with the name of a host for each remote command

    `failures`: host → why its last change was not confirmed.
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self.failures: dict[str, str] = {}
        self._count = count
        self._hosts: dict[str, Any] = {}
        self._attempts: dict[str, list[Any]] = {}

    def watch(self, host: Any) -> None:
        """Make the confirmations of a host with its own SSH settings. + host: pyinfra's, connected"""
        self._hosts[host.name] = host

    def on_line(self, name: str, line: str) -> None:
        """Receive a line that a script has just printed on a host, and confirm the change that it names, if any."""
        change, host = Unconfirmed.parse(line), self._hosts.get(name)
        earlier = self._attempts.setdefault(name, [])
        if change is None or host is None or not host.state.is_executing or len(earlier) >= MOST:
            return
        if earlier:  # its connection may be older than this change
            earlier[-1].kill(block=False)
        earlier.append(gevent.spawn(self._confirm, host, change))

    def _confirm(self, host: Any, change: Unconfirmed) -> None:
        deadline = time.monotonic() + change.delay
        while (left := deadline - time.monotonic()) > 0:
            try:
                with gevent.Timeout(left, TimeoutError("no answer in time")):
                    reply = self._send(host, change)
            except (PyinfraError, SSHException, OSError, EOFError) as error:
                self.failures[host.name] = sanitize_line(str(error)) or type(error).__name__
                gevent.sleep(PAUSE)
                continue
            self.failures.pop(host.name, None)
            if reply != CONFIRMED:
                self.failures[host.name] = "it came too late" if reply == LATE else f"the host replied: {reply}"
            return

    def _send(self, host: Any, change: Unconfirmed) -> str:
        """The reply of the host over a new connection."""
        connector = type(host.connector)(host.connector.state, host)
        try:
            connector.connect()
            self._count(host.name)
            _, output = connector.run_shell_command(StringCommand(SHELL), _stdin=change.confirmation.text)
            return sanitize_line(" ".join(output.output_lines))
        finally:
            with suppress(Exception):  # it is half made, or lost
                disconnect(SimpleNamespace(connector=connector))
