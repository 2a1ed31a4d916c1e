"""The status of a fleet: one row a host, then what differs from the inventory."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleethands.cli.output.report_table import folded
from fleethands.command_line import CommandLine
from fleethands.report.host_summary import status_rows, status_text
from fleethands.report.model import BAD, HostReport, Report

WIDTH = 260


def lines(report: Report, line: CommandLine) -> Iterator[str]:
    """
    The whole table, line by line.

    + line: the command that the report is of
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    columns, rows = status_rows(report.hosts)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # a host's answers are not markup
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield from (each.rstrip() for each in text.getvalue().splitlines())
    for names, host in folded(report):
        yield from _drift(names, host)
    yield ""
    yield _next(report, line)


def _drift(names: list[str], host: HostReport) -> Iterator[str]:
    if host.status not in {*BAD, "pending"} and not host.notes:
        return
    yield ""
    yield f"{', '.join(names)}  {status_text(host)}{': ' + host.reason if host.reason else ''}"
    yield from (f"  hint: {hint}" for hint in host.hints)
    for change in host.changes:
        yield f"  ~ {change.name}: {change.subject}: {change.before} -> {change.after}"
    yield from (f"  note: {note}" for note in host.notes)


def _next(report: Report, line: CommandLine) -> str:
    if any(host.status == "pending" for host in report.hosts.values()):
        return f"To see the differences line by line, run: {line.for_command('plan')}"
    if report.result == "failed":
        return f"Fix the cause, then run: {line}"
    return "All hosts are as the inventory describes"
