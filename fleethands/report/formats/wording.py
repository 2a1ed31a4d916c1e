"""Sentences about a report: its result, its numbers, and hosts with the same result together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleethands.report.model import BAD, ChangeReport, HostReport, Report
from fleethands.text.format import format_duration

ORDER = ("failed", "rolled-back", "unreachable", "refused", "not-run", "changed", "pending", "unchanged")
WORDS = {
    "rolled-back": "rolled back",
    "not-run": "not run",
    "pending": "to change",
    "unchanged": "up to date",
}
OF_COMMAND = {
    "verify": {"unchanged": "proven"},
    "status": {"unchanged": "as declared", "pending": "drifted"},
    "uninstall": {"changed": "removed", "unchanged": "nothing there"},
}
MARKS = {
    "failed": "✖",
    "rolled-back": "↩",
    "unreachable": "✖",
    "refused": "✖",
    "not-run": "–",
    "changed": "✔",
    "pending": "△",
    "unchanged": "✔",
    "interrupted": "✖",
}


@dataclass(frozen=True)
class HostGroup:
    """Hosts with the same result and the same messages. `host` is one of them."""

    names: list[str]
    host: HostReport


def status_word(report: Report, status: str) -> str:
    """The word for a status that fits the command. Example: `proven` for `unchanged` in `verify`."""
    return OF_COMMAND.get(report.command, {}).get(status) or WORDS.get(status, status)


def ordered_statuses(report: Report) -> list[str]:
    """The statuses that occur, the worst first."""
    found = {host.status for host in report.hosts.values()}
    return sorted(found, key=lambda status: (ORDER.index(status) if status in ORDER else -1, status))


def count_hosts(report: Report, status: str) -> int:
    """The number of hosts with a status."""
    return sum(1 for host in report.hosts.values() if host.status == status)


def summarize_statuses(report: Report) -> str:
    """The number of hosts, in all and by status. Example: `3 hosts, 1 failed, 2 changed`."""
    parts = [f"{count_hosts(report, status)} {status_word(report, status)}" for status in ordered_statuses(report)]
    return ", ".join([number_of_hosts(len(report.hosts)), *parts])


def number_of_hosts(number: int) -> str:
    """A number of hosts. Example: `1 host`."""
    return f"{number} host" if number == 1 else f"{number} hosts"


def summarize_changes(made: list[ChangeReport]) -> str:
    """The number of changes, and their tasks. Example: `2 changes: Ollama, Models`."""
    number = f"{len(made)} change" if len(made) == 1 else f"{len(made)} changes"
    return f"{number}: {', '.join(dict.fromkeys(each.task for each in made))}"


def verdict(report: Report) -> str:
    """The result of the run in one sentence."""
    whole, bad = len(report.hosts), sum(count_hosts(report, status) for status in BAD)
    if report.error and not bad:
        return report.error
    if report.interrupted:
        return f"Interrupted: {bad} of {number_of_hosts(whole)} did not succeed"
    if bad:
        return f"{bad} of {number_of_hosts(whole)} did not succeed" if whole > 1 else "The host did not succeed"
    if not whole:
        retried = "--retry-failed" in report.words
        return "No host is left to do" if retried else "No host is of this part of the fleet"
    return _good(report, whole)


def _good(report: Report, whole: int) -> str:
    changed, pending = count_hosts(report, "changed"), count_hosts(report, "pending")
    who = "The host" if whole == 1 else f"All {whole} hosts"
    are = "is" if whole == 1 else "are"
    if pending:
        what = "differs from its declaration" if report.command == "status" else "would change"
        return f"{pending} of {number_of_hosts(whole)} {what}"
    if report.command == "verify":
        return f"{who} {are} proven: a prompt gets an answer along the whole way"
    if report.command == "status":
        return f"{who} {are} as declared"
    if changed and report.command == "uninstall":
        return f"{changed} of {number_of_hosts(whole)} removed"
    if changed:
        return (
            f"{changed} of {whole} hosts changed; all are in order"
            if whole > 1
            else "The host changed, and is in order"
        )
    return f"Nothing to do: {who[0].lower() + who[1:]} {are} up to date"


def group_hosts(report: Report) -> Iterator[HostGroup]:
    """Hosts in groups with the same result and the same messages, the worst first."""
    found: dict[str, HostGroup] = {}
    for status in ordered_statuses(report):
        for name, host in sorted(report.hosts.items()):
            if host.status == status:
                shown = (status, host.reason, host.hints, host.log, host.changes)
                found.setdefault(repr(shown), HostGroup([], host)).names.append(name)
    yield from found.values()


def join_names(names: list[str], most: int = 6) -> str:
    """Up to `most` names, and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def show_duration(seconds: float) -> str:
    """A duration in a table, a dash for none."""
    return format_duration(seconds) if seconds else "–"
