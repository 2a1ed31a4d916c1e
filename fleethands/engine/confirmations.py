"""Confirms changes that hosts would revert by themselves, each over an SSH connection that is newer than the change."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput

from fleethands.operations.core.confirmation_key import key_of
from fleethands.operations.firewall.revert import Unconfirmed
from fleethands.script import SHELL
from fleethands.ssh.connection import close
from fleethands.text.sanitize import sanitize_line

CONFIRMED, LATE = "confirmed", "late"  # replies of confirm_change.sh
TASK = "Firewall"  # whose changes are confirmed
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

    def notes(self, name: str, operation: str) -> list[str]:
        """
        Why the change of a host's firewall was not confirmed, for the report.

        + operation: at which the run of that host ended without success
        """
        why = self.failures.get(name) if operation.startswith(f"{TASK} | ") else None
        return [f"the firewall was not confirmed, because a new SSH connection failed: {why}"] if why else []

    def on_line(self, name: str, line: str) -> None:
        """Receive a line that a host has just printed. Confirm the change that it names, if it has the host's key."""
        change, host = Unconfirmed.parse(line), self._hosts.get(name)
        if change is None or host is None or change.key != key_of(name):
            return
        earlier = self._attempts.setdefault(name, [])
        if len(earlier) >= MOST:
            return
        if earlier:  # its connection may be older than this change
            earlier[-1].kill(block=False)
        earlier.append(gevent.spawn(self._confirm, host, change))

    def _confirm(self, host: Any, change: Unconfirmed) -> None:
        deadline = time.monotonic() + change.delay
        while (left := deadline - time.monotonic()) > 0:
            try:
                with gevent.Timeout(left, TimeoutError("no answer in time")):
                    printed = self._send(host, change)
            except Exception as error:  # whatever a server makes paramiko raise
                self.failures[host.name] = sanitize_line(str(error)) or type(error).__name__
            else:
                if CONFIRMED in printed.stdout_lines:
                    self.failures.pop(host.name, None)
                    return
                if LATE in printed.stdout_lines:
                    self.failures[host.name] = "it came too late"
                    return
                self.failures[host.name] = f"the host replied: {sanitize_line(printed.output)}"
            gevent.sleep(PAUSE)

    def _send(self, host: Any, change: Unconfirmed) -> CommandOutput:
        """What the host prints over a new connection. Its login may print lines of its own."""
        connector = type(host.connector)(host.connector.state, host)
        try:
            connector.connect()
            self._count(host.name)
            return connector.run_shell_command(StringCommand(SHELL), _stdin=change.confirmation.text)[1]
        finally:
            with suppress(Exception):  # it is half made, or lost
                close(connector)
