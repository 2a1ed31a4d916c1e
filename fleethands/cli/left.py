"""`--retry-failed REPORT`: the hosts that a run left."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from fleethands.cli.showing import finish
from fleethands.cli.trouble import USAGE, Trouble

DONE = ("changed", "unchanged")
HINT = "reports are written by `fleethands apply --report DIR`, or `--json > report.json`"


def left_by(path: str) -> frozenset[str]:
    """Names of the hosts that are not done by a report.json, or by the one in this directory. Raises Trouble."""
    from fleethands.rollout.reread import NoReport, read  # noqa: PLC0415

    try:
        report = read(Path(path))
    except NoReport as error:
        raise Trouble(f"`--retry-failed`: {error}", HINT, code=USAGE) from None
    except OSError as error:
        place = error.filename or path
        raise Trouble(f"`--retry-failed {place}`: {error.strerror or error}", HINT, code=USAGE) from None
    return frozenset(name for name, host in report.hosts.items() if host.status not in DONE)


def nothing_left(path: str | None, as_json: bool) -> NoReturn:
    """A report of which every host is done is no error."""
    from fleethands.rollout.report import Report  # noqa: PLC0415

    click.echo(f"nothing is left by {path}: every host of it is done", err=True)
    finish(Report("apply", {}), as_json, "")
