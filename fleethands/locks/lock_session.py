"""A process on a host that one says single letters to: beside the commands of a run, on the same connection."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any, Protocol

import gevent  # type: ignore[import-untyped]
import paramiko

from fleethands.facts import ssh_command
from fleethands.operations.lock.lock import MARK, LockReply, parse_reply
from fleethands.script import LOGIN_SHELL, SHELL
from fleethands.ssh.diagnosis import explain_flood, explain_lost_connection
from fleethands.streams import BLOCK, Lines, TooMuchOutput
from fleethands.text.sanitize import sanitize_line

REPLY_TIMEOUT = 20.0  # seconds in which a host answers, its own second of trying included
MAX_REPLY = 64 << 10  # bytes of one answer, and of what is said where errors go


class LockSessionError(Exception):
    """A host that did not answer as it should; `hints` say what to do."""

    def __init__(self, reason: str, *hints: str) -> None:
        super().__init__(reason)
        self.hints = hints


class Pipe(Protocol):
    """The two ends of such a process, as bytes."""

    def write(self, data: bytes) -> None: ...
    def read(self) -> bytes: ...
    def last_words(self) -> bytes: ...
    def close(self) -> None: ...


class LockSession:
    """
    The process of operations/lock/lock_hold.sh on one host.

    + open: starts a shell there and gives its ends
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._pipe: Pipe | None = None

    def begin(self, script: str) -> None:
        """Send the script and hear that it runs. Raises LockSessionError."""
        try:
            with gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
                self._pipe = _open_shell(self._host)
        except paramiko.ChannelException as error:
            reason = f"no second session on its connection for the lock: {sanitize_line(str(error))}"
            raise LockSessionError(reason, "2 are needed; on the host: sshd -T | grep maxsessions") from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise _connection_lost(self._host, _describe(error)) from None
        self._said(script.encode())

    def ask(self, letter: str) -> LockReply:
        """Say a letter, hear the answer. Raises LockSessionError."""
        return self._said(letter.encode())

    def sign(self) -> None:
        """Say that the run is there."""
        self._write(b".")

    def close(self) -> None:
        """Give the lock back, and end."""
        if self._pipe is None:
            return
        with suppress(LockSessionError):  # then it ends by itself
            self._said(b"r")
        self._pipe.close()
        self._pipe = None

    def _write(self, data: bytes) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException), gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
            if self._pipe is not None:
                self._pipe.write(data)  # whoever reads next notices what went wrong

    def _said(self, data: bytes) -> LockReply:
        if self._pipe is None:
            raise LockSessionError("it has no lock")
        try:
            with gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
                self._pipe.write(data)
                lines = self._answer(self._pipe)
        except TooMuchOutput as error:
            raise LockSessionError(
                f"asked for its lock, {error}", *explain_flood(ssh_command(self._host), "")[1]
            ) from None
        except (OSError, EOFError, paramiko.SSHException) as error:  # TimeoutError is one
            raise _connection_lost(self._host, _describe(error)) from None
        try:
            return parse_reply(lines)
        except (ValueError, LookupError, TypeError, OverflowError):
            raise LockSessionError(
                f"its answer about its lock can't be read: {sanitize_line(str(lines[-2:]), 100)}"
            ) from None

    def _answer(self, pipe: Pipe) -> list[str]:
        """Its lines up to the last one. It says nothing more until it is asked again."""
        said, lines = Lines(MAX_REPLY), []
        while f"{MARK} end" not in lines:
            block = pipe.read()
            if not block:
                raise self._silent()
            lines += [line.rstrip("\r") for line in said.feed(block)]
        return lines

    def _silent(self) -> LockSessionError:
        said = self._pipe.last_words().decode(errors="replace") if self._pipe else ""
        rows = said.splitlines()
        reason = next((sanitize_line(line.removeprefix("error: ")) for line in rows if line.startswith("error: ")), "")
        hints = [sanitize_line(line.removeprefix("hint: ")) for line in rows if line.startswith("hint: ")][:5]
        last = sanitize_line(" ".join(rows[-1:])) or "without a word"
        return LockSessionError(reason or f"its lock's process ended: {last}", *hints)


class _SshShell:
    """+ client: the connection that is there for this session alone."""

    def __init__(self, channel: paramiko.Channel, client: paramiko.SSHClient | None) -> None:
        self._channel = channel
        self._client = client

    def write(self, data: bytes) -> None:
        self._channel.sendall(data)

    def read(self) -> bytes:
        return self._channel.recv(BLOCK)

    def last_words(self) -> bytes:
        return self._channel.recv_stderr(MAX_REPLY)

    def close(self) -> None:
        self._channel.close()
        if self._client is not None:
            self._client.close()


class _LocalShell:
    def __init__(self) -> None:
        pipe = subprocess.PIPE
        # a Ctrl-C that ends this process ends the lock by the end of its input
        self._process = subprocess.Popen(
            ["sh", "-c", SHELL], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )

    def write(self, data: bytes) -> None:
        if self._process.stdin:
            self._process.stdin.write(data)

    def read(self) -> bytes:
        return self._process.stdout.read(BLOCK) if self._process.stdout else b""

    def last_words(self) -> bytes:
        return self._process.stderr.read(MAX_REPLY) if self._process.stderr else b""

    def close(self) -> None:
        for end in (self._process.stdin, self._process.stdout, self._process.stderr):
            if end:
                end.close()
        self._process.wait(REPLY_TIMEOUT)


def _describe(error: Exception) -> str:
    return "it stands still" if isinstance(error, TimeoutError) else str(error)


def _connection_lost(host: Any, error: str) -> LockSessionError:
    if getattr(host.connector, "client", None) is None:
        return LockSessionError(f"no process for its lock: {error}")
    reason, hints = explain_lost_connection(ssh_command(host, "-v"))
    return LockSessionError(f"{reason}: {sanitize_line(error) or 'it was closed'}", *hints)


def _open_shell(host: Any) -> Pipe:
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None:
        return _SshShell(*_open_channel(host, transport))
    if host.connector_cls.__name__ == "LocalConnector":
        return _LocalShell()
    if client is not None:
        raise _connection_lost(host, "it was closed")
    raise LockSessionError(f"{host.connector_cls.__name__} has no way to hold a lock", "reach it by SSH, or as @local")


def _open_channel(host: Any, transport: paramiko.Transport) -> tuple[paramiko.Channel, paramiko.SSHClient | None]:
    """A shell beside the commands of a run; on a connection of its own where sshd allows one each (MaxSessions 1)."""
    try:
        channel, client = transport.open_session(timeout=REPLY_TIMEOUT), None
        _require_second_session(transport, channel)
    except paramiko.ChannelException:
        connector = type(host.connector)(host.connector.state, host)
        connector.connect()
        client = connector.client
        channel = client.get_transport().open_session(timeout=REPLY_TIMEOUT)
    channel.exec_command(LOGIN_SHELL)
    return channel, client


def _require_second_session(transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    try:
        transport.open_session(timeout=REPLY_TIMEOUT).close()
    except paramiko.ChannelException:
        channel.close()
        raise
