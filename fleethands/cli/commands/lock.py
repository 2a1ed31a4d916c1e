"""`fleethands lock acquire|status|release`."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output.json_document import tell
from fleethands.cli.session import chosen, fleet_options, reached, spoken, unconnected
from fleethands.text.sanitize import clean

if TYPE_CHECKING:
    from fleethands.locks.lock_commands import LockResult


@click.group()
def lock() -> None:
    """Keep hosts from runs, see who has them, free them. A run locks the hosts that it changes by itself."""


@lock.command()
@fleet_options
@click.option("--reason", default="", metavar="TEXT", help="Why, for those who will ask.")
def acquire(target: str | None, reason: str, **options: Any) -> None:
    """Lock hosts for yourself, until you release them: no run changes them, and none waits. Exit 1: one is taken."""
    if not reason.strip():
        raise Trouble("a lock without a reason helps nobody", 'say why: `--reason "new driver"`', code=USAGE)
    _each("acquire", target, reason, **options)


@lock.command()
@fleet_options
def status(target: str | None, **options: Any) -> None:
    """Say who has hosts, since when and why. Exit 1: a host can't be told."""
    _each("status", target, "", **options)


@lock.command()
@fleet_options
def release(target: str | None, **options: Any) -> None:
    """Free hosts, whoever has them, and say who had. A run that had one goes no further there."""
    _each("release", target, "", **options)


def _each(action: str, target: str | None, reason: str, as_json: bool, **options: Any) -> None:
    from fleethands.locks.lock_commands import run_lock_command  # noqa: PLC0415

    target = chosen(target)
    with closing(reached(unconnected(target, **options))) as engine:  # whatever their settings are: a lock asks none
        told = run_lock_command(engine, action, reason)
    if as_json:
        tell(_document(action, told))
    else:
        _show(told, spoken(target, **options))
    sys.exit(1 if any(each.failed for each in told.values()) else 0)


def _document(action: str, told: dict[str, LockResult]) -> dict[str, Any]:
    return {"schema": 1, "command": f"lock {action}", "hosts": {name: each.document() for name, each in told.items()}}


def _show(told: dict[str, LockResult], words: str) -> None:
    width = max(map(len, told))
    for name, each in told.items():
        click.echo(clean(f"{name:{width}}  {each.text}"))
        for hint in each.hints:
            click.echo(clean(f"{'':{width}}  hint: {hint}"))
