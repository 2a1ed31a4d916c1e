"""`--retry-failed REPORT`: the hosts that a run left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import click

from fleethands.cli.showing import finish
from fleethands.cli.trouble import USAGE, Trouble

DONE = ("changed", "unchanged")


def left_by(path: str) -> frozenset[str]:
    """Names of the hosts that are not done by a report.json, or by the one in this directory. Raises Trouble."""
    place = Path(path)
    place = place / "report.json" if place.is_dir() else place
    try:
        hosts = json.loads(place.read_bytes())["hosts"]
        return frozenset(name for name, host in hosts.items() if host["status"] not in DONE)
    except OSError as error:
        _wrong(place, error.strerror or str(error))
    except (ValueError, LookupError, TypeError, AttributeError):
        _wrong(place, "is no report of fleethands")


def nothing_left(path: str | None, as_json: bool) -> NoReturn:
    """A report of which every host is done is no error."""
    from fleethands.rollout.report import Report  # noqa: PLC0415

    click.echo(f"nothing is left by {path}: every host of it is done", err=True)
    finish(Report("apply", {}), as_json, "")


def _wrong(place: Path, problem: str) -> NoReturn:
    raise Trouble(
        f"`--retry-failed {place}`: {problem}",
        "reports are written by `fleethands apply --report DIR`, or `--json > report.json`",
        code=USAGE,
    )
