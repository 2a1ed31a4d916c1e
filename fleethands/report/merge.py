"""Merges the reports of several parts of a fleet into one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fleethands.errors import UsageError
from fleethands.fleet.shard import Shard
from fleethands.report.model import HostReport, Report

ONE_RUN = "name the reports of one run over one fleet"
NAMED = 20  # missing parts that a message lists


class IncompatibleReports(UsageError):
    """Reports that can't be merged."""


def merge_reports(reports: Sequence[Report]) -> tuple[Report, list[str]]:
    """
    Merge reports.

    Returns the merged report, and a line for each host that is in several reports: the later report is used for it. A
    part without a report makes the whole a failure, because the job that should have written it may have died.

    Raises IncompatibleReports for reports of several commands, or of shards with different counts.

    Example: `merged, notes = merge_reports([load_report(path) for path in paths])`.
    """
    commands = sorted({report.command for report in reports})
    if len(commands) > 1:
        raise IncompatibleReports(f"these are reports of different commands: {', '.join(commands)}", ONE_RUN)
    in_order = sorted(reports, key=lambda report: report.started)
    hosts, twice = _hosts(in_order)
    first, end = in_order[0], max(report.started + report.seconds for report in reports)
    whole = Report(commands[0], hosts, first.started, end - first.started)
    whole.words = _one([_undivided(report.words) for report in in_order])
    whole.by = ", ".join(dict.fromkeys(report.by for report in in_order if report.by))
    whole.interrupted = any(report.interrupted for report in reports)
    whole.error = "; ".join(
        dict.fromkeys([*(_part_error(each) for each in in_order if each.error), *_missing(in_order)])
    )
    whole.hints = list(dict.fromkeys(hint for report in in_order for hint in report.hints))
    return whole, twice


def _part_error(report: Report) -> str:
    """The error of a part. One that failed before its hosts were known is missing hosts."""
    return report.error if report.hosts else f"{report.error}, before the hosts of a part were known"


def _hosts(in_order: Sequence[Report]) -> tuple[dict[str, HostReport], list[str]]:
    hosts: dict[str, HostReport] = {}
    twice = []
    for report in in_order:
        for name, host in report.hosts.items():
            if name in hosts and hosts[name].to_json() != host.to_json():
                twice.append(f"{name} is in several reports: the one that began last counts")
            hosts[name] = host
    return hosts, list(dict.fromkeys(twice))


def _missing(reports: Sequence[Report]) -> list[str]:
    try:
        shards = [Shard.parse(report.shard) for report in reports if report.shard]
    except ValueError as error:
        raise IncompatibleReports(f"a report names its part of the fleet {error}", ONE_RUN) from None
    counts = sorted({shard.count for shard in shards})
    if len(counts) > 1:
        raise IncompatibleReports(
            f"these are parts of different divisions: {', '.join(f'of {count}' for count in counts)}", ONE_RUN
        )
    there = {shard.index for shard in shards}
    missing = [index for index in range(1, sum(counts) + 1) if index not in there]
    named = [f"part {index}/{counts[0]} left no report" for index in missing[:NAMED]]
    return named + ([f"{len(missing) - NAMED} parts more left none"] if len(missing) > NAMED else [])


def _undivided(words: str) -> str:
    """The words of a command line without its shard."""
    try:
        parts = shlex.split(words)
    except ValueError:  # no shell's words, so none that one could type
        return ""
    if "--shard" in parts:
        place = parts.index("--shard")
        del parts[place : place + 2]
    return shlex.join(parts)


def _one(words: Sequence[str]) -> str:
    found = list(dict.fromkeys(words))
    return found[0] if len(found) == 1 else ""
