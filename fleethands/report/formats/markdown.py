"""A report as Markdown, for the summary page of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from fleethands.report.formats.wording import (
    MARKS,
    HostGroup,
    group_hosts,
    join_names,
    number_of_hosts,
    show_duration,
    status_word,
    summarize_changes,
    verdict,
)
from fleethands.report.model import BAD, Report, format_timestamp
from fleethands.speed import format_rates
from fleethands.text.sanitize import sanitize

FEW = 3  # changes that fit into the table
MOST = 50  # rows: GitHub accepts 1 MiB for a step
LONGEST = 300  # characters of a reason
_ACTIVE = re.compile(r"([\\`*_\[\]|~<>&$@])")


def render_markdown(report: Report) -> str:
    """A heading with the result, a table of hosts, and the next steps."""
    return "\n".join([*_lines(report), ""])


def _lines(report: Report) -> Iterator[str]:
    shard = f" (part {escape_markdown(report.shard)})" if report.shard else ""
    command, sentence = escape_markdown(report.command), escape_markdown(verdict(report))
    yield f"### {MARKS.get(report.result, '✔')} fleethands {command}{shard}: {sentence}"
    yield ""
    line = f"fleethands {report.command} {report.words}".strip()
    when, duration = format_timestamp(report.started), show_duration(report.seconds)
    yield f"{_code(line)} · {when} · {duration} · {escape_markdown(report.by)}"
    yield ""
    if report.error:
        yield f"**{escape_markdown(report.error)}**"
        yield from ("", *(f"- {escape_markdown(hint)}" for hint in report.hints), "")
    found = list(group_hosts(report))
    if found:
        yield from _table(report, found)
        yield from _next(found)
        yield from _changes(found)


def _table(report: Report, found: list[HostGroup]) -> Iterator[str]:
    measured = any(host.speed for host in report.hosts.values())
    yield f"| host | result | why |{' speed |' if measured else ''} longest |"
    yield f"| --- | --- | --- |{' --- |' if measured else ''} ---: |"
    for group in found[:MOST]:
        status = group.host.status
        longest = max(report.hosts[name].seconds for name in group.names)
        result = f"{MARKS.get(status, '')} {status_word(report, status)}".strip()
        speeds = [speed for name in group.names if (speed := report.hosts[name].speed)]
        cells = [_who(group.names), result, _why(group), *([format_rates(speeds)] if measured else [])]
        cells = [escape_markdown(cell) for cell in cells]
        yield f"| {' | '.join(cells)} | {show_duration(longest)} |"
    if left := found[MOST:]:
        number = number_of_hosts(sum(len(group.names) for group in left))
        yield f"| {number} more | see report.html | | |{' |' if measured else ''}"
    yield ""


def _who(names: list[str]) -> str:
    return f"{join_names(names)} ({number_of_hosts(len(names))})" if len(names) > 1 else names[0]


def _why(group: HostGroup) -> str:
    if group.host.reason:
        return group.host.reason
    made = group.host.changes
    if len(made) > FEW:
        return summarize_changes(made)
    return "; ".join(f"{each.subject}: {each.before} → {each.after}" for each in made)


def _next(found: list[HostGroup]) -> Iterator[str]:
    for group in found[:MOST]:
        if group.host.status in BAD and (group.host.hints or group.host.log):
            yield f"**{escape_markdown(_who(group.names))}**"
            yield ""
            yield from (f"- {escape_markdown(hint)}" for hint in group.host.hints)
            yield from (f"- {_code(line)}" for line in group.host.log[-5:])
            yield ""


def _changes(found: list[HostGroup]) -> Iterator[str]:
    """The changes, folded, where the table has no room for them."""
    for group in found[:MOST]:
        if len(group.host.changes) > FEW:
            summary = f"{escape(sanitize(_who(group.names)))}: {len(group.host.changes)} changes"
            yield f"<details><summary>{summary}</summary>"
            yield ""
            for each in group.host.changes:
                then = f"; {each.consequence}" if each.consequence else ""
                yield f"- {escape_markdown(f'{each.operation}: {each.subject}: {each.before} → {each.after}{then}')}"
            yield from ("", "</details>", "")


def escape_markdown(text: str) -> str:
    """A text on one line, with everything escaped that Markdown would interpret."""
    whole = " ".join(sanitize(text).split())
    short = whole if len(whole) <= LONGEST else whole[: LONGEST - 1] + "…"
    return _ACTIVE.sub(r"\\\1", short)


def _code(text: str) -> str:
    whole = " ".join(sanitize(text).split())
    fence = "`" * (max((len(run) for run in re.findall("`+", whole)), default=0) + 1)
    pad = " " if "`" in whole else ""
    return f"{fence}{pad}{whole}{pad}{fence}"
