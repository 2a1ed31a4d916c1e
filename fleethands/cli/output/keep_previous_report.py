"""The report of an earlier run is not replaced by one that knows less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleethands.errors import UsageError
from fleethands.report.model import Report

if TYPE_CHECKING:  # its import patches the standard library
    from fleethands.engine.engine import Engine


def keeps_previous_report(
    place: Path, retried: Path | None, report: Report, engine: Engine | None, end: BaseException | None
) -> bool:
    """
    Whether a report.json stays as it is.

    + place: of this file; retried: what `--retry-failed` names, the file or its directory
    + report: would replace it
    + end: the exception that ended this run, if one did

    The file stays if the command line was wrong, because no host was asked. The report that this run retries stays
    until something is done, because the unfinished hosts would be forgotten.
    """
    if not place.exists():
        return False
    if isinstance(end, UsageError):
        return True
    if retried is None or not _is_same(place, retried):
        return False
    return not report.hosts or (end is not None and not _has_begun(engine))


def _is_same(place: Path, retried: Path) -> bool:
    named = retried / place.name if retried.is_dir() else retried
    return named.exists() and named.samefile(place)


def _has_begun(engine: Engine | None) -> bool:
    return engine is not None and engine.is_running
