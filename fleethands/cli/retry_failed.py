"""`--retry-failed REPORT`: the hosts that a run left."""

from __future__ import annotations

from pathlib import Path

from fleethands.command_line import CommandLine
from fleethands.errors import UsageError
from fleethands.report.load import InvalidReport, load_report
from fleethands.report.model import Report

OPTION = "--retry-failed"
DONE = ("changed", "unchanged")
HINT = "reports are written by `fleethands apply --report DIR`, or `--json > report.json`"
COMPLETE = {"", "interrupted"}  # errors of a run that still lists all of its hosts


def unfinished_hosts(path: str, line: CommandLine) -> frozenset[str]:
    """
    Names of the hosts that are not done by a report.json, or by the one in this directory.

    + line: what was typed, for hints

    Raises UsageError for a file that is not a report, and for a report that may lack hosts of its run.
    """
    report = _load(path)
    why = "" if report.error in COMPLETE else f"its run ended before it knew all hosts: {report.error}"
    if not report.hosts and not (report.shard and not report.error):  # a part of a fleet may have none
        why = f"it lists no host{': ' if report.error else ''}{report.error}"
    if why:
        hint = f"run for all hosts, hosts that are done stay as they are: {line.without(OPTION).repeated}"
        raise UsageError(f"`{OPTION} {path}`: {why}", hint)
    return frozenset(name for name, host in report.hosts.items() if host.status not in DONE)


def _load(path: str) -> Report:
    try:
        return load_report(Path(path))
    except InvalidReport as error:
        raise UsageError(f"`{OPTION}`: {error}", HINT) from None
    except OSError as error:
        raise UsageError(f"`{OPTION} {error.filename or path}`: {error.strerror or error}", HINT) from None
