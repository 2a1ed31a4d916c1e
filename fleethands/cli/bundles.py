"""`--bundle` of `plan` and `apply`."""

from __future__ import annotations

from pathlib import Path

import click

from fleethands.bundle.bundle import Bundle
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.errors import UsageError
from fleethands.text.format import format_size


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
    for name in files:
        bundle = Bundle.open(Path(name))
        if whole:
            click.echo(f"check {name}, {format_size(bundle.size)}", err=True)
            bundle.verify()
    return tuple(str(Path(name).absolute()) for name in files)
