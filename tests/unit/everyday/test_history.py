"""The release records of a host, by the script that reads them, and what differs between two of them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fleethands.cli.output import history_table
from fleethands.everyday.ask_hosts import Answer
from fleethands.everyday.history import NumberedRecord, parse_records, records_script
from fleethands.everyday.record_diff import Difference, diff_records
from fleethands.facts.record import Record
from fleethands.settings.values.secret import MASK

MARK = "@@0123"
ROW: dict[str, Any] = {
    "schema": 1, "time": "2026-11-25T17:02:11Z", "by": "ana@build-2", "run": "r1", "version": "0.1.0", "revision": "",
    "declared": {"ollama_version": "0.24.0", "models": [{"name": "a:1"}], "ollama_env": {"OLLAMA_API_KEY": "hunter2"}},
    "versions": {"ollama": "0.24.0", "models": {"a:1": "ab12"}, "image": {"name": "i", "id": "sha256:1"}},
}  # fmt: skip


def record(**changes: Any) -> Record:
    found = Record.parse(json.dumps({**ROW, **changes}).encode())
    assert found
    return found


def answer(folder: Path) -> list[str]:
    script = records_script(MARK).with_values(records=str(folder / "record"))
    done = subprocess.run(["sh", "-s"], input=script.text, capture_output=True, text=True, check=True, timeout=300)
    first, *body, last = done.stdout.splitlines()
    assert (first, last) == (f"{MARK} begin", f"{MARK} end 0")
    return body


def test_records_are_read_newest_first(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps({**ROW, "by": "bo@x"}))
    (tmp_path / "record-1.json").write_text(json.dumps(ROW))
    (tmp_path / "record-4.json").write_text("{}")
    (tmp_path / "record-5.json").write_text(json.dumps(ROW))

    found = parse_records(answer(tmp_path))

    assert [(each.number, each.record and each.record.by) for each in found] == [
        (1, "bo@x"), (2, "ana@build-2"), (5, None),
    ]  # fmt: skip


def test_a_file_that_is_no_record_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(b" " * 10_000_000)
    (tmp_path / "record-1.json").symlink_to("/etc/shadow")
    os.mkfifo(tmp_path / "record-2.json")

    body = answer(tmp_path)

    assert parse_records(body) == (NumberedRecord(1, None),)
    assert len(body[0]) < 100_000


@pytest.mark.parametrize("row", ["record 7 e30=", "record x e30=", "record 0", "other 0 e30=", "record 0 !"])
def test_a_damaged_answer_is_an_error(row: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse_records([row])


def test_a_diff_has_settings_versions_and_digests() -> None:
    later = record(
        declared={"ollama_version": "0.24.1", "models": [{"name": "a:1"}, {"name": "b:2", "preload": True}]},
        versions={**ROW["versions"], "ollama": "0.24.1", "models": {"a:1": "cd34", "b:2": "ef56"}},
    )

    assert diff_records(record(), later) == [
        Difference("models.b:2.preload", None, "true"),
        Difference("ollama_env.OLLAMA_API_KEY", MASK, None),
        Difference("ollama_version", '"0.24.0"', '"0.24.1"'),
        Difference("versions.models.a:1", '"ab12"', '"cd34"'),
        Difference("versions.models.b:2", None, '"ef56"'),
        Difference("versions.ollama", '"0.24.0"', '"0.24.1"'),
    ]
    assert diff_records(later, later) == []


def test_a_secret_is_shown_as_its_place() -> None:
    before = record(declared={"openhands_env": {"A": {"secret": "env", "place": "OLD"}}})
    after = record(declared={"openhands_env": {"A": {"secret": "file", "place": "/new"}}})

    (found,) = diff_records(before, after)

    assert (found.before, found.after) == ('Secret.env("OLD")', 'Secret.file("/new")')


def test_hostile_values_stay_one_line_of_text() -> None:
    odd = {"key\x1b[31m": "a\nb\x1b]0;owned\x07" * 1000, "other": [[[[1]]]], "secret": {"secret": {"a": 1}}}
    found = [
        *diff_records(record(declared={}), record(declared={"openhands_env": odd})),
        Difference("x", "[red]", None),
    ]

    shown = list(history_table.diff_lines({"box": Answer(())}, {"box": found}))

    assert not [line for line in shown if "\x1b" in line or "\n" in line or len(line) > 400]
    assert "  - x: [red]" in shown


def test_the_table_has_a_row_for_each_record_and_names_hosts_without_any() -> None:
    later = replace(record(), by="[bold]\x1b[31mbo", time="2026-11-26T17:02:11Z")
    answers: dict[str, Answer[tuple[NumberedRecord, ...]]] = {
        "one": Answer((NumberedRecord(1, later), NumberedRecord(2, record()), NumberedRecord(3, None))),
        "two": Answer(()),
        "gone": Answer(None, "no route", ("look",), "unreachable"),
    }

    shown = list(history_table.lines(answers))

    assert [line.split()[:5] for line in shown[2:5]] == [
        ["one", "1", "current", "2026-11-26", "17:02"],
        ["one", "2", "previous", "2026-11-25", "17:02"],
        ["one", "3", "cannot", "be", "read"],
    ]
    assert "[bold]" in shown[2]
    assert shown[5:] == [
        "two: no release record: no proof has held there yet",
        "gone  unreachable: no route",
        "  hint: look",
    ]
