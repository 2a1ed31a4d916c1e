"""The output of a sequence: which lines belong to which of its scripts, and how each of them ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyinfra.connectors.util import OutputLine

STDOUT, STDERR = "stdout", "stderr"
_FRAME = re.compile(
    r"(?:begin (?P<begin>[0-9]{1,3})|end (?P<end>[0-9]{1,3}) (?P<status>[0-9]{1,3})"
    r"|(?P<reason>stopped|unlocked) (?P<before>[0-9]{1,3})|(?P<probe>probe))\Z",
    re.ASCII,
)


@dataclass
class StepOutput:
    """
    What one script printed.

    + statuses: output → exit status, of each output in which it has ended
    """

    lines: list[OutputLine] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    @property
    def has_ended(self) -> bool:
        return len(self.statuses) == 2


@dataclass
class _Place:
    """How far one output is: the script that it is in, 0 between two; the latest script that began."""

    inside: int = 0
    latest: int = 0


class SequenceOutput:
    """
    Splits the lines of a sequence as they come.

    + mark: begins each frame; no program on the host can guess it
    + count: number of scripts

    `begun` is the number of the latest script that began. `stopped` says why the host begins no other: `stopped` by its
    input, or `unlocked`. `is_broken` says that frames were out of order: nothing after them counts.

    Example:

        output = SequenceOutput("@@1f", 2)
        output.add("stdout", "@@1f begin 1")
        output.step(1).lines
    """

    def __init__(self, mark: str, count: int) -> None:
        self.probe: list[str] = []
        self.outside: list[OutputLine] = []
        self.stopped = ""
        self.is_broken = self.is_probing = False
        self._mark, self._count = f"{mark} ", count
        self._steps = [StepOutput() for _ in range(count)]
        self._places = {STDOUT: _Place(), STDERR: _Place()}

    @property
    def begun(self) -> int:
        return self._places[STDOUT].latest

    def step(self, number: int) -> StepOutput:
        """The output of a script, from 1."""
        return self._steps[number - 1]

    def add(self, name: str, line: str) -> None:
        """Take the next line of an output: `stdout` or `stderr`."""
        if self.is_broken:
            return
        if line.startswith(self._mark):
            self._frame(name, line.removeprefix(self._mark))
        elif inside := self._places[name].inside:
            self.step(inside).lines.append(OutputLine(name, line))
        elif name == STDOUT and self.is_probing:
            self.probe.append(line)
        else:
            self.outside.append(OutputLine(name, line))

    def _frame(self, name: str, text: str) -> None:
        found, place = _FRAME.match(text), self._places[name]
        following = 0 if place.inside else place.latest + 1
        if found is None:
            self.is_broken = True
        elif found["begin"] and int(found["begin"]) == following <= self._count:
            place.inside = place.latest = following
        elif found["end"] and int(found["end"]) == place.inside:
            self._end(name, place, int(found["status"]))
        elif found["reason"] and int(found["before"]) == following <= self._count:
            self.stopped = found["reason"]
        elif found["probe"] and following == self._count + 1:
            self.is_probing = self.is_probing or name == STDOUT
        else:
            self.is_broken = True

    def _end(self, name: str, place: _Place, status: int) -> None:
        step = self.step(place.inside)
        places = [index for index, line in enumerate(step.lines) if line.buffer_name == name]
        if places and not step.lines[places[-1]].line:
            del step.lines[places[-1]]  # each frame begins with a line end, because the line before it may have none
        step.statuses[name] = status
        place.inside = 0
        self.is_broken = len(set(step.statuses.values())) > 1
