"""`--report DIR`, `--summary FILE` and `--json`: a command leaves its report there, whatever ends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.cli.output.keep_previous_report import keeps_previous_report
from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError
from fleethands.report.formats import MAIN, ReportFiles
from fleethands.report.model import Report
from fleethands.report.report_text import report_text
from fleethands.runs.unfinished_report import KnownRun


class ReportWriter(KnownRun):
    """
    Where one command leaves its report.

    + line: what was typed
    + report, summary: directory and file; None for none
    + as_json: a JSON document goes to standard output

    `retried`: the report that `--retry-failed` names.
    """

    def __init__(
        self, line: CommandLine, report: str | None = None, summary: str | None = None, as_json: bool = False
    ) -> None:
        super().__init__(line)
        self.as_json = as_json
        self.retried: Path | None = None
        self._directory = Path(report) if report is not None else None
        self._summary = Path(summary) if summary is not None else None
        self._is_written = self._is_printed = False

    @property
    def _has_places(self) -> bool:
        return self._directory is not None or self._summary is not None

    def check_places(self) -> None:
        """Try to write where the report goes. Raises FleethandsError; no host was asked yet."""
        if self._has_places:
            try:
                ReportFiles(self._directory, self._summary).ready()
            except OSError as error:
                self._directory = self._summary = None
                raise _unwritable(error) from None

    def write(self, report: Report, end: BaseException | None = None) -> bool:
        """
        Write a report; False, and an error message, if that fails.

        + end: the exception that ended the run, if one did
        """
        self._is_written = True
        report.shard = report.shard or self.line.shard
        if not self._has_places:
            return True
        try:
            self._places(report, end).write(report)
        except OSError as error:
            print_problem(_unwritable(error).problem)
            return False
        return True

    def print_report(self, report: Report) -> None:
        """Print a report as JSON."""
        self._is_printed = True
        for part in report_text(report):
            click.echo(part, nl=False)

    def print_json(self, document: Mapping[str, Any]) -> None:
        """Print the document of this command."""
        self._is_printed = True
        click.echo(json.dumps(document, indent=2))

    def write_nothing_to_do(self, reason: str) -> int:
        """Print the reason, leave a report without hosts, and give the exit code."""
        report = Report(self.line.command, {}, words=self.line.arguments, shard=self.line.shard)
        is_written = self.write(report)
        if self.as_json:
            self.print_report(report)
        click.echo(f"{reason}: nothing to do", err=self.as_json)
        return 0 if is_written else EXIT_FAILED

    def write_unfinished(self, error: BaseException) -> None:
        """Leave what is known when an exception ends the run, unless a report was left before."""
        writes = self._has_places and self.reports_hosts and not self._is_written
        prints = self.as_json and not self._is_printed
        if not writes and not prints:
            return
        report = self.unfinished_report(KeyboardInterrupt() if isinstance(error, click.Abort) else error)
        if writes:
            self.write(report, error)
        if prints:
            self.print_report(report)

    def _places(self, report: Report, end: BaseException | None) -> ReportFiles:
        """Where the report goes, unless the report of an earlier run stays there."""
        place = self._directory / MAIN if self._directory else None
        if place is None or not keeps_previous_report(place, self.retried, report, self.engine, end):
            return ReportFiles(self._directory, self._summary)
        click.echo(f"{place} stays as an earlier run left it", err=True)
        return ReportFiles(None, self._summary)


def print_failure(command: str, message: str) -> None:
    """Print the document of a command that could not begin."""
    click.echo(json.dumps(Report(command, {}, error=message).to_json(), indent=2))


def _unwritable(error: OSError) -> FleethandsError:
    place = error.filename or "the report"
    hint = "name another place, or make room there"
    return FleethandsError(f"cannot write `{place}`: {error.strerror or error}", hint)
