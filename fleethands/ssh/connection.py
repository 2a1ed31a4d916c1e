"""The connection to a host: kept alive, known to be lost, and really ended, the jump hosts' ones too."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, TypeGuard

from paramiko import Channel, Transport

from fleethands.ssh.timeouts import LOST

KEEPALIVE = 15  # seconds


def ssh_address(host: Any) -> str:
    """What SSH is asked to reach."""
    return str(host.data.get("ssh_hostname") or host.name)


def transports(host: Any) -> Iterator[Transport]:
    """The host's own, and those of the jump hosts that it leads through."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    while transport is not None:
        yield transport
        transport = transport.sock.get_transport() if isinstance(transport.sock, Channel) else None


def is_connected(host: Any) -> bool:
    """Whether there is a way to a host still; those that are not reached by SSH always have one."""
    if getattr(host.connector, "client", None) is None:
        return bool(host.connected)
    found = list(transports(host))
    return bool(found) and all(transport.is_active() for transport in found)


def disconnect(host: Any) -> None:
    """End the connection to a host, jump hosts included."""
    for transport in list(transports(host)):
        transport.close()
    client = getattr(host.connector, "client", None)
    if client is not None:
        client.close()
        host.connected = False


def is_of_network(sock: socket.socket | Channel) -> TypeGuard[socket.socket]:
    """Whether a connection is the kernel's own; what leads through other hosts is not."""
    return isinstance(sock, socket.socket) and sock.family in {socket.AF_INET, socket.AF_INET6}


def enable_keepalive(host: Any) -> None:
    """Have no command wait for an acknowledgement, and notice when there are none any more."""
    for transport in transports(host):
        transport.set_keepalive(KEEPALIVE)
        if is_of_network(transport.sock):
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # paramiko leaves Nagle on
            # without it the kernel tries for a quarter of an hour to reach a host that is gone
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux has it
                transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST * 1000)
