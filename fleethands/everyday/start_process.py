"""Starts the shell that runs a command on a host."""

from __future__ import annotations

from typing import Any

from fleethands.errors import FleethandsError
from fleethands.host_process import HostProcess, LocalProcess, SshProcess
from fleethands.script import LOGIN_SHELL

OPEN_TIMEOUT = 20.0  # seconds


def start_process(host: Any) -> HostProcess:
    """
    A shell of root on a connected host, which reads a script from its input.

    + host: pyinfra's

    Raises FleethandsError for a connector without processes; OSError, EOFError, SSHException for a lost connection.
    """
    client = getattr(host.connector, "client", None)
    if client is not None:
        return _start_over_ssh(client)
    name = host.connector_cls.__name__
    if name == "LocalConnector":
        return LocalProcess()
    raise FleethandsError(f"{name} cannot run a command whose output is read while it runs", "reach the host by SSH")


def _start_over_ssh(client: Any) -> SshProcess:
    transport = client.get_transport()
    if transport is None:
        raise EOFError("the connection was closed")
    channel = transport.open_session(timeout=OPEN_TIMEOUT)
    channel.exec_command(LOGIN_SHELL)
    return SshProcess(channel)
