"""The release records of a fleet, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleethands.cli.output.plain_table import render_table
from fleethands.everyday.ask_hosts import Answer
from fleethands.everyday.history import NumberedRecord
from fleethands.everyday.record_diff import Difference
from fleethands.fleet.selection import join_names

COLUMNS = ("host", "record", "time", "by", "fleethands", "inventory", "Ollama", "models", "OpenHands", "speed")
LONGEST_REVISION = 13  # characters
NAMES = {1: "1 current", 2: "2 previous"}
Records = tuple[NumberedRecord, ...]


def lines(answers: Mapping[str, Answer[Records]]) -> Iterator[str]:
    """A row for each record, then the hosts without any."""
    rows = [_row(name, each) for name, answer in sorted(answers.items()) for each in answer.value or ()]
    if rows:
        yield from render_table(COLUMNS, rows)
    without = [name for name, answer in sorted(answers.items()) if answer.value == ()]
    if without:
        yield f"{join_names(without)}: no release record: no proof has held there yet"
    yield from _problems(answers)


def diff_lines(
    answers: Mapping[str, Answer[Records]], diffs: Mapping[str, Sequence[Difference] | str]
) -> Iterator[str]:
    """Hosts with the same differences share them."""
    groups: dict[Any, list[str]] = {}
    for name, found in sorted(diffs.items()):
        groups.setdefault(found if isinstance(found, str) else tuple(found), []).append(name)
    for found, names in groups.items():
        yield f"{join_names(names)}: {_describe(found)}"
        yield from (f"  {line}" for each in found if isinstance(each, Difference) for line in _difference(each))
    yield from _problems(answers)


def _describe(found: Any) -> str:
    if isinstance(found, str):
        return found
    return f"{len(found)} value{'s differ' if len(found) != 1 else ' differs'}" if found else "the records are the same"


def _difference(each: Difference) -> Iterator[str]:
    if each.before is None:
        yield f"+ {each.path}: {each.after}"
    elif each.after is None:
        yield f"- {each.path}: {each.before}"
    else:
        yield f"~ {each.path}: {each.before} -> {each.after}"


def _problems(answers: Mapping[str, Answer[Records]]) -> Iterator[str]:
    for name, answer in sorted(answers.items()):
        if answer.value is None:
            yield f"{name}  {answer.status}: {answer.reason}"
            yield from (f"  hint: {hint}" for hint in answer.hints)


def _row(name: str, each: NumberedRecord) -> list[str]:
    number, found = NAMES.get(each.number, str(each.number)), each.record
    if found is None:
        return [name, number, "cannot be read", *[""] * 7]
    versions = found.versions
    models = ", ".join(f"{model} {digest[:12]}".strip() for model, digest in versions["models"].items())
    image = versions["image"].get("name", "")
    revision = found.revision if len(found.revision) <= LONGEST_REVISION else f"{found.revision[:LONGEST_REVISION]}…"
    start = [name, number, found.when, found.by, found.version, revision]
    return [*start, versions["ollama"], models, image, str(found.speed or "")]
