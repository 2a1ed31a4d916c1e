"""A fleet at a glance: one row a host, then what differs from the declaration."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fleethands.cli.output.report_table import folded
from fleethands.report.host_summary import COLUMNS, status_cells, status_text
from fleethands.report.model import BAD, HostReport, Report

WIDTH = 260


def lines(report: Report, words: str) -> Iterator[str]:
    """
    The whole overview, line by line.

    + words: target and options, as the next command takes them
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for name, host in sorted(report.hosts.items()):
        table.add_row(*(Text(cell) for cell in status_cells(name, host)))  # a host's words are no markup
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(table)
    yield from (line.rstrip() for line in text.getvalue().splitlines())
    for names, host in folded(report):
        yield from _drift(names, host)
    yield ""
    yield _next(report, words)


def _drift(names: list[str], host: HostReport) -> Iterator[str]:
    if host.status not in {*BAD, "pending"} and not host.notes:
        return
    yield ""
    yield f"{', '.join(names)}  {status_text(host)}{': ' + host.reason if host.reason else ''}"
    yield from (f"  hint: {hint}" for hint in host.hints)
    for change in host.changes:
        yield f"  ~ {change.name}: {change.subject}: {change.before} -> {change.after}"
    yield from (f"  note: {note}" for note in host.notes)


def _next(report: Report, words: str) -> str:
    if any(host.status == "pending" for host in report.hosts.values()):
        return f"The differences, line by line: fleethands plan {words}"
    if report.result == "failed":
        return f"When the cause is gone, run: fleethands status {words}"
    return "As declared"
