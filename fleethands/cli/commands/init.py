"""`fleethands init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.scaffold import INVENTORY, project_files, write_files
from fleethands.errors import FleethandsError

NEXT = ("fleethands trust", "fleethands plan", "fleethands apply")


def run(writer: ReportWriter, directory: str, all_settings: bool) -> int:
    place = Path(directory)
    texts = project_files(all_settings=all_settings)
    try:
        write_files(place, texts)
    except OSError as error:
        reason = f"{error.strerror}{f': `{error.filename}`' if error.filename else ''}"
        hint = "choose a directory that you can write to"
        raise FleethandsError(f"cannot create a project in `{place}`: {reason}", hint) from None
    if writer.as_json:
        document = {"schema": 1, "command": "init", "result": "changed", "directory": str(place), "files": [*texts]}
        writer.print_json(document)
        return 0
    click.echo(f"Created {' and '.join(str(place / path) for path in texts)}")
    click.echo(f"\nWrite the names of your hosts into {place / INVENTORY}. Then run:\n")
    for command in (*_enter(place), *NEXT):
        click.echo(f"    {command}")
    return 0


def _enter(place: Path) -> list[str]:
    """The command that makes a directory the working directory, if it is another one."""
    return [] if place.resolve() == Path.cwd() else [shlex.join(["cd", str(place)])]
