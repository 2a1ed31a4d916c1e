"""A process on a host that one says single letters to: beside the commands of a run, on the same connection."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import Any, Protocol

import gevent  # type: ignore[import-untyped]
import paramiko

from fleethands.facts import ssh_command
from fleethands.operations.lock.lock import MARK, Answer, read
from fleethands.script import LOGIN_SHELL, SHELL
from fleethands.ssh.diagnosis import flooding, gone
from fleethands.streams import BLOCK, Lines, TooMuch
from fleethands.text.sanitize import short

ANSWER = 20.0  # seconds in which a host answers, its own second of trying included
MOST = 64 << 10  # bytes of one answer, and of what is said where errors go


class HolderError(Exception):
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


class Holder:
    """
    The process of operations/lock/lock_hold.sh on one host.

    + open: starts a shell there and gives its ends
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._pipe: Pipe | None = None

    def begin(self, script: str) -> None:
        """Send the script and hear that it runs. Raises HolderError."""
        try:
            with gevent.Timeout(ANSWER, TimeoutError):
                self._pipe = _open(self._host)
        except paramiko.ChannelException as error:
            reason = f"no second session on its connection for the lock: {short(str(error))}"
            raise HolderError(reason, "2 are needed; on the host: sshd -T | grep maxsessions") from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise _lost(self._host, _words(error)) from None
        self._said(script.encode())

    def ask(self, letter: str) -> Answer:
        """Say a letter, hear the answer. Raises HolderError."""
        return self._said(letter.encode())

    def sign(self) -> None:
        """Say that the run is there."""
        self._write(b".")

    def close(self) -> None:
        """Give the lock back, and end."""
        if self._pipe is None:
            return
        with suppress(HolderError):  # then it ends by itself
            self._said(b"r")
        self._pipe.close()
        self._pipe = None

    def _write(self, data: bytes) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException), gevent.Timeout(ANSWER, TimeoutError):
            if self._pipe is not None:
                self._pipe.write(data)  # whoever reads next notices what went wrong

    def _said(self, data: bytes) -> Answer:
        if self._pipe is None:
            raise HolderError("it has no lock")
        try:
            with gevent.Timeout(ANSWER, TimeoutError):
                self._pipe.write(data)
                lines = self._answer(self._pipe)
        except TooMuch as error:
            raise HolderError(f"asked for its lock, {error}", *flooding(ssh_command(self._host), "")[1]) from None
        except (OSError, EOFError, paramiko.SSHException) as error:  # TimeoutError is one
            raise _lost(self._host, _words(error)) from None
        try:
            return read(lines)
        except (ValueError, LookupError, TypeError, OverflowError):
            raise HolderError(f"its answer about its lock can't be read: {short(str(lines[-2:]), 100)}") from None

    def _answer(self, pipe: Pipe) -> list[str]:
        """Its lines up to the last one. It says nothing more until it is asked again."""
        said, lines = Lines(MOST), []
        while f"{MARK} end" not in lines:
            block = pipe.read()
            if not block:
                raise self._silent()
            lines += [line.rstrip("\r") for line in said.feed(block)]
        return lines

    def _silent(self) -> HolderError:
        said = self._pipe.last_words().decode(errors="replace") if self._pipe else ""
        rows = said.splitlines()
        reason = next((short(line.removeprefix("error: ")) for line in rows if line.startswith("error: ")), "")
        hints = [short(line.removeprefix("hint: ")) for line in rows if line.startswith("hint: ")][:5]
        last = short(" ".join(rows[-1:])) or "without a word"
        return HolderError(reason or f"its lock's process ended: {last}", *hints)


class _Channel:
    """+ client: the connection that is there for this session alone."""

    def __init__(self, channel: paramiko.Channel, client: paramiko.SSHClient | None) -> None:
        self._channel = channel
        self._client = client

    def write(self, data: bytes) -> None:
        self._channel.sendall(data)

    def read(self) -> bytes:
        return self._channel.recv(BLOCK)

    def last_words(self) -> bytes:
        return self._channel.recv_stderr(MOST)

    def close(self) -> None:
        self._channel.close()
        if self._client is not None:
            self._client.close()


class _Process:
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
        return self._process.stderr.read(MOST) if self._process.stderr else b""

    def close(self) -> None:
        for end in (self._process.stdin, self._process.stdout, self._process.stderr):
            if end:
                end.close()
        self._process.wait(ANSWER)


def _words(error: Exception) -> str:
    return "it stands still" if isinstance(error, TimeoutError) else str(error)


def _lost(host: Any, error: str) -> HolderError:
    if getattr(host.connector, "client", None) is None:
        return HolderError(f"no process for its lock: {error}")
    reason, hints = gone(ssh_command(host, "-v"))
    return HolderError(f"{reason}: {short(error) or 'it was closed'}", *hints)


def _open(host: Any) -> Pipe:
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None:
        return _Channel(*_session(host, transport))
    if host.connector_cls.__name__ == "LocalConnector":
        return _Process()
    if client is not None:
        raise _lost(host, "it was closed")
    raise HolderError(f"{host.connector_cls.__name__} has no way to hold a lock", "reach it by SSH, or as @local")


def _session(host: Any, transport: paramiko.Transport) -> tuple[paramiko.Channel, paramiko.SSHClient | None]:
    """A shell beside the commands of a run; on a connection of its own where sshd allows one each (MaxSessions 1)."""
    try:
        channel, client = transport.open_session(timeout=ANSWER), None
        _make_sure_of_another(transport, channel)
    except paramiko.ChannelException:
        connector = type(host.connector)(host.connector.state, host)
        connector.connect()
        client = connector.client
        channel = client.get_transport().open_session(timeout=ANSWER)
    channel.exec_command(LOGIN_SHELL)
    return channel, client


def _make_sure_of_another(transport: paramiko.Transport, channel: paramiko.Channel) -> None:
    try:
        transport.open_session(timeout=ANSWER).close()
    except paramiko.ChannelException:
        channel.close()
        raise
