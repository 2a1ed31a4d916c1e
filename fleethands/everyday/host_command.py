"""Runs one command on one host, and passes its output on line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent  # type: ignore[import-untyped]
import paramiko
from gevent.event import Event  # type: ignore[import-untyped]

from fleethands.errors import FleethandsError, Problem
from fleethands.everyday.command_result import ABSENT, DONE, FAILED, INTERRUPTED, CommandResult
from fleethands.everyday.start_process import start_process
from fleethands.facts import ssh_command
from fleethands.facts.probe_failure import explain_failure
from fleethands.host_process import HostProcess
from fleethands.script import Script
from fleethands.ssh.connection import disconnect, is_connected
from fleethands.ssh.diagnosis import explain_flood, explain_lost_connection
from fleethands.streams import Lines, TooMuchOutput
from fleethands.text.format import format_duration
from fleethands.text.sanitize import sanitize_line

STOP_TIMEOUT = 8.0  # seconds; the host itself kills after 5
DRAIN_TIMEOUT, DRAIN_LIMIT = 2.0, 30.0  # seconds without output after the exit, and in total
MOST_EARLY, LONGEST_EARLY = 10_000, 1000  # lines before the command begins, and characters of each
STDOUT, STDERR = "stdout", "stderr"
ENDLESS = 1 << 62
WRITE_LESS = "write the output to a file on the host, or shorten it there: `… | tail -n 1000`"


@dataclass(frozen=True)
class OutputLimits:
    """
    Limits of one command on one host.

    + size, lines: bytes and lines of each output, after which the host is given up
    + timeout: seconds for the whole command; None without a limit
    """

    size: int = 64 << 20
    lines: int = 1_000_000
    timeout: float | None = None


FOLLOW = OutputLimits(ENDLESS, ENDLESS)
Receiver = Callable[[str, str], str]


class HostCommand:
    """
    One command on one host.

    + host: pyinfra's, connected
    + script: prints lines that begin with `mark`: `MARK begin SOURCE` before its output, or `MARK absent REASON`
    + receive: called with `stdout` or `stderr` and each line; returns the line to keep
    """

    def __init__(self, host: Any, script: Script, mark: str, receive: Receiver, limits: OutputLimits) -> None:
        self._host, self._script, self._mark, self._receive, self._limits = host, script, mark, receive, limits
        self._result = CommandResult(DONE)
        self._has_begun, self._early = False, list[tuple[str, str]]()
        self._stop, self._stopped_by_user = Event(), False
        self._problem: Problem | None = None
        self._received, self._has_flooded = 0, False

    def stop(self) -> None:
        """End the processes on the host."""
        self._stopped_by_user = True
        self._stop.set()

    def run(self) -> CommandResult:
        """Run the command to its end, and say what came of it. It raises nothing that the host can cause."""
        begun, process = time.monotonic(), None
        try:
            with gevent.Timeout(STOP_TIMEOUT * 4, TimeoutError("the host did not start a shell")):
                process = start_process(self._host)
                process.write(self._script.text.encode())
            self._follow(process)
        except FleethandsError as error:
            self._problem = error.problem
        except (OSError, EOFError, paramiko.SSHException) as error:
            self._problem = self._explain_loss(error)
        finally:
            if process is not None:
                process.close()
            if self._has_flooded:
                disconnect(self._host)
        self._result.seconds = time.monotonic() - begun
        self._conclude(process.code if process else None)
        return self._result

    def _follow(self, process: HostProcess) -> None:
        readers = [
            gevent.spawn(self._read, STDOUT, process.read),
            gevent.spawn(self._read, STDERR, process.read_errors),
        ]
        exited = gevent.spawn(process.wait)
        try:
            if exited not in gevent.wait([exited, self._stop], timeout=self._limits.timeout, count=1):
                if not self._stop.is_set():
                    self._problem = Problem(f"not finished within {format_duration(self._limits.timeout or 0)}")
                process.end_input()
                gevent.wait([exited], timeout=STOP_TIMEOUT)
            self._drain(readers)
        finally:
            gevent.killall([*readers, exited])

    def _drain(self, readers: list[Any]) -> None:
        """Read what is still on its way. A process in the background may hold an output open for ever."""
        deadline = time.monotonic() + DRAIN_LIMIT
        while not all(reader.ready() for reader in readers) and time.monotonic() < deadline:
            before = self._received
            gevent.joinall(readers, timeout=DRAIN_TIMEOUT)
            if self._received == before:
                break

    def _read(self, name: str, read: Callable[[], bytes]) -> None:
        lines = Lines(self._limits.size, self._limits.lines)
        try:
            while block := read():
                gevent.sleep(0)  # a host that never pauses must not keep signals and other hosts waiting
                self._received += len(block)
                for line in lines.feed(block):
                    self._take(name, line)
            for line in lines.rest():
                self._take(name, line)
        except TooMuchOutput as error:
            hints = [WRITE_LESS] if self._has_begun else explain_flood(ssh_command(self._host), "")[1]
            self._problem = Problem(str(error), tuple(hints))
            self._has_flooded = True
            self._stop.set()
        except (OSError, EOFError, ValueError, paramiko.SSHException):
            pass  # the exit code is missing, too, if the connection is lost

    def _take(self, name: str, line: str) -> None:
        if self._has_begun:
            self._pass_on(name, line)
        elif name == STDOUT and line.startswith(self._mark):
            self._begin(*line.removeprefix(self._mark).strip().partition(" ")[::2])
        elif len(self._early) < MOST_EARLY:
            self._early.append((name, line[:LONGEST_EARLY]))  # a greeting, or sudo's message
        else:
            raise TooMuchOutput(f"it sent more than {MOST_EARLY} lines before the command began, and was given up")

    def _begin(self, word: str, rest: str) -> None:
        self._has_begun, self._result.source = True, sanitize_line(rest)
        if word == ABSENT:
            self._result.status, self._result.reason = ABSENT, sanitize_line(rest)
            return
        for name, line in self._early:
            if name == STDERR:
                self._pass_on(name, line)

    def _pass_on(self, name: str, line: str) -> None:
        shown = line.rstrip("\r").rpartition("\r")[2]  # a progress bar
        output = self._result.stdout if name == STDOUT else self._result.stderr
        output.add(self._receive(name, shown))

    def _conclude(self, code: int | None) -> None:
        result = self._result
        result.exit_code = code if self._has_begun and self._problem is None else None
        if self._problem is not None:
            result.status, result.reason, result.hints = FAILED, self._problem.message, self._problem.hints
        elif self._stopped_by_user:
            result.status, result.reason = INTERRUPTED, "interrupted"
        elif not self._has_begun:
            error = explain_failure([line for _, line in self._early], self._host)
            result.status, result.reason, result.hints = FAILED, str(error), error.hints
        elif code is None:
            problem = self._explain_loss(EOFError("the command ended without an exit code"))
            result.status, result.reason, result.hints = FAILED, problem.message, problem.hints
        elif code:
            result.status, result.reason = FAILED, f"exit code {code}"

    def _explain_loss(self, error: Exception) -> Problem:
        if isinstance(error, paramiko.ChannelException):
            hint = "more sessions are needed; on the host: sshd -T | grep maxsessions"
            return Problem(f"the host opens no session: {sanitize_line(str(error))}", (hint,))
        if not is_connected(self._host):
            reason, hints = explain_lost_connection(ssh_command(self._host, "-v"))
            return Problem(reason, tuple(hints))
        return Problem(sanitize_line(str(error)) or type(error).__name__)
