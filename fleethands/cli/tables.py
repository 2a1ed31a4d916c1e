"""Reports as people read them: hosts with the same report folded, nothing by colour alone, the next command last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from fleethands.rollout.report import HostReport, Report

WORDS = {"pending": "to change", "unchanged": "up to date"}


def lines(report: Report, target: str) -> Iterator[str]:
    """The whole report, line by line."""
    counts = sorted({host.status for host in report.hosts.values()})
    parts = [
        f"{sum(host.status == status for host in report.hosts.values())} {WORDS.get(status, status)}"
        for status in counts
    ]
    yield f"{target}: {len(report.hosts)} hosts, {', '.join(parts)}"
    for names, host in _folded(report):
        yield ""
        yield f"{', '.join(names)}  {WORDS.get(host.status, host.status)}{': ' + host.reason if host.reason else ''}"
        yield from (f"  hint: {hint}" for hint in host.hints)
        yield from _changes(host)
    yield ""
    yield _next(report, target)


def _folded(report: Report) -> Iterator[tuple[list[str], HostReport]]:
    def key(item: tuple[str, HostReport]) -> str:
        host = item[1]
        return repr((host.status, host.reason, host.hints, host.changes))

    for _, group in groupby(sorted(report.hosts.items(), key=lambda item: (key(item), item[0])), key=key):
        items = list(group)
        yield [name for name, _ in items], items[0][1]


def _changes(host: HostReport) -> Iterator[str]:
    width = max((len(f"{change.task} | {change.operation}") for change in host.changes), default=0)
    for change in host.changes:
        name = f"{change.task} | {change.operation}"
        yield f"  ~ {name:<{width}}  {change.before} -> {change.after}"


def _next(report: Report, target: str) -> str:
    if report.result == "pending":
        return f"Run: fleethands apply {target}"
    bad = [name for name, host in report.hosts.items() if host.status in {"failed", "refused", "unreachable"}]
    if bad:
        return f"When the cause is gone, run: fleethands apply {target}"
    return f"Run: fleethands plan {target}" if report.command == "apply" else "Nothing to do"
