"""A shell of root on a host, over SSH or on this machine: its input and output as bytes, and its exit code."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any, Protocol

import paramiko

from fleethands.script import SHELL
from fleethands.streams import BLOCK, require_reply


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


class SshProcess:
    """
    A command that was requested on a session of an SSH connection.

    + client: the connection, if it is there for this process alone
    """

    def __init__(self, channel: paramiko.Channel, client: Any = None) -> None:
        self._channel, self._client = channel, client

    def write(self, data: bytes) -> None:
        self._channel.sendall(data)

    def read(self) -> bytes:
        block = self._channel.recv(BLOCK)
        if not block:
            require_reply(self._channel)
        return block

    def read_errors(self) -> bytes:
        return self._channel.recv_stderr(BLOCK)

    def end_input(self) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.shutdown_write()

    def wait(self) -> None:
        self._channel.status_event.wait()

    def close(self) -> None:
        self._channel.close()
        if self._client is not None:
            self._client.close()

    @property
    def code(self) -> int | None:
        return self._channel.exit_status if self._channel.exit_status >= 0 else None


class LocalProcess:
    """A shell on this machine. Ctrl-C does not reach it: its input ends instead, as on every other host."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
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
