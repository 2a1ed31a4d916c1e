"""`fleethands history`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import click

from fleethands.cli.errors import EXIT_FAILED
from fleethands.cli.optional_settings import read_optional_settings
from fleethands.cli.output import history_table
from fleethands.cli.output.report_writer import ReportWriter
from fleethands.cli.session import connect, open_hosts
from fleethands.everyday.ask_hosts import Answer, ask_hosts
from fleethands.everyday.history import NumberedRecord, parse_records, records_script
from fleethands.everyday.record_diff import Difference, diff_records

NAMES = {"current": 1, "previous": 2}
Records = tuple[NumberedRecord, ...]


def run(writer: ReportWriter, diff: tuple[str, str] | None) -> int:
    engine = open_hosts(writer)
    _, mask = read_optional_settings(engine)
    with closing(connect(engine)):
        answers = ask_hosts(engine, lambda _, mark: records_script(mark), lambda _, lines: parse_records(lines))
    pair = (_number(diff[0]), _number(diff[1])) if diff else None
    diffs = _diff_hosts(answers, pair) if pair else {}
    if writer.as_json:
        writer.print_json(mask.all(_document(answers, diffs, pair, engine.monitor.commands)))
    else:
        shown = history_table.diff_lines(answers, diffs) if pair else history_table.lines(answers)
        for line in shown:
            click.echo(mask.text(line))
    unread = any(each.value is None for each in answers.values())
    return EXIT_FAILED if unread or any(isinstance(each, str) for each in diffs.values()) else 0


def _number(name: str) -> int:
    return NAMES.get(name) or int(name)


def _diff_hosts(answers: Mapping[str, Answer[Records]], pair: tuple[int, int]) -> dict[str, list[Difference] | str]:
    """By host: what differs, or why that is unknown."""
    return {name: _diff(each.value, *pair) for name, each in answers.items() if each.value is not None}


def _diff(records: Records, before: int, after: int) -> list[Difference] | str:
    known = {each.number: each.record for each in records}
    for number in (before, after):
        if number not in known:
            return f"the host has no record {number}: it has {len(known)}"
        if known[number] is None:
            return f"record {number} cannot be read"
    old, new = known[before], known[after]
    return diff_records(old, new) if old and new else []


def _document(
    answers: Mapping[str, Answer[Records]],
    diffs: Mapping[str, list[Difference] | str],
    pair: tuple[int, int] | None,
    commands: Mapping[str, int],
) -> dict[str, Any]:
    bad = any(each.value is None for each in answers.values()) or any(isinstance(each, str) for each in diffs.values())
    hosts = {}
    for name, answer in sorted(answers.items()):
        hosts[name] = {
            "status": answer.status,
            "reason": answer.reason,
            "hints": list(answer.hints),
            "remote_commands": commands.get(name, 0),
            "records": [_record(each) for each in answer.value or ()],
        }
        if pair and name in diffs:
            found = diffs[name]
            hosts[name]["diff"] = [] if isinstance(found, str) else [each.__dict__ for each in found]
            hosts[name]["reason"] = found if isinstance(found, str) else answer.reason
    result = "failed" if bad else "done"
    return {"schema": 1, "command": "history", "result": result, "diff": list(pair or ()), "hosts": hosts}


def _record(each: NumberedRecord) -> dict[str, Any]:
    """A record without its settings, which may have private values."""
    found = each.record
    if found is None:
        return {"record": each.number, "readable": False}
    words = {word: getattr(found, word) for word in ("time", "by", "run", "version", "revision", "versions")}
    speed = found.speed.to_json() if found.speed else None
    return {"record": each.number, "readable": True, **words, "speed": speed}
