"""`fleethands report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.finish import EXIT, show
from fleethands.cli.output.json_document import tell
from fleethands.cli.output.report_files import JSON, Keeper

if TYPE_CHECKING:
    from fleethands.report.model import Report


@click.group()
def report() -> None:
    """Show a report that a run left, or join those of the parts of a fleet."""


@report.command("show")
@click.argument("path", metavar="DIR|FILE")
@JSON
def show_report(path: str, as_json: bool) -> None:
    """Say what a report says. Exits as the run did."""
    _leave(_read(path), as_json)


@report.command()
@click.argument("paths", nargs=-1, required=True, metavar="DIR|FILE...")
@click.option("--report", "directory", metavar="DIR", help="Leave report.json, junit.xml and report.html there.")
@click.option("--summary", metavar="FILE", help="Add the report to this file as Markdown, as a CI shows it.")
@JSON
def merge(paths: tuple[str, ...], directory: str | None, summary: str | None, as_json: bool) -> None:
    """Join reports of the parts of a fleet into one. Exits as one run over all of it would have."""
    from fleethands.report.merge import IncompatibleReports, merge_reports  # noqa: PLC0415

    keeper = Keeper("merge")
    keeper.ready(directory=directory, summary=summary)
    try:
        whole, remarks = merge_reports([_read(path) for path in paths])
    except IncompatibleReports as error:
        raise Trouble(str(error), "give the reports of one run over one fleet", code=USAGE) from None
    for remark in remarks:
        click.echo(f"warning: {remark}", err=True)
    kept = keeper.keep(whole)
    _leave(whole, as_json, kept=kept)


def _read(path: str) -> Report:
    from fleethands.report.load import InvalidReport, load_report  # noqa: PLC0415

    try:
        return load_report(Path(path))
    except InvalidReport as error:
        raise Trouble(str(error), "give a directory that `--report` named, or its report.json", code=USAGE) from None
    except OSError as error:
        hint = "a run leaves its report with `--report DIR`"
        raise Trouble(f"cannot read `{error.filename or path}`: {error.strerror}", hint, code=USAGE) from None


def _leave(whole: Report, as_json: bool, *, kept: bool = True) -> None:
    if as_json:
        tell(whole.document())
    else:
        show(whole, whole.words)
    if whole.error:
        Trouble(whole.error, *whole.hints).show()
    sys.exit(EXIT[whole.result] if kept else 1)
