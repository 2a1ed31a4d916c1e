"""`fleethands dashboards`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from fleethands.cli.output.report_writer import ReportWriter
from fleethands.dashboards import dashboard_files
from fleethands.errors import FleethandsError
from fleethands.files import atomic_write


def run(writer: ReportWriter, directory: str, force: bool) -> int:
    place, contents = Path(directory), dashboard_files()
    try:
        present = {name: _read(place / name) for name in contents}
        changed = [name for name, content in contents.items() if present[name] not in (None, content)]
        if changed and not force:
            raise _refuse(place, changed)
        written = [name for name, content in contents.items() if present[name] != content]
        place.mkdir(parents=True, exist_ok=True)
        for name in written:
            atomic_write(place / name, contents[name])
    except OSError as error:
        reason = f"{error.strerror}{f': `{error.filename}`' if error.filename else ''}"
        hint = "choose a directory that you can write to"
        raise FleethandsError(f"cannot write the dashboards to `{place}`: {reason}", hint) from None
    if writer.as_json:
        result = "changed" if written else "unchanged"
        document = {"schema": 1, "command": "dashboards", "result": result, "directory": str(place), "files": written}
        writer.print_json(document)
        return 0
    click.echo(
        f"Wrote {' and '.join(str(place / name) for name in written)}" if written else f"{place} has these files"
    )
    return 0


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _refuse(place: Path, changed: list[str]) -> FleethandsError:
    names = " and ".join(f"`{place / name}`" for name in changed)
    verb = "differs" if len(changed) == 1 else "differ"
    command = shlex.join(["fleethands", "dashboards", str(place), "--force"])
    return FleethandsError(
        f"{names} {verb} from the file of this release; nothing was written", f"overwrite: `{command}`"
    )
