"""The connections to a fleet's hosts, and what is observed over them."""

from __future__ import annotations

from typing import Any

import gevent  # type: ignore[import-untyped]
from pyinfra.api import State
from pyinfra.api.state import BaseStateCallback

from fleethands.command_line import CHANGING
from fleethands.engine.connection_monitor import ConnectionMonitor
from fleethands.engine.observed_connector import ObservedConnector
from fleethands.operations.core import lock_token
from fleethands.report.timeline import Timeline
from fleethands.ssh.connection import disconnect, enable_keepalive, is_connected, prepare_session
from fleethands.ssh.timeouts import CONNECTED, HostTimeout
from fleethands.text.format import format_duration


class Connections(BaseStateCallback):
    """
    Opens connections, and moves them between engines.

    An engine and all engines made from it (`Engine.for_hosts`) share one Connections. So a host is connected once in a
    run, and its commands are counted together.
    """

    def __init__(self, monitor: ConnectionMonitor) -> None:
        self.monitor, self.timeline = monitor, Timeline()

    def observe(self, state: State) -> None:
        """Receive the callbacks of a pyinfra state."""
        state.add_callback_handler(self)
        state.add_callback_handler(self.timeline)

    def host_connect(self, _state: State, host: Any) -> None:
        enable_keepalive(host)
        if self.monitor.command_line.command in CHANGING:
            prepare_session(host)
        ObservedConnector.attach(host, self.monitor, self.timeline)
        self.monitor.confirmations.watch(host)

    def host_connect_error(self, _state: State, host: Any, error: Exception) -> None:
        self.monitor.note_unreachable(host, error)
        disconnect(host)

    def open(self, state: State, host: Any) -> None:
        """Connect one host. A host that cannot be reached is in `monitor.unreachable`."""
        try:
            with gevent.Timeout(CONNECTED, HostTimeout(f"not reached within {format_duration(CONNECTED)}")):
                host.connect(show_errors=False)
        except (Exception, HostTimeout) as error:  # a key, an ssh_config: whatever is wrong concerns this host alone
            state.trigger_callbacks("host_connect_error", host, error)
        if host.connected:
            state.activate_host(host)

    def hand_over(self, before: Any, state: State, host: Any) -> bool:
        """
        Move a connection, and the lock token with it, from the same host of another state.

        Returns False where the connection is lost: then `open` must make a new one.
        """
        self.monitor.forget_problems(host.name)
        lock_token.set_token(host, lock_token.token(before))
        if not is_connected(before):
            return False
        self.hand_back(before, host)
        host.connected = True
        state.trigger_callbacks("host_connect", host)
        state.activate_host(host)
        return True

    def hand_back(self, host: Any, before: Any) -> None:
        """Give the SSH client of one host to the same host of another state."""
        if client := getattr(host.connector, "client", None):
            before.connector.client = client
