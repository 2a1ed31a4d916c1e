"""The process on a host that keeps a run's lock, and the requests that the controller sends to it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import gevent  # type: ignore[import-untyped]
import paramiko

from fleethands.facts import ssh_command
from fleethands.host_process import HostProcess
from fleethands.locks.host_shell import (
    MAX_REPLY,
    REPLY_TIMEOUT,
    LockSessionError,
    connection_lost,
    open_shell,
)
from fleethands.operations.lock.lock import MARK, LockReply, parse_reply
from fleethands.ssh.diagnosis import explain_flood
from fleethands.streams import Lines, TooMuchOutput
from fleethands.text.sanitize import sanitize_line


class LockSession:
    """
    The process of operations/lock/lock_hold.sh on one host.

    A request is one byte. The process releases the lock when heartbeats stop or its input ends.
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._shell: HostProcess | None = None

    def begin(self, script: str) -> LockReply:
        """Send the script. Returns its first reply. Raises LockSessionError."""
        try:
            with gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
                self._shell = open_shell(self._host)
        except paramiko.ChannelException as error:
            reason = f"no second session on its connection for the lock: {sanitize_line(str(error))}"
            raise LockSessionError(reason, "2 are needed; on the host: sshd -T | grep maxsessions") from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise connection_lost(self._host, _describe(error)) from None
        return self._request(script.encode())

    def acquire(self) -> LockReply:
        """Try to acquire the lock. Raises LockSessionError."""
        return self._request(b"t")

    def send_heartbeat(self) -> None:
        """A failure is noticed by the next request."""
        with suppress(OSError, EOFError, paramiko.SSHException), gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
            if self._shell is not None:
                self._shell.write(b".")

    def close(self) -> None:
        """Release the lock, and end the process."""
        if self._shell is None:
            return
        with suppress(LockSessionError):  # the process ends by itself
            self._request(b"r")
        self._shell.close()
        with gevent.Timeout(REPLY_TIMEOUT, False):
            self._shell.wait()
        self._shell = None

    def _request(self, data: bytes) -> LockReply:
        if self._shell is None:
            raise LockSessionError("the lock process was not started")
        try:
            with gevent.Timeout(REPLY_TIMEOUT, TimeoutError):
                self._shell.write(data)
                lines = self._read_reply(self._shell)
        except TooMuchOutput as error:
            raise LockSessionError(
                f"when asked for its lock, the host {error}", *explain_flood(ssh_command(self._host), "")[1]
            ) from None
        except (OSError, EOFError, paramiko.SSHException) as error:  # TimeoutError is one
            raise connection_lost(self._host, _describe(error)) from None
        try:
            return parse_reply(lines)
        except (ValueError, LookupError, TypeError, OverflowError):
            shown = sanitize_line(str(lines[-2:]), 100)
            raise LockSessionError(f"cannot parse the host's reply about its lock: {shown}") from None

    def _read_reply(self, shell: HostProcess) -> list[str]:
        """The lines of one reply."""
        reader, lines = Lines(MAX_REPLY), []
        while f"{MARK} end" not in lines:
            block = shell.read()
            if not block:
                raise self._unexpected_end()
            lines += [line.rstrip("\r") for line in reader.feed(block)]
        return lines

    def _unexpected_end(self) -> LockSessionError:
        said = self._shell.read_errors().decode(errors="replace") if self._shell else ""
        rows = said.splitlines()
        reason = next((sanitize_line(line.removeprefix("error: ")) for line in rows if line.startswith("error: ")), "")
        hints = [sanitize_line(line.removeprefix("hint: ")) for line in rows if line.startswith("hint: ")][:5]
        last = sanitize_line(" ".join(rows[-1:])) or "no output"
        return LockSessionError(reason or f"the lock process stopped: {last}", *hints)


def _describe(error: Exception) -> str:
    return f"no reply within {REPLY_TIMEOUT:.0f} s" if isinstance(error, TimeoutError) else str(error)
