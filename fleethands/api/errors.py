"""What ends a call of the Python API without a report as its result."""

from __future__ import annotations

from fleethands.errors import FleethandsError, Problem
from fleethands.report.model import Report


class Interrupted(KeyboardInterrupt):
    """
    Ctrl-C ended a run. It is a KeyboardInterrupt, so that a loop over fleets ends, too.

    + report: how far each host got; without hosts if a second Ctrl-C aborted the worker
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.problem = Problem("interrupted", tuple(report.hints))
        super().__init__(self.problem.message)


class WorkerDied(FleethandsError):
    """
    The worker process ended before its report. What it began on a host is completed by the next run.

    + output: the end of what the worker printed, for a bug report
    """

    def __init__(self, problem: Problem, output: str = "") -> None:
        super().__init__(problem)
        self.output = output
        if output:
            self.add_note(output)
