"""Runs commands on many hosts at once, until they exit or a user stops them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped]

from fleethands.engine.interrupts import Interrupts
from fleethands.everyday.command_result import INTERRUPTED, UNREACHABLE, CommandResult
from fleethands.everyday.host_command import HostCommand, OutputLimits
from fleethands.report.redaction import NO_MASK, Mask
from fleethands.script import Script

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine

Receive = Callable[[str, str, str], str]
OnEnd = Callable[[str, CommandResult], None]


@dataclass(frozen=True)
class Job:
    """
    One command on one host.

    + parts: scripts of this package, which run one after the other
    """

    host: str
    parts: tuple[str, ...]
    values: Mapping[str, str]

    def script(self, mark: str) -> Script:
        """What the host's shell reads."""
        return Script(read_parts(*self.parts), {"mark": mark, **self.values}, talks=True)


def read_parts(*names: str) -> str:
    """
    The text of scripts without their comments, one after the other.

    + names: `NAME` of this package, or `PACKAGE/NAME`
    """
    root = files("fleethands")
    paths = [root.joinpath(f"{name if '/' in name else f'everyday/{name}'}.sh") for name in names]
    lines = [line for path in paths for line in path.read_text().splitlines()]
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def new_mark() -> str:
    """Begins a line that no program on the host can print, because it cannot be guessed."""
    return f"@@{secrets.token_hex(12)}"


class FleetCommand:
    """
    Commands on many hosts.

    + jobs: by the label that their lines get
    + receive: called with the label, `stdout` or `stderr`, and each line; returns the line to keep
    + on_end: called with the label and the result of each job as it ends
    + mask: hides secrets in the reasons and hints of results

    `interrupted`: a user stopped it.
    """

    def __init__(
        self,
        engine: Engine,
        jobs: Mapping[str, Job],
        receive: Receive,
        limits: OutputLimits,
        on_end: OnEnd | None = None,
        mask: Mask = NO_MASK,
    ) -> None:
        self._engine, self._jobs, self._receive, self._limits, self._on_end = engine, jobs, receive, limits, on_end
        self._mask = mask
        self._running: dict[str, HostCommand] = {}
        self.interrupted = False

    def run(self) -> dict[str, CommandResult]:
        """
        The result of each job, unreachable hosts included.

        The first signal ends all processes on the hosts. A second one raises KeyboardInterrupt.
        """
        found: dict[str, CommandResult] = {}

        def run_job(label: str) -> None:
            found[label] = self._mask.all(self._run_job(label, self._jobs[label]))
            if self._on_end is not None:
                self._on_end(label, found[label])

        with Interrupts(self.stop):
            greenlets = [gevent.spawn(run_job, label) for label in self._jobs]
            gevent.joinall(greenlets, raise_error=True)
        return {label: found[label] for label in self._jobs}

    def stop(self) -> None:
        """End all processes on the hosts."""
        self.interrupted = True
        for each in self._running.values():
            each.stop()

    def _run_job(self, label: str, job: Job) -> CommandResult:
        if job.host in self._engine.monitor.unreachable:
            reason, hints = self._engine.monitor.unreachable[job.host]
            return CommandResult(UNREACHABLE, reason, tuple(hints))
        if self.interrupted:
            return CommandResult(INTERRUPTED, "interrupted before it began")
        self._engine.monitor.count_command(job.host)
        mark = new_mark()

        def receive(name: str, line: str) -> str:
            return self._receive(label, name, line)

        command = HostCommand(self._engine.host(job.host), job.script(mark), mark, receive, self._limits)
        self._running[label] = command
        try:
            return command.run()
        finally:
            del self._running[label]
