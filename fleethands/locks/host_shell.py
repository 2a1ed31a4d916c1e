"""A shell on a host for the lock of a run, on the connection that the run's commands use."""

from __future__ import annotations

import subprocess
from typing import Any, Protocol

import paramiko

from fleethands.errors import FleethandsError
from fleethands.facts import ssh_command
from fleethands.script import LOGIN_SHELL, SHELL
from fleethands.ssh.diagnosis import explain_lost_connection
from fleethands.ssh.remote_command import begin_command
from fleethands.ssh.transport import LimitedTransport
from fleethands.streams import BLOCK, require_reply
from fleethands.text.sanitize import sanitize_line

REPLY_TIMEOUT = 20.0  # seconds; the host itself tries for one second
MAX_REPLY = 64 << 10  # bytes of one reply, and of the error output


class LockSessionError(FleethandsError):
    """A host did not answer a lock request as expected; the hints say what to do."""


class HostShell(Protocol):
    """A process on a host: its input, output and error output as bytes."""

    def write(self, data: bytes) -> None: ...
    def read(self) -> bytes: ...
    def read_errors(self) -> bytes: ...
    def close(self) -> None: ...


def open_shell(host: Any) -> HostShell:
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None:
        return _SshShell(*_open_channel(host, transport))
    if host.connector_cls.__name__ == "LocalConnector":
        return _LocalShell()
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


class _SshShell:
    """+ client: the connection that is there for this session alone."""

    def __init__(self, channel: paramiko.Channel, client: paramiko.SSHClient | None) -> None:
        self._channel = channel
        self._client = client

    def write(self, data: bytes) -> None:
        self._channel.sendall(data)

    def read(self) -> bytes:
        block = self._channel.recv(BLOCK)
        if not block:
            require_reply(self._channel)
        return block

    def read_errors(self) -> bytes:
        return self._channel.recv_stderr(MAX_REPLY)

    def close(self) -> None:
        self._channel.close()
        if self._client is not None:
            self._client.close()


class _LocalShell:
    def __init__(self) -> None:
        pipe = subprocess.PIPE
        # Ctrl-C does not reach it: the lock ends when its input ends
        self._process = subprocess.Popen(
            ["sh", "-c", SHELL], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )

    def write(self, data: bytes) -> None:
        if self._process.stdin:
            self._process.stdin.write(data)

    def read(self) -> bytes:
        return self._process.stdout.read(BLOCK) if self._process.stdout else b""

    def read_errors(self) -> bytes:
        return self._process.stderr.read(MAX_REPLY) if self._process.stderr else b""

    def close(self) -> None:
        for end in (self._process.stdin, self._process.stdout, self._process.stderr):
            if end:
                end.close()
        self._process.wait(REPLY_TIMEOUT)
