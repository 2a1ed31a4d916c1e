"""The report of a run that an exception ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError
from fleethands.report.model import HostReport, Report
from fleethands.settings.validation.errors import InvalidSetting

if TYPE_CHECKING:  # its import patches the standard library
    from fleethands.engine.engine import Engine

RUN_AGAIN = "run it again: what was begun on a host is completed then"
NOT_ASKED = "not asked: another host's settings are wrong"


@dataclass
class KnownRun:
    """
    What is known of a run before its end.

    + line: what was typed
    + engine, mistakes: None and empty until they are known
    + reports_hosts: the report has a row for each host
    """

    line: CommandLine
    engine: Engine | None = None
    mistakes: Sequence[InvalidSetting] = field(default_factory=list)
    reports_hosts: bool = False

    def unfinished_report(self, error: BaseException) -> Report:
        """The report of what is known when an exception ends the run."""
        report = Report(self.line.command, {})
        with suppress(Exception):  # what ended the run may prevent its report, too
            report = self._known_hosts() or report
        report.words, report.shard = self.line.arguments, self.line.shard
        _add_error(report, error)
        if self.engine is not None:
            report.mask_all(self.engine.mask)
        return report

    def _known_hosts(self) -> Report | None:
        if self.engine is None:
            return None
        if self.mistakes:
            return Report(self.line.command, dict(map(self._mistaken, self.engine.names)))
        if not self.reports_hosts:
            return None
        from fleethands.rollout.build_interrupted_report import interrupted_run_report  # noqa: PLC0415  it imports pyinfra

        return interrupted_run_report(self.engine, self.line.command)

    def _mistaken(self, name: str) -> tuple[str, HostReport]:
        wrong = [f"`{each.path}`: {each.problem}" for each in self.mistakes if each.host == name]
        return name, HostReport("refused", "; ".join(wrong)) if wrong else HostReport("not-run", NOT_ASKED)


def _add_error(report: Report, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        report.interrupted, report.error, report.hints = True, "interrupted", [RUN_AGAIN]
    elif isinstance(error, FleethandsError):
        report.error, report.hints = str(error), list(error.hints)
    else:
        report.error = f"{type(error).__name__}: {error}"
