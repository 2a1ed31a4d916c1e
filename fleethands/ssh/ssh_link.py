"""The SSH connection of a tunnel, which reconnects when it is lost."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
import paramiko
from gevent.event import Event  # type: ignore[import-untyped]
from pyinfra.api.exceptions import ConnectError

from fleethands.script import LOGIN_SHELL, Script
from fleethands.ssh.connection import is_of_network
from fleethands.ssh.timeouts import CONNECTED, HostTimeout
from fleethands.streams import BLOCK, Lines

SILENCE = 30_000  # milliseconds without an acknowledgement, after which the connection is lost
LOOK_EVERY = 0.5  # seconds
PATIENCE = 30  # seconds that a new channel waits for the connection
LONGEST_PAUSE = 15  # seconds between two attempts
MOST_SAID = 1 << 20  # bytes of one script
LONGEST_LINE = 8 << 10


class SshLink:
    """
    The SSH connection to a host, which reconnects by itself.

    + say: prints a line when the connection is lost and when it is restored
    """

    def __init__(self, host: Any, say: Callable[[str], None]) -> None:
        self._host, self._say, self._up = host, say, Event()
        self._use_transport()
        self._keeper = gevent.spawn(self._keep)

    def channel(self, address: str, port: int) -> paramiko.Channel:
        """A connection from the host to one of its own addresses. Raises OSError if it can't be opened."""
        if not self._up.wait(PATIENCE):
            raise ConnectionError(f"the SSH connection to {self._host.name} is lost")
        try:
            return self._transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=PATIENCE)
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectionError(str(error)) from error

    def lines(self, script: str, follows: bool = False) -> Iterable[str]:
        """
        The output of a script on the host as root, line by line. It ends with the script, the connection or a limit.

        + follows: the script runs until its standard input ends
        """
        self._up.wait()
        with suppress(paramiko.SSHException, OSError, EOFError):
            with gevent.Timeout(PATIENCE, TimeoutError):
                channel = self._begun(Script(script, talks=follows))
            with channel, gevent.Timeout(None if follows else PATIENCE, TimeoutError):
                said = Lines(MOST_SAID, longest=LONGEST_LINE)
                while block := channel.recv(BLOCK):
                    yield from said.feed(block)
                yield from said.rest()

    def _begun(self, script: Script) -> paramiko.Channel:
        channel = self._transport.open_session(timeout=PATIENCE)
        channel.exec_command(LOGIN_SHELL)
        channel.sendall(script.text.encode())
        if not script.talks:
            channel.shutdown_write()
        return channel

    def close(self) -> None:
        self._keeper.kill()
        self._transport.close()

    def _use_transport(self) -> None:
        self._transport = self._host.connector.client.get_transport()
        if is_of_network(self._transport.sock):
            self._transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE)
        self._up.set()

    def _keep(self) -> None:
        while True:
            while self._transport.is_active():  # paramiko has no event, and join() hangs under gevent
                gevent.sleep(LOOK_EVERY)
            self._up.clear()
            self._say(f"the SSH connection to {self._host.name} is lost, reconnecting")
            pause = 1
            while not self._reconnect():
                gevent.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            self._use_transport()
            self._say(f"reconnected to {self._host.name}")

    def _reconnect(self) -> bool:
        self._host.connected = False
        with suppress(ConnectError, HostTimeout), gevent.Timeout(CONNECTED, HostTimeout()):
            self._host.connect(show_errors=False, raise_exceptions=True)
        return bool(self._host.connected)
