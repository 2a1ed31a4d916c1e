"""`--report DIR`, `--summary FILE` and `--json`: a command leaves its report there, whatever ends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.cli.output.keep_previous_report import keeps_previous_report
from fleethands.command_line import CommandLine
from fleethands.errors import FleethandsError
from fleethands.report.formats import MAIN, ReportFiles
from fleethands.report.model import HostReport, Report
from fleethands.settings.validation.errors import InvalidSetting

if TYPE_CHECKING:  # its import patches the standard library
    from fleethands.engine.engine import Engine

RUN_AGAIN = "run it again: what was begun on a host is completed then"
NOT_ASKED = "not asked: another host's settings are wrong"


class ReportWriter:
    """
    Where one command leaves its report.

    + line: what was typed
    + report, summary: directory and file; None for none
    + as_json: a JSON document goes to standard output

    `engine`, `mistakes`: what is known if something ends the run before its report is made; `retried`: the report that
    `--retry-failed` names; `reports_hosts`: the report has a row for each host.
    """

    def __init__(
        self, line: CommandLine, report: str | None = None, summary: str | None = None, as_json: bool = False
    ) -> None:
        self.line, self.as_json = line, as_json
        self.engine: Engine | None = None
        self.mistakes: list[InvalidSetting] = []
        self.retried: Path | None = None
        self.reports_hosts = False
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

    def print_json(self, document: Mapping[str, Any]) -> None:
        """Print the document of this command."""
        self._is_printed = True
        click.echo(json.dumps(document, indent=2))

    def write_nothing_to_do(self, reason: str) -> int:
        """Print the reason, leave a report without hosts, and give the exit code."""
        report = Report(self.line.command, {}, words=self.line.arguments, shard=self.line.shard)
        is_written = self.write(report)
        if self.as_json:
            self.print_json(report.to_json())
        click.echo(f"{reason}: nothing to do", err=self.as_json)
        return 0 if is_written else EXIT_FAILED

    def write_unfinished(self, error: BaseException) -> None:
        """Leave what is known when an exception ends the run, unless a report was left before."""
        writes = self._has_places and self.reports_hosts and not self._is_written
        prints = self.as_json and not self._is_printed
        if not writes and not prints:
            return
        report = self._unfinished_report(error)
        if writes:
            self.write(report, error)
        if prints:
            self.print_json(report.to_json())

    def _unfinished_report(self, error: BaseException) -> Report:
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


def _add_error(report: Report, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt | click.Abort):
        report.interrupted, report.error, report.hints = True, "interrupted", [RUN_AGAIN]
    elif isinstance(error, FleethandsError):
        report.error, report.hints = str(error), list(error.hints)
    else:
        report.error = f"{type(error).__name__}: {error}"


def _unwritable(error: OSError) -> FleethandsError:
    place = error.filename or "the report"
    hint = "name another place, or make room there"
    return FleethandsError(f"cannot write `{place}`: {error.strerror or error}", hint)
