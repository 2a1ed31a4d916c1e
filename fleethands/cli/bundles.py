"""`--bundle` of `plan` and `apply`."""

from __future__ import annotations

import click

from fleethands.bundle.check_files import check_files
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.errors import UsageError


def check_bundles(writer: ReportWriter, files: tuple[str, ...], *, whole: bool) -> tuple[str, ...]:
    """
    The absolute paths of the bundles, after a check. No host was contacted yet.

    + whole: read every byte

    Raises UsageError, BundleError.
    """
    if files and writer.line.upstream:
        raise UsageError(
            "`--bundle` takes everything from a file, and `--upstream` asks the registries", "leave out one"
        )
    return check_files(files, lambda text: click.echo(text, err=True), whole=whole)
