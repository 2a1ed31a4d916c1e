"""`fleethands init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.scaffold import files, write_files
from fleethands.errors import FleethandsError
from fleethands.settings.docs.example import inventory

INVENTORY = "inventory/hosts.py"


def run(writer: ReportWriter, directory: str, all_settings: bool) -> int:
    place = Path(directory)
    texts = {**files(), INVENTORY: inventory(INVENTORY, all_settings=all_settings).encode()}
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
    click.echo(f"Created {len(texts)} files in {place}; all of them are yours to change.")
    click.echo(f"Name your hosts in {place / INVENTORY}.")
    click.echo("")
    click.echo(f"Run: {shlex.join(['cd', str(place)])} && fleethands trust")
    return 0
