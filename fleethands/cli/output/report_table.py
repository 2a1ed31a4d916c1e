"""Reports as people read them: hosts with the same report folded, nothing by colour alone, the next command last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from fleethands.operations.core.proof_record import Link
from fleethands.operations.core.render_change import render_change
from fleethands.report.model import BAD, HostReport, Report

WORDS = {"pending": "to change", "unchanged": "up to date"}
PROVEN = {**WORDS, "unchanged": "proven"}
ENDINGS = {
    "uninstall": "What fleethands put there is gone; packages stay",
    "rollback": "To stay there, declare it in the inventory: until then `fleethands plan` names what differs",
}


def lines(report: Report, target: str) -> Iterator[str]:
    """The whole report, line by line."""
    yield f"{target}: {_counted(report)}"
    for names, host in folded(report):
        yield ""
        yield f"{', '.join(names)}  {_word(report, host.status)}{': ' + host.reason if host.reason else ''}"
        if report.command == "verify":
            yield from _links(host.proof)
        yield from (f"  hint: {hint}" for hint in host.hints)
        yield from (f"  | {line}" for line in host.log)
        for change in host.changes:
            told = render_change(change.name, change.subject, change, diff=report.command == "plan")
            yield from (f"  {line}" for line in told)
        yield from (f"  note: {note}" for note in host.notes)
    yield ""
    yield _next(report, target)


def _counted(report: Report) -> str:
    statuses = [host.status for host in report.hosts.values()]
    parts = [f"{statuses.count(status)} {_word(report, status)}" for status in sorted(set(statuses))]
    return ", ".join([f"{len(statuses)} host{'s' if len(statuses) != 1 else ''}", *parts])


def _word(report: Report, status: str) -> str:
    return (PROVEN if report.command == "verify" else WORDS).get(status, status)


def _links(proof: Sequence[Link]) -> Iterator[str]:
    width = max((len(link.name) for link in proof), default=0)
    for link in proof:
        yield f"  {'ok    ' if link.ok else 'broken'}  {link.name:{width}}  {link.detail}"


def folded(report: Report) -> Iterator[tuple[list[str], HostReport]]:
    """Hosts that say the same, together: their names, and what they say. The ones that can't go on come last."""

    def key(item: tuple[str, HostReport]) -> tuple[bool, str]:
        host = item[1]
        proof = [(link.name, link.ok, link.detail) for link in host.proof] if report.command == "verify" else []
        said = (host.status, host.reason, host.hints, host.log, host.changes, host.notes, proof)
        return host.status in BAD, repr(said)

    for _, group in groupby(sorted(report.hosts.items(), key=lambda item: (key(item), item[0])), key=key):
        items = list(group)
        yield [name for name, _ in items], items[0][1]


def _next(report: Report, target: str) -> str:
    bad = sorted(name for name, host in report.hosts.items() if host.status in BAD)
    if report.error and not report.interrupted:
        return _again(report, target)
    if any(host.status == "pending" for host in report.hosts.values()):
        left = f" ({', '.join(bad)} left as they are)" if bad else ""
        return f"Run: fleethands {'apply' if report.command == 'plan' else report.command} {target}{left}"
    if bad:
        return _again(report, target)
    if report.command in ENDINGS:
        return ENDINGS[report.command]
    if report.command == "verify":
        return "Every link held"
    return f"Run: fleethands plan {target}" if report.result == "changed" else "Nothing to do"


def _again(report: Report, target: str) -> str:
    return f"When the cause is gone, run: fleethands {report.command} {target}".rstrip()
