"""`--retry-failed REPORT`: the hosts that a run left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleethands.cli.command_line import typed
from fleethands.cli.errors import USAGE, Trouble
from fleethands.cli.output import report_files
from fleethands.cli.session import spoken

if TYPE_CHECKING:
    from fleethands.report.model import Report

OPTION = "--retry-failed"
DONE = ("changed", "unchanged")
HINT = "reports are written by `fleethands apply --report DIR`, or `--json > report.json`"
WHOLE = {"", "interrupted"}  # what ended a run and hides none of its hosts


def left_by(path: str, words: str) -> frozenset[str]:
    """
    Names of the hosts that are not done by a report.json, or by the one in this directory.

    + words: of the same command without this option, for hints

    Raises Trouble for what is no report, and for one that may not name all hosts of its run.
    """
    report_files.note_retried(path)
    report = _read(path)
    why = "" if report.error in WHOLE else f"its run ended before it could say of all hosts: {report.error}"
    if not report.hosts and not (report.shard and not report.error):  # a part of a fleet may have none
        why = f"it names no host{': ' if report.error else ''}{report.error}"
    if why:
        hint = f"to ask every host, where those that are done have nothing to do: fleethands {words}"
        raise Trouble(f"`{OPTION} {path}`: {why}", hint, code=USAGE)
    return frozenset(name for name, host in report.hosts.items() if host.status not in DONE)


def _read(path: str) -> Report:
    from fleethands.report.load import InvalidReport, load_report  # noqa: PLC0415

    try:
        return load_report(Path(path))
    except InvalidReport as error:
        raise Trouble(f"`{OPTION}`: {error}", HINT, code=USAGE) from None
    except OSError as error:
        place = error.filename or path
        raise Trouble(f"`{OPTION} {place}`: {error.strerror or error}", HINT, code=USAGE) from None


def spoken_of(target: str, options: Mapping[str, Any]) -> str:
    """The hosts and settings of a command line."""
    return spoken(target, options["data"], options["hosts"], options["exclude"], shard=options["shard"])


def without_it(target: str, options: Mapping[str, Any]) -> str:
    """This command line without the option, so over all hosts."""
    words = typed(spoken_of(target, options), "retry_failed")
    return f"apply {words}{' --yes' if options['yes'] else ''}"
