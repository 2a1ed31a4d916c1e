"""A script that runs on a host, over SSH or on this machine: its input and output as bytes, and its exit code."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any, Protocol

import paramiko

from fleethands.errors import FleethandsError
from fleethands.script import LOGIN_SHELL, SHELL
from fleethands.streams import BLOCK

OPEN_TIMEOUT = 20.0  # seconds


class HostProcess(Protocol):
    """
    One process.

    + code: its exit code, None while it runs, and where the connection ended first
    """

    def write(self, data: bytes) -> None: ...
    def read(self) -> bytes: ...
    def read_errors(self) -> bytes: ...
    def end_input(self) -> None: ...
    def wait(self) -> None: ...
    def close(self) -> None: ...
    @property
    def code(self) -> int | None: ...


def start_process(host: Any) -> HostProcess:
    """
    A shell of root on a connected host, which reads a script from its input.

    + host: pyinfra's

    Raises FleethandsError for a connector without processes; OSError, EOFError, SSHException for a lost connection.
    """
    client = getattr(host.connector, "client", None)
    if client is not None:
        return _SshProcess(client)
    name = host.connector_cls.__name__
    if name == "LocalConnector":
        return _LocalProcess()
    raise FleethandsError(f"{name} cannot run a command whose output is read while it runs", "reach the host by SSH")


class _SshProcess:
    def __init__(self, client: paramiko.SSHClient) -> None:
        transport = client.get_transport()
        if transport is None:
            raise EOFError("the connection was closed")
        self._channel = transport.open_session(timeout=OPEN_TIMEOUT)
        self._channel.exec_command(LOGIN_SHELL)

    def write(self, data: bytes) -> None:
        self._channel.sendall(data)

    def read(self) -> bytes:
        return self._channel.recv(BLOCK)

    def read_errors(self) -> bytes:
        return self._channel.recv_stderr(BLOCK)

    def end_input(self) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.shutdown_write()

    def wait(self) -> None:
        self._channel.status_event.wait()

    def close(self) -> None:
        self._channel.close()

    @property
    def code(self) -> int | None:
        return self._channel.exit_status if self._channel.exit_status >= 0 else None


class _LocalProcess:
    def __init__(self) -> None:
        pipe = subprocess.PIPE
        # Ctrl-C does not reach the process: its input ends instead, as on every other host
        self._process = subprocess.Popen(
            ["sh", "-c", SHELL], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )

    def write(self, data: bytes) -> None:
        if self._process.stdin:
            self._process.stdin.write(data)

    def read(self) -> bytes:
        return self._process.stdout.read(BLOCK) if self._process.stdout else b""

    def read_errors(self) -> bytes:
        return self._process.stderr.read(BLOCK) if self._process.stderr else b""

    def end_input(self) -> None:
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self) -> None:
        self._process.wait()

    def close(self) -> None:
        for end in (self._process.stdin, self._process.stdout, self._process.stderr):
            if end:
                with suppress(OSError, RuntimeError):  # another greenlet may still read from it
                    end.close()

    @property
    def code(self) -> int | None:
        return self._process.returncode
