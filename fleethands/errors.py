"""What a user is shown when something is wrong: one message, and the next steps below it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """
    A message of one line, and its hints.

    + hints: next steps, each with the exact command
    """

    message: str
    hints: tuple[str, ...] = ()


class FleethandsError(Exception):
    """
    A problem that a caller or the command line reports, without a traceback.

    A subclass exists only where a caller treats that problem differently.
    """

    def __init__(self, problem: Problem | str, *hints: str) -> None:
        self.problem = Problem(problem, hints) if isinstance(problem, str) else problem
        super().__init__(self.problem.message)

    @property
    def hints(self) -> tuple[str, ...]:
        return self.problem.hints


class UsageError(FleethandsError):
    """The command line is wrong, and no host was contacted: exit code 64."""
