"""Ports of one host on this machine's loopback, over one SSH connection that is made again when it is lost."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
import paramiko
from gevent.event import Event  # type: ignore[import-untyped]
from gevent.server import StreamServer  # type: ignore[import-untyped]
from pyinfra.api.exceptions import ConnectError

from fleethands.script import LOGIN_SHELL, Script
from fleethands.settings.generations import SANDBOXES
from fleethands.ssh.connection import is_of_network
from fleethands.ssh.timeouts import CONNECTED, HostTimeout
from fleethands.streams import BLOCK, Lines
from fleethands.text.sanitize import sanitize_line

CHUNK = 65536
SILENCE = 30_000  # milliseconds without a sign of the host, after which the link counts as lost
LOOK_EVERY = 0.5  # seconds
PATIENCE = 30  # seconds that a new connection waits for a link that was lost
LONGEST_PAUSE = 15  # seconds between two attempts
MOST_SAID = 1 << 20  # bytes of one script
LONGEST_LINE = 8 << 10
MOST_PORTS = 64  # of sandboxes at a time
PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
# a line of host ports for each change: what V1's sandboxes publish (docker_sandbox_service.py, openhands-ai 1.11.0);
# until the end of what is said to it, which is that of the connection
FOLLOW = """
ports() {
  docker ps --quiet --filter name=oh-agent-server- | xargs --no-run-if-empty docker inspect --format \
    '{{range .NetworkSettings.Ports}}{{range .}}{{.HostPort}} {{end}}{{end}}' | tr '\\n' ' '
  echo
}
docker events --filter type=container --filter event=start --filter event=die --format changed | {
  ports
  while read -r _; do ports; done
} &
cat >/dev/null
kill 0
"""


class SshLink:
    """
    The SSH connection to a connected host.

    + say: is told in one line when it is lost, and when it is there again
    """

    def __init__(self, host: Any, say: Callable[[str], None]) -> None:
        self._host, self._say, self._up = host, say, Event()
        self._settle()
        self._keeper = gevent.spawn(self._keep)

    def channel(self, address: str, port: int) -> paramiko.Channel:
        """A connection from the host to an address of its own. Raises OSError where there is none to be had."""
        if not self._up.wait(PATIENCE):
            raise ConnectionError(f"the link to {self._host.name} is lost")
        try:
            return self._transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=PATIENCE)
        except (paramiko.SSHException, EOFError) as error:
            raise ConnectionError(str(error)) from error

    def lines(self, script: str, follows: bool = False) -> Iterable[str]:
        """
        What a script says on the host as root, line by line, until it ends, the link is lost or it says too much.

        + follows: it goes on by itself, and ends with its standard input
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

    def _settle(self) -> None:
        self._transport = self._host.connector.client.get_transport()
        if is_of_network(self._transport.sock):
            self._transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE)
        self._up.set()

    def _keep(self) -> None:
        while True:
            while self._transport.is_active():  # paramiko tells nobody; its thread's join never returns under gevent
                gevent.sleep(LOOK_EVERY)
            self._up.clear()
            self._say(f"the link to {self._host.name} is lost, trying again")
            pause = 1
            while not self._again():
                gevent.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            self._settle()
            self._say(f"the link to {self._host.name} is there again")

    def _again(self) -> bool:
        self._host.connected = False
        with suppress(ConnectError, HostTimeout), gevent.Timeout(CONNECTED, HostTimeout()):
            self._host.connect(show_errors=False, raise_exceptions=True)
        return bool(self._host.connected)


class Forward:
    """
    One port of this machine's loopback that leads to a port of the host.

    + local: 0 for one that is free

    Raises OSError where it is taken.
    """

    def __init__(self, link: SshLink, address: str, port: int, local: int) -> None:
        self._link, self._to = link, (address, port)
        self._server = StreamServer(("127.0.0.1", local), self._carry)
        self._server.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def stop(self) -> None:
        """No new connections; those that are open end, too."""
        self._server.stop(timeout=0)

    def _carry(self, client: socket.socket, _: Any) -> None:
        try:
            channel = self._link.channel(*self._to)
        except OSError:
            return  # the client sees its connection end, as it would on the host
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        upward = gevent.spawn(_copy, client.recv, channel.sendall, channel.shutdown_write)
        try:
            _copy(channel.recv, client.sendall, lambda: client.shutdown(socket.SHUT_WR))
            upward.join()
        finally:
            upward.kill()
            channel.close()


def _copy(receive: Callable[[int], bytes], send: Callable[[bytes], object], end: Callable[[], object]) -> None:
    """Until one side has no more to say; then the other is told so, and may still answer."""
    with suppress(OSError, EOFError):
        while chunk := receive(CHUNK):
            send(chunk)
    with suppress(OSError, EOFError):
        end()


def start_forward(link: SshLink, address: str, port: int, local: int | None = None) -> Forward:
    """A forward under the same number where that is free, else under another; `local` is one that was asked for."""
    if local is not None:
        return Forward(link, address, port, local)
    try:
        return Forward(link, address, port, port)
    except OSError:
        return Forward(link, address, port, 0)


def forward_sandbox_ports(link: SshLink, say: Callable[[str], None]) -> None:
    """Forward the ports of V1's sandboxes under their own numbers, as they come and go; does not return."""
    forwards: dict[int, Forward] = {}
    warned: set[str] = set()

    def warn(text: str) -> None:
        if text not in warned and len(warned) < MOST_PORTS:
            warned.add(text)
            say(f"warning: {text}")

    while True:
        for line in link.lines(FOLLOW, follows=True):
            wanted = sandbox_ports(line, warn)
            for port in forwards.keys() - wanted:
                forwards.pop(port).stop()
            for port in wanted - forwards.keys():
                try:
                    forwards[port] = Forward(link, "127.0.0.1", port, port)
                except OSError as error:
                    warn(f"port {port} of a sandbox is taken on this machine: {error.strerror}")
        gevent.sleep(1)  # its Docker is restarted, or the link was lost


def sandbox_ports(line: str, warn: Callable[[str], None]) -> set[int]:
    """The ports that a host names, of those that sandboxes may have: no other is opened on this machine."""
    first, last = map(int, SANDBOXES.published.split("-"))
    words = line.split()
    found = sorted({int(word) for word in words if PORT.fullmatch(word) and first <= int(word) <= last})
    if odd := next((word for word in words if not PORT.fullmatch(word) or int(word) not in found), None):
        warn(f"the host names {sanitize_line(odd, 20)} as a port of a sandbox, which have {first} to {last}: left out")
    if len(found) > MOST_PORTS:
        warn(f"the host names {len(found)} ports of sandboxes: {MOST_PORTS} of them are followed")
    return set(found[:MOST_PORTS])


__all__ = ["Forward", "SshLink", "forward_sandbox_ports", "sandbox_ports", "start_forward"]
