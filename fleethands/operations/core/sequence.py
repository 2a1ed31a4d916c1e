"""Several changes of one host in one remote command, each with its own result, and the probe after them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.event import Event  # type: ignore[import-untyped]
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import CommandOutput, OutputLine

from fleethands import paths
from fleethands.facts import Probe, ProbeError
from fleethands.facts.parse_probe import parse_probe
from fleethands.facts.probe_request import ProbeRequest
from fleethands.operations.core import scripts
from fleethands.operations.core.decision import Decision
from fleethands.operations.core.sequence_output import STDERR, SequenceOutput
from fleethands.script import SHELL, Script
from fleethands.streams import PROGRESS, LiveInput, listen

BROKEN = ("error: the host mixed up the results of its steps",)
UNLOCKED = (
    "error: the lock of this host ended before this step",
    "hint: run it again: what was begun is completed then",
)


@dataclass(frozen=True)
class Step:
    """
    One script of a sequence.

    + operation: pyinfra's hash of its operation; script: as the host's shell takes it
    """

    operation: str
    script: str


class Sequence:
    """
    Scripts that a host runs one after the other, and the probe after the last one. A script that fails ends it.

    + decisions: operation → decision, of all operations that it covers, in order
    + steps: the scripts of their changes
    + request: asks for the probe
    + lock: the file of the run lock, without which no other script begins

    Example:

        sequence = Sequence(decisions, steps, request)
        sequence.begin(host, {})
        succeeded, output = sequence.next_result()
    """

    def __init__(
        self, decisions: Mapping[str, Decision], steps: list[Step], request: ProbeRequest, lock: str = paths.RUN_LOCK
    ) -> None:
        self.decisions, self.steps, self._lock = dict(decisions), steps, lock
        self._request, self._asked = request, time.time()
        self._mark = f"{request.mark}."  # the probe has its own frames
        self._output = SequenceOutput(self._mark, len(steps))
        self._input = LiveInput(self._text())
        self._taken, self._news, self._is_answered = 0, Event(), False
        self._error: Exception | None = None
        self._command: Any = None

    def _text(self) -> str:
        values = {f"step_{number}": step.script for number, step in enumerate(self.steps, 1)}
        known = {"mark": self._mark, "count": str(len(self.steps)), "probe": self._request.script, "lock": self._lock}
        return Script(scripts.read("sequence"), {**known, **values}, talks=True).text

    def begin(self, host: Any, arguments: Mapping[str, Any]) -> None:
        """
        Send it.

        + host: pyinfra's; arguments: pyinfra's, of the connector
        """
        self._command = gevent.spawn(self._run, host, {**arguments, "_stdin": self._input})
        self._command.rawlink(lambda _: self._news.set())

    def _run(self, host: Any, arguments: dict[str, Any]) -> None:
        try:
            with listen(self._add):
                host.run_shell_command(StringCommand(SHELL), **arguments)
        except Exception as error:  # the operation that waits raises it
            self._error = error

    def _add(self, name: str, lines: list[str]) -> None:
        for line in lines:
            if not line.startswith(PROGRESS):
                self._output.add(name, line)
                if not self._output.is_probing:
                    self._asked = time.time()
                self._news.set()

    def _wait(self, is_known: Callable[[], bool]) -> None:
        """Until something is known, or nothing more can come."""
        while not (is_known() or self._output.is_broken or self._command.ready()):
            self._news.clear()
            self._news.wait()

    def is_next(self, script: str) -> bool:
        """Whether this is the next script whose result is to be taken."""
        return self._taken < len(self.steps) and self.steps[self._taken].script == script

    def next_result(self) -> tuple[bool, CommandOutput] | None:
        """
        Whether the next script succeeded, and its output, once it has ended. None if `stop` ended the sequence before.

        Raises what ended the connection.
        """
        self._taken += 1
        step = self._output.step(self._taken)
        self._wait(lambda: step.has_ended)
        if self._output.is_broken:
            return False, _errors(BROKEN)
        if step.has_ended:
            return set(step.statuses.values()) == {0}, CommandOutput(step.lines)
        if self._error is not None:
            raise self._error
        if self._output.stopped == "stopped":
            return None
        return False, _errors(UNLOCKED) if self._output.stopped else CommandOutput([*self._output.outside, *step.lines])

    def stop(self) -> None:
        """The host finishes the script that it is at, and begins no other. Nothing here waits for the host."""
        gevent.spawn(self._send_stop)

    def _send_stop(self) -> None:
        """Once a script has begun: the host's shell has read the whole text then, so that the byte is no part of it."""
        self._wait(lambda: self._output.begun > 0)
        if self._output.begun > 0:
            self._input.stop()

    def has_begun(self, operation: str) -> bool:
        """After `stop`: whether the host works on this operation, or on a later one, and will finish it."""
        if operation not in self.decisions or self._taken == len(self.steps):
            return False
        self._wait(lambda: self._output.begun > self._taken or bool(self._output.stopped))
        return self._output.begun > self._taken

    def probe(self, request: ProbeRequest) -> Probe | None:
        """The answer to the probe, once; None if the host gave none to this request."""
        is_other = replace(request, mark=self._request.mark) != self._request
        if self._is_answered or is_other or self._taken < len(self.steps):
            return None
        self._is_answered = True
        self._wait(lambda: False)
        with suppress(ProbeError):
            return parse_probe(self._output.probe, self._request, (self._asked, time.time()))
        return None

    def abandon(self) -> None:
        """Wait for nothing more: the host begins no other script."""
        if self._command is not None:
            self._command.kill(block=False)


def _errors(lines: tuple[str, ...]) -> CommandOutput:
    return CommandOutput([OutputLine(STDERR, line) for line in lines])
