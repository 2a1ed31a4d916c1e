"""The end of a command: its report on standard output and in files, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.cli.output import report_table
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.command_line import CommandLine
from fleethands.errors import Problem
from fleethands.report.model import Report

EXIT = {"unchanged": 0, "changed": 0, "pending": 2, "failed": 1, "interrupted": 130}
Render = Callable[[Report, CommandLine], Iterator[str]]


def show(report: Report, line: CommandLine, render: Render = report_table.lines) -> None:
    """Print a report for people."""
    for each in render(report, line):
        click.echo(each)


def finish(writer: ReportWriter, report: Report, render: Render = report_table.lines) -> int:
    """Write and print the report of a run, and give the exit code that the contract has for its result."""
    is_written = writer.write(report)
    print_report(writer, report, writer.line, render)
    return EXIT[report.result] if is_written else EXIT_FAILED


def print_report(writer: ReportWriter, report: Report, line: CommandLine, render: Render = report_table.lines) -> None:
    """
    Print a report: as JSON, or for people.

    + line: the command that the report is of
    """
    if report.error:
        print_problem(Problem(report.error, tuple(report.hints)))
    if writer.as_json:
        writer.print_report(report)
    else:
        show(report, line, render)
