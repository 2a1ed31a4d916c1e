"""How far one host got through its operations, and what stopped it before their end."""

from __future__ import annotations

from dataclasses import dataclass

from fleethands.ssh.diagnosis import Why


class RunAborted(BaseException):
    """
    A run ends at once.

    It derives from BaseException, so that no handler of one command's errors catches it.
    """


@dataclass
class HostRun:
    """
    One host's operations in a run.

    + operation: name of the current operation, or of the latest one
    + finished: whether all operations ran, none of them failed and nothing stopped the host
    + interrupted: whether a user stopped the run; between_operations: whether no operation was at work then
    + problem: a message and its hints, where anything but a failed operation stopped the host
    + seconds: duration of all operations
    """

    operation: str = ""
    finished: bool = False
    interrupted: bool = False
    between_operations: bool = False
    problem: Why | None = None
    seconds: float = 0.0

    def interrupt(self, hints: list[str], *, at_once: bool) -> None:
        """
        Record that a user stopped the run.

        + hints: commands that complete it
        + at_once: within an operation, not between two
        """
        if at_once:
            where = f"during `{self.operation}`"
        elif self.operation:
            where = f"after `{self.operation}`"
        else:
            where = "before it began"
        self.interrupted, self.between_operations = True, not at_once
        self.problem = f"interrupted {where}", hints
