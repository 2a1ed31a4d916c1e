"""Reports as people read them: hosts with the same report folded, nothing by colour alone, the next command last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from fleethands.command_line import CommandLine
from fleethands.operations.core.proof_record import Link
from fleethands.operations.core.render_change import render_change
from fleethands.report.model import BAD, HostReport, Report
from fleethands.speed import Speed, format_rate, format_rates

WORDS = {"pending": "to change", "unchanged": "up to date"}
PROVEN = {**WORDS, "unchanged": "proven"}
ENDINGS = {
    "uninstall": "What fleethands put on the hosts is removed; packages stay",
    "rollback": "To keep this state, write it into the inventory: until then `fleethands plan` shows the differences",
}


def lines(report: Report, line: CommandLine) -> Iterator[str]:
    """
    The whole report, line by line.

    + line: the command that the report is of
    """
    yield f"{line.fleet.arguments}: {_counted(report)}"
    for names, host in folded(report):
        yield ""
        yield f"{', '.join(names)}  {_word(report, host.status)}{': ' + host.reason if host.reason else ''}"
        if report.command == "verify":
            yield from _links(host.proof, _speeds(report, names))
        elif host.status == "changed" and (speeds := _speeds(report, names)):
            yield f"  speed: {_describe_speeds(speeds)}"
        yield from (f"  hint: {hint}" for hint in host.hints)
        yield from (f"  | {each}" for each in host.log)
        for change in host.changes:
            told = render_change(change.name, change.subject, change, diff=report.command == "plan")
            yield from (f"  {each}" for each in told)
        yield from (f"  note: {note}" for note in host.notes)
    yield ""
    yield _next(report, line)


def _counted(report: Report) -> str:
    statuses = [host.status for host in report.hosts.values()]
    parts = [f"{statuses.count(status)} {_word(report, status)}" for status in sorted(set(statuses))]
    return ", ".join([f"{len(statuses)} host{'s' if len(statuses) != 1 else ''}", *parts])


def _word(report: Report, status: str) -> str:
    return (PROVEN if report.command == "verify" else WORDS).get(status, status)


def _speeds(report: Report, names: Sequence[str]) -> list[Speed]:
    return [speed for name in names if (speed := report.hosts[name].speed)]


def _describe_speeds(speeds: Sequence[Speed]) -> str:
    """Of one host with the speed before; of several hosts the slowest and the fastest."""
    before = [speed.before for speed in speeds if speed.before]
    known = f", {format_rate(before[0])} before" if len(speeds) == 1 and before else ""
    return f"{format_rates(speeds)}{known}"


def _links(proof: Sequence[Link], speeds: Sequence[Speed]) -> Iterator[str]:
    """+ speeds: of all hosts with these links"""
    width = max((len(link.name) for link in proof), default=0)
    for link in proof:
        yield f"  {'ok    ' if link.ok else 'broken'}  {link.name:{width}}  {_detail(link, speeds)}"


def _detail(link: Link, speeds: Sequence[Speed]) -> str:
    return f"{format_rates(speeds)} on {len(speeds)} hosts" if link.speed and len(speeds) > 1 else link.detail


def folded(report: Report) -> Iterator[tuple[list[str], HostReport]]:
    """Hosts with the same report, together: their names, and the report. Unsuccessful hosts come last."""

    def key(item: tuple[str, HostReport]) -> tuple[bool, str]:
        host = item[1]
        proof = [_compared(link) for link in host.proof] if report.command == "verify" else []
        said = (host.status, host.reason, host.hints, host.log, host.changes, host.notes, proof)
        return host.status in BAD, repr(said)

    for _, group in groupby(sorted(report.hosts.items(), key=lambda item: (key(item), item[0])), key=key):
        items = list(group)
        yield [name for name, _ in items], items[0][1]


def _compared(link: Link) -> tuple[str, bool, str]:
    """What is the same on hosts that are shown together. Each host has a speed of its own."""
    return link.name, link.ok, "" if link.ok and link.speed else link.detail


def _next(report: Report, line: CommandLine) -> str:
    bad = sorted(name for name, host in report.hosts.items() if host.status in BAD)
    if report.error and not report.interrupted:
        return f"Fix the cause, then run: {line}"
    if any(host.status == "pending" for host in report.hosts.values()):
        left = f" ({', '.join(bad)}: not changed)" if bad else ""
        return f"Run: {line.for_command('apply') if report.command == 'plan' else line}{left}"
    if bad:
        return f"Fix the cause, then run: {line}"
    if report.command in ENDINGS:
        return ENDINGS[report.command]
    if report.command == "verify":
        return "All hosts are proven"
    return f"Run: {line.for_command('plan')}" if report.result == "changed" else "Nothing to do"
