"""Forwards ports of this machine's loopback to ports of a host, over one SSH connection that reconnects."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.server import StreamServer  # type: ignore[import-untyped]

from fleethands.settings.generations import SANDBOXES
from fleethands.ssh.ssh_link import SshLink
from fleethands.text.sanitize import sanitize_line

CHUNK = 65536
CANVAS_KEY_VALUE = re.compile(r"[0-9a-f]{64}")  # as openhands.sh makes it
MOST_PORTS = 64  # of sandboxes at a time
PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
# prints a line with the ports that V1's sandboxes publish, at each change, until its standard input ends
# (docker_sandbox_service.py, openhands-ai 1.11.0)
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


class Forward:
    """
    Forwards one port of this machine's loopback to a port of the host.

    + local: 0 for any free port

    Raises OSError if the port is in use.
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
    """Copy until one side has sent everything. The other side may still answer."""
    with suppress(OSError, EOFError):
        while chunk := receive(CHUNK):
            send(chunk)
    with suppress(OSError, EOFError):
        end()


def start_forward(link: SshLink, address: str, port: int, local: int | None = None) -> Forward:
    """
    Start a forward.

    + local: the local port; None for the same port if it is free, otherwise any
    """
    if local is not None:
        return Forward(link, address, port, local)
    try:
        return Forward(link, address, port, port)
    except OSError:
        return Forward(link, address, port, 0)


def forward_sandbox_ports(link: SshLink, say: Callable[[str], None]) -> None:
    """Forward the ports of V1's sandboxes under the same numbers, while they exist. Does not return."""
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
                    warn(f"port {port} of a sandbox is in use on this machine: {error.strerror}")
        gevent.sleep(1)  # its Docker is restarted, or the link was lost


def sandbox_ports(line: str, warn: Callable[[str], None]) -> set[int]:
    """The ports that a host names, of those that sandboxes may have: no other is opened on this machine."""
    first, last = map(int, SANDBOXES.published.split("-"))
    words = line.split()
    found = sorted({int(word) for word in words if PORT.fullmatch(word) and first <= int(word) <= last})
    if odd := next((word for word in words if not PORT.fullmatch(word) or int(word) not in found), None):
        warn(f"ignored port {sanitize_line(odd, 20)} of a sandbox: sandboxes use ports {first} to {last}")
    if len(found) > MOST_PORTS:
        warn(f"the host reports {len(found)} ports of sandboxes: only {MOST_PORTS} are forwarded")
    return set(found[:MOST_PORTS])


__all__ = ["Forward", "forward_sandbox_ports", "sandbox_ports", "start_forward"]
