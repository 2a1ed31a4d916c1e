"""A report as Markdown, for the page that a CI shows of a job."""

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
    status_word,
    summarize_changes,
    took,
    verdict,
)
from fleethands.report.model import BAD, Report, format_timestamp
from fleethands.text.sanitize import sanitize

FEW = 3  # changes that the table has room for
MOST = 50  # rows; GitHub takes 1 MiB of a step
LONGEST = 300  # characters of a reason
_ACTIVE = re.compile(r"([\\`*_\[\]|~<>&$@])")


def render_markdown(report: Report) -> str:
    """A heading with the verdict, a table of who ended how, and what to do next."""
    return "\n".join([*_lines(report), ""])


def _lines(report: Report) -> Iterator[str]:
    shard = f" (part {escape_markdown(report.shard)})" if report.shard else ""
    title = f"fleethands {escape_markdown(report.command)}{shard}: {escape_markdown(verdict(report))}"
    yield f"### {MARKS.get(report.result, '✔')} {title}"
    yield ""
    line = f"fleethands {report.command} {report.words}".strip()
    yield f"{_code(line)} · {format_timestamp(report.started)} · {took(report.seconds)} · {escape_markdown(report.by)}"
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
    yield "| host | result | why | longest |"
    yield "| --- | --- | --- | ---: |"
    for group in found[:MOST]:
        status = group.host.status
        longest = max(report.hosts[name].seconds for name in group.names)
        result = f"{MARKS.get(status, '')} {status_word(report, status)}".strip()
        cells = map(escape_markdown, (_who(group.names), result, _why(group)))
        yield f"| {' | '.join(cells)} | {took(longest)} |"
    if left := found[MOST:]:
        yield f"| {number_of_hosts(sum(len(group.names) for group in left))} more | see report.html | | |"
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
    """What changes, folded, where the table has no room for it."""
    for group in found[:MOST]:
        if len(group.host.changes) > FEW:
            names = escape(sanitize(_who(group.names)))
            yield f"<details><summary>{names}: {len(group.host.changes)} changes</summary>"
            yield ""
            for each in group.host.changes:
                then = f"; {each.consequence}" if each.consequence else ""
                yield f"- {escape_markdown(f'{each.operation}: {each.subject}: {each.before} → {each.after}{then}')}"
            yield from ("", "</details>", "")


def escape_markdown(text: str) -> str:
    """A text that Markdown takes as it is, on one line."""
    whole = " ".join(sanitize(text).split())
    short = whole if len(whole) <= LONGEST else whole[: LONGEST - 1] + "…"
    return _ACTIVE.sub(r"\\\1", short)


def _code(text: str) -> str:
    whole = " ".join(sanitize(text).split())
    fence = "`" * (max((len(run) for run in re.findall("`+", whole)), default=0) + 1)
    pad = " " if "`" in whole else ""
    return f"{fence}{pad}{whole}{pad}{fence}"
