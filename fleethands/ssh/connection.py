"""Keeps the connection to a host alive, checks it, and closes it together with those of its jump hosts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any, TypeGuard

from paramiko import Channel, Transport

from fleethands.ssh.sessions import Sessions
from fleethands.ssh.timeouts import LOST

KEEPALIVE = 15  # seconds


def ssh_address(host: Any) -> str:
    """The name or address that SSH connects to."""
    return str(host.data.get("ssh_hostname") or host.name)


def transports(host: Any) -> Iterator[Transport]:
    """The transport to the host, and those of its jump hosts."""
    return transports_of(host.connector)


def transports_of(connector: Any) -> Iterator[Transport]:
    """The transport of one connector, and those to its jump hosts."""
    client = getattr(connector, "client", None)
    transport = client.get_transport() if client else None
    while transport is not None:
        yield transport
        transport = transport.sock.get_transport() if isinstance(transport.sock, Channel) else None


def is_connected(host: Any) -> bool:
    """Whether a host is still connected. A host without SSH always is."""
    if getattr(host.connector, "client", None) is None:
        return bool(host.connected)
    found = list(transports(host))
    return bool(found) and all(transport.is_active() for transport in found)


def disconnect(host: Any) -> None:
    """Close the connection to a host, and those to its jump hosts."""
    close(host.connector)
    if getattr(host.connector, "client", None) is not None:
        host.connected = False


def close(connector: Any) -> None:
    """Close the connection of one connector, and those to its jump hosts."""
    for transport in list(transports_of(connector)):
        transport.close()
    if (client := getattr(connector, "client", None)) is not None:
        client.close()


def prepare_session(host: Any) -> None:
    """Keep a session open behind each command: the next command or the lock of the host needs one."""
    if (transport := next(transports(host), None)) is not None:
        sessions: Sessions | None = getattr(transport, "sessions", None)
        if sessions is not None:
            sessions.prepare()


def forget_connection(host: Any) -> None:
    """Drop a closed connection with its keys and buffers, and what observed it."""
    if getattr(host.connector, "client", None) is not None:
        host.connector.client = None
    vars(host.connector).pop("run_shell_command", None)


def is_of_network(sock: socket.socket | Channel) -> TypeGuard[socket.socket]:
    """Whether a connection is a network socket of this machine, and not a channel through another host."""
    return isinstance(sock, socket.socket) and sock.family in {socket.AF_INET, socket.AF_INET6}


def send_at_once(sock: Any) -> None:
    """Wait for no reply before a small packet is sent. A login has several, and paramiko leaves Nagle on."""
    if is_of_network(sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def enable_keepalive(host: Any) -> None:
    """Detect lost connections soon."""
    for transport in transports(host):
        transport.set_keepalive(KEEPALIVE)
        if is_of_network(transport.sock) and hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
            # otherwise the kernel retries for a quarter of an hour
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST * 1000)
