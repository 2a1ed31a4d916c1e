"""`fleethands check`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from fleethands.cli.errors import EXIT_FAILED, print_problem
from fleethands.data_pairs import parse_pair
from fleethands.errors import FleethandsError, Problem
from fleethands.fleet.ansible.place import relative_path
from fleethands.fleet.check_fleet import CheckedFleet, Mistake, check_fleet
from fleethands.fleet.selection import HostSelection
from fleethands.fleet.targets import resolve_target
from fleethands.fleet.typed_options import parse_shard
from fleethands.settings.validation.errors import InvalidSetting, join_hosts
from fleethands.text.sanitize import sanitize

MANY = 20  # hosts of one mistake that are named


def run(target: str | None, hosts: str, exclude: str, shard: str, data: Sequence[str], as_json: bool) -> int:
    """Check an inventory, print what was found, and give the exit code."""
    try:
        place = resolve_target(target)
        pick = HostSelection(hosts or "*", exclude)
        found = check_fleet(place, pick, parse_shard(shard), dict(map(parse_pair, data)))
    except FleethandsError as error:
        if as_json:
            _print_json(CheckedFleet(), error=str(error), hints=list(error.hints))
        raise
    if as_json:
        _print_json(found)
    else:
        _show(place, found)
    return EXIT_FAILED if found.mistakes else 0


def _show(target: str, found: CheckedFleet) -> None:
    for note in found.notes:
        click.echo(sanitize(f"note: {note}"), err=True)
    rows = _folded(found.mistakes)
    for row in rows:
        click.echo(f"error: {row}", err=True)
    if not rows:
        count = len(found.hosts)
        click.echo(f"{target}: {count} host{'s' if count != 1 else ''}, no mistakes")
        return
    hints = tuple(dict.fromkeys(hint for each in found.mistakes for hint in each.hints))
    print_problem(Problem(f"{len(rows)} mistake{'s' if len(rows) > 1 else ''}, no host was contacted", hints))


def _folded(mistakes: Sequence[Mistake]) -> list[str]:
    """A line for each mistake, with all hosts that have it."""
    rows: dict[str, list[str]] = {}
    for each in mistakes:
        row, place = each.setting, f" ({each.place})" if each.place and each.setting.path else ""
        text = str(InvalidSetting("", row.path, f"{row.problem}{place}")).removeprefix(": ")
        rows.setdefault(text if row.path else sanitize(row.problem), []).append(row.host)
    return [f"{join_hosts(sorted(hosts), MANY)}: {text}" if any(hosts) else text for text, hosts in rows.items()]


def _print_json(found: CheckedFleet, error: str = "", hints: Sequence[str] = ()) -> None:
    document = {
        "schema": 1,
        "command": "check",
        "result": "failed" if error or found.mistakes else "unchanged",
        "error": error,
        "hints": list(hints),
        "hosts": found.hosts,
        "mistakes": list(_rows(found.mistakes)),
        "notes": found.notes,
    }
    click.echo(json.dumps(document, indent=2))


def _rows(mistakes: Sequence[Mistake]) -> Iterator[dict[str, Any]]:
    for each in mistakes:
        row = each.setting
        yield {
            "host": row.host or None,
            "key": row.path or None,
            "file": relative_path(each.place.file) if each.place else None,
            "line": each.place.line or None if each.place else None,
            "problem": sanitize(row.problem),
            "expected": row.expected,
            "given": row.given,
            "nearest": row.nearest,
            "hints": list(each.hints),
        }
