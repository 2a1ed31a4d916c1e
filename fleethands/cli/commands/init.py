"""`fleethands init`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from fleethands.cli.errors import Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.output.report_files import JSON

INVENTORY = "inventory/hosts.py"


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@JSON
def init(directory: Path, as_json: bool) -> None:
    """Lay down deploy.py, tasks, templates and an inventory to own. Overwrites nothing; exit 0: done, 1: not."""
    from fleethands.cli.scaffold import Taken, files, lay_down  # noqa: PLC0415
    from fleethands.settings.docs.example import inventory  # noqa: PLC0415

    texts = {**files(), INVENTORY: inventory(INVENTORY).encode()}
    try:
        lay_down(directory, texts)
    except Taken as error:
        there = ", ".join(f"`{path}`" for path in error.paths)
        raise Trouble(
            f"`{directory}` has {there} already, and nothing was written",
            "lay it down beside: `" + shlex.join(["fleethands", "init", f"{directory}-new"]) + "`",
        ) from None
    except OSError as error:
        reason = f"{error.strerror}{f': `{error.filename}`' if error.filename else ''}"
        raise Trouble(
            f"cannot lay a project down in `{directory}`: {reason}", "name a directory that you may write to"
        ) from None
    if as_json:
        document = {"schema": 1, "command": "init", "result": "changed", "directory": str(directory), "files": [*texts]}
        tell(document)
        return
    click.echo(f"{directory}: {len(texts)} files, yours to change")
    click.echo(f"Name your hosts in {directory / INVENTORY}")
    click.echo("")
    click.echo(f"Run: {shlex.join(['cd', str(directory)])} && fleethands trust")
