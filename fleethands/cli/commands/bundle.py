"""`fleethands bundle create|verify|show`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from fleethands.bundle.bundle import Bundle
from fleethands.cli.output import bundle_table
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import open_hosts, read_settings
from fleethands.debian.mirrors import find_mirrors
from fleethands.debian.suites import SUITES
from fleethands.errors import UsageError
from fleethands.packing.create import BundleRequest, Progress, create_bundle
from fleethands.packing.wanted import WantedContents, find_contents
from fleethands.text.format import format_size

DEFAULT_ARCHS = ("amd64",)


def create(
    writer: ReportWriter,
    output: str,
    archs: tuple[str, ...],
    suites: tuple[str, ...],
    since: str | None,
    mirrors: tuple[str, ...],
    keyring: str | None,
) -> int:
    path = Path(output)
    if path.is_dir():
        raise UsageError(
            f"`-o {output}` is a directory", f"name a file in it: -o {shlex.quote(str(path / 'fleet.bundle'))}"
        )
    if since is not None and path.absolute() == Path(since).absolute():
        raise UsageError("`-o` and `--since` name the same file", "write the new bundle to another file")
    addresses, old = find_mirrors(mirrors), Bundle.open(Path(since)) if since else None
    engine = open_hosts(writer)
    fleet = read_settings(writer, engine.settings)
    wanted = tuple(dict.fromkeys(archs or DEFAULT_ARCHS))
    contents = find_contents(fleet, wanted)
    _warn(contents, suites, writer)
    request = BundleRequest(
        path,
        tuple(fleet),
        contents,
        wanted,
        tuple(SUITES[name] for name in dict.fromkeys(suites)),
        addresses,
        Path(keyring) if keyring else None,
        old,
    )
    return _report(writer, "create", _create(request))


def verify(writer: ReportWriter, path: str) -> int:
    bundle = Bundle.open(Path(path))
    with _bar() as bar:
        task = bar.add_task("verify", total=sum(part.size for part in bundle.index.packed))
        bundle.verify(lambda count: bar.advance(task, count))
    return _report(writer, "verify", bundle)


def show(writer: ReportWriter, path: str, packages: bool) -> int:
    bundle = Bundle.open(Path(path))
    if not writer.as_json:
        for line in bundle_table.lines(bundle, packages):
            click.echo(line)
        return 0
    return _report(writer, "show", bundle)


def _create(request: BundleRequest) -> Bundle:
    with _bar() as bar:
        task = bar.add_task("download", total=None, visible=False)
        progress = Progress(
            say=lambda text: click.echo(text, err=True),
            begin=lambda size: bar.update(task, total=size or None, visible=True),
            advance=lambda count: bar.advance(task, count),
        )
        return create_bundle(request, progress)


def _bar() -> Bar:
    """A bar on a terminal, nothing anywhere else."""
    console = Console(stderr=True)
    return Bar(
        "{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console,
        transient=True, disable=not sys.stderr.isatty(),
    )  # fmt: skip


def _warn(contents: WantedContents, suites: tuple[str, ...], writer: ReportWriter) -> None:
    if contents.unpinned:
        click.echo(f"note: not pinned: {', '.join(contents.unpinned)}; {writer.line.for_command('pin')}", err=True)
    for note in contents.notes:
        click.echo(f"note: {note}", err=True)
    if not suites and contents.packages:
        names = " ".join(sorted(contents.packages))
        click.echo(f"note: without --suite, hosts must have these packages already: {names}", err=True)


def _report(writer: ReportWriter, action: str, bundle: Bundle) -> int:
    if writer.as_json:
        writer.print_json(_document(action, bundle))
        return 0
    if action == "verify":
        click.echo(f"{bundle.path}: all {len(bundle.index.packed)} parts are intact")
    else:
        click.echo(f"{bundle.path}: {format_size(bundle.size)}, {len(bundle.index.packed)} parts")
    click.echo(f"index {bundle.index.digest}")
    return 0


def _document(action: str, bundle: Bundle) -> dict[str, Any]:
    index = bundle.index
    return {
        "schema": 1,
        "command": f"bundle {action}",
        "result": "changed" if action == "create" else "unchanged",
        "file": str(bundle.path),
        "size": bundle.size,
        "index": index.digest,
        "created": index.created,
        "since": index.since or None,
        "hosts": list(index.hosts),
        "artifacts": [
            {
                "kind": each.kind,
                "name": each.name,
                "version": each.version or None,
                "arch": each.arch or None,
                "suite": each.suite or None,
                "digest": each.digest,
                "size": index.size([each]),
                "packed": all(index.part[digest].is_packed for digest in each.parts),
            }
            for each in index.artifacts
        ],
    }
