"""`fleethands lock acquire|status|release`."""

from __future__ import annotations

from contextlib import closing

import click

from fleethands.cli.errors import EXIT_FAILED
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_hosts
from fleethands.errors import UsageError
from fleethands.locks.lock_commands import LockResult, run_lock_command
from fleethands.text.sanitize import sanitize


def acquire(writer: ReportWriter, reason: str) -> int:
    if not reason.strip():
        raise UsageError("a lock needs a reason, for the users who find it", 'add one: `--reason "new driver"`')
    return _ask_hosts(writer, "acquire", reason)


def status(writer: ReportWriter) -> int:
    return _ask_hosts(writer, "status")


def release(writer: ReportWriter) -> int:
    return _ask_hosts(writer, "release")


def _ask_hosts(writer: ReportWriter, action: str, reason: str = "") -> int:
    with closing(connect(open_hosts(writer))) as engine:  # settings may be wrong: a lock needs none
        results = run_lock_command(engine, action, reason)
    if writer.as_json:
        hosts = {name: each.to_json() for name, each in results.items()}
        writer.print_json({"schema": 1, "command": f"lock {action}", "hosts": hosts})
    else:
        _show(results)
    return EXIT_FAILED if any(each.failed for each in results.values()) else 0


def _show(results: dict[str, LockResult]) -> None:
    width = max(map(len, results))
    for name, each in results.items():
        click.echo(sanitize(f"{name:{width}}  {each.text}"))
        for hint in each.hints:
            click.echo(sanitize(f"{'':{width}}  hint: {hint}"))
