"""The report of an earlier run, where this run's would lie: it is not replaced by one that knows less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleethands.cli.errors import USAGE, Trouble

if TYPE_CHECKING:
    from fleethands.engine.engine import Engine
    from fleethands.report.model import Report


def stays(place: Path, retried: Path | None, report: Report, engine: Engine | None, end: BaseException | None) -> bool:
    """
    Whether a report.json stays as it is.

    + place: of this file; retried: what `--retry-failed` names, the file or its directory
    + report: would take its place
    + end: the exception that ended this run, if one did

    It does where wrong words ended the run, and no host was asked; and the one that this run takes up is not replaced
    before something is done: what is left would not be known any more.
    """
    if not place.exists():
        return False
    if isinstance(end, Trouble) and end.code == USAGE:
        return True
    if retried is None or not _is_same(place, retried):
        return False
    return not report.hosts or (end is not None and not _is_begun(engine))


def _is_same(place: Path, retried: Path) -> bool:
    named = retried / place.name if retried.is_dir() else retried
    return named.exists() and named.samefile(place)


def _is_begun(engine: Engine | None) -> bool:
    from pyinfra.api.state import StateStage  # noqa: PLC0415

    return engine is not None and engine.state.current_stage >= StateStage.Execute
