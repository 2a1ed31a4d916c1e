"""`fleethands report show|merge`."""

from __future__ import annotations

from pathlib import Path

import click

from fleethands.cli.errors import EXIT_FAILED
from fleethands.cli.output.finish import EXIT, print_report
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.command_line import CommandLine
from fleethands.errors import UsageError
from fleethands.report.load import InvalidReport, load_report
from fleethands.report.merge import merge_reports
from fleethands.report.model import Report


def show(writer: ReportWriter, path: str) -> int:
    report = _load(path)
    print_report(writer, report, CommandLine.parse(report.command, report.words))
    return EXIT[report.result]


def merge(writer: ReportWriter, paths: tuple[str, ...]) -> int:
    whole, warnings = merge_reports([_load(path) for path in paths])
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    is_written = writer.write(whole)
    print_report(writer, whole, CommandLine.parse(whole.command, whole.words))
    return EXIT[whole.result] if is_written else EXIT_FAILED


def _load(path: str) -> Report:
    try:
        return load_report(Path(path))
    except InvalidReport as error:
        raise UsageError(str(error), "name a directory that `--report` wrote, or its report.json") from None
    except OSError as error:
        hint = "a run writes its report with `--report DIR`"
        raise UsageError(f"cannot read `{error.filename or path}`: {error.strerror}", hint) from None
