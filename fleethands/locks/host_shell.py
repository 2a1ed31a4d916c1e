"""A shell on a host for the lock of a run, on the connection that the run's commands use."""

from __future__ import annotations

from typing import Any

import paramiko

from fleethands.errors import FleethandsError
from fleethands.facts import ssh_command
from fleethands.host_process import HostProcess, LocalProcess, SshProcess
from fleethands.script import LOGIN_SHELL
from fleethands.ssh.diagnosis import explain_lost_connection
from fleethands.ssh.remote_command import begin_command
from fleethands.ssh.transport import LimitedTransport
from fleethands.text.sanitize import sanitize_line

REPLY_TIMEOUT = 20.0  # seconds; the host itself tries for one second
MAX_REPLY = 64 << 10  # bytes of one reply, and of the error output


class LockSessionError(FleethandsError):
    """A host did not answer a lock request as expected; the hints say what to do."""


def open_shell(host: Any) -> HostProcess:
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None:
        return SshProcess(*_open_channel(host, transport))
    if host.connector_cls.__name__ == "LocalConnector":
        return LocalProcess()
    if client is not None:
        raise connection_lost(host, "the connection was closed")
    raise LockSessionError(f"{host.connector_cls.__name__} cannot keep a lock", "reach it by SSH, or as @local")


def _open_channel(host: Any, transport: LimitedTransport) -> tuple[paramiko.Channel, paramiko.SSHClient | None]:
    """A shell next to a run's commands. It has its own connection if sshd allows one session each (MaxSessions 1)."""
    try:
        channel, client = transport.sessions.open_two(REPLY_TIMEOUT), None
    except paramiko.ChannelException:
        connector = type(host.connector)(host.connector.state, host)
        connector.connect()
        client = connector.client
        channel = client.get_transport().open_session(timeout=REPLY_TIMEOUT)
    begin_command(channel, LOGIN_SHELL)
    return channel, client


def connection_lost(host: Any, error: str) -> LockSessionError:
    if getattr(host.connector, "client", None) is None:
        return LockSessionError(f"cannot start the lock process: {error}")
    reason, hints = explain_lost_connection(ssh_command(host, "-v"))
    return LockSessionError(f"{reason}: {sanitize_line(error) or 'the connection was closed'}", *hints)
