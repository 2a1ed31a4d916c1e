"""Which release record a host goes back to, and why not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.probe import Container, Docker, File
from fleethands.facts.record import Record
from fleethands.operations import back, origin, record
from fleethands.operations.change import Refused, Same
from fleethands.settings import HostSettings, Secret
from tests.hosts import bare, declared

PROVEN = {paths.PROOF: "list\tok\t1\t\t\n"}
BROKEN = {paths.PROOF: "list\tbroken\t1\tno such model\t\n"}


def kept(settings: HostSettings, seen: Probe | None = None, **more: Any) -> str:
    """A record's text, as the proof's script writes it."""
    row = record.entry(settings, seen or bare(settings))
    return row["entry"] + f', "run": "r1", "time": "2026-11-25T17:02:11Z"{"".join(more.values())}}}'


def host(**files: str) -> Probe:
    seen = bare()
    for path, content in files.items():
        seen = seen.with_file(path, File("file", "0600", content=content.encode()))
    return seen


LAST, BEFORE = declared(ollama_keep_alive="1m", models_prune=True), declared(ollama_keep_alive="2m")
RECORDS = {paths.RECORD: kept(LAST), paths.RECORD_BEFORE: kept(BEFORE)}


@pytest.mark.parametrize(
    ("proof", "wanted", "settings"),
    [
        (PROVEN, None, BEFORE),
        (BROKEN, None, LAST),
        ({}, None, LAST),
        (PROVEN, "last", LAST),
        (BROKEN, "before", BEFORE),
    ],
)
def test_it_follows_from_what_is_proven(proof: dict[str, str], wanted: str | None, settings: HostSettings) -> None:
    way = back.find(declared(), host(**RECORDS, **proof), wanted)

    assert (way.problem, way.settings) == (None, settings)
    assert (way.gentle.models_prune, way.gentle.openhands_pull) == (False, "missing")
    assert str(way.record) == f"2026-11-25 17:02 UTC by {origin.who()}"


@pytest.mark.parametrize(
    ("files", "wanted", "reason", "hint"),
    [
        ({}, None, "there is no record to go back to: nothing was proven here yet", "declare another release"),
        (
            {**PROVEN, paths.RECORD: kept(LAST)},
            None,
            "there is no record to go back to: nothing was proven here before what was proven last",
            "add `--to last`: what was proven last is there",
        ),
        ({paths.RECORD: "{"}, None, f"its record {paths.RECORD} can't be read", "declare what is to be there"),
        ({paths.RECORD: '{"schema": 2}'}, None, f"its record {paths.RECORD} can't be read", "declare"),
        (RECORDS, "first", "`fleethands_back`: expected `last` or `before`, got `first`", ""),
    ],
)
def test_a_host_is_refused_with_the_reason(files: dict[str, str], wanted: str | None, reason: str, hint: str) -> None:
    way = back.find(declared(), host(**files), wanted)

    decision = back.chosen.decide(way.gentle, host(**files), way)
    assert isinstance(decision, Refused)
    assert decision.reason == reason
    assert "".join(decision.hints).startswith(hint)
    assert way.settings == declared()


def test_a_secret_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    text = kept(declared(openhands_env={"TOKEN": Secret.env("MY_TOKEN")}))
    assert "hunter2" not in text
    monkeypatch.delenv("MY_TOKEN")

    way = back.find(declared(), host(**{paths.RECORD: text}))

    assert way.problem is not None
    assert way.problem.reason == (
        f"the record of 2026-11-25 17:02 UTC by {origin.who()} can't be applied from here: "
        "`openhands_env.TOKEN`: environment variable `MY_TOKEN` is not set"
    )


def test_records_that_moved_since_the_plan_are_refused() -> None:
    way = back.find(declared(), host(**RECORDS, **PROVEN))
    assert isinstance(back.chosen.decide(way.gentle, host(**RECORDS), way), Same)

    moved = host(**{paths.RECORD: kept(declared()), paths.RECORD_BEFORE: kept(LAST)})

    assert isinstance(back.chosen.decide(way.gentle, moved, way), Refused)


def test_a_model_that_is_another_by_now_is_told() -> None:
    way = back.find(declared(), host(**{paths.RECORD: kept(LAST, bare().having(models={"codellama:7b": "a" * 64}))}))

    decision = back.chosen.decide(
        way.gentle, host(**{paths.RECORD: _text(way)}).having(models={"codellama:7b": "b"}), way
    )

    assert decision.notes[1:] == (
        "codellama:7b is another than then: its tag moved, and Ollama keeps one of each name",
    )


def _text(way: back.Back) -> str:
    known = way.record
    return json.dumps({"schema": 1, **known.__dict__}) if known else ""


def test_a_record_says_what_runs_and_moves_the_others_only_for_something_new() -> None:
    container = Container("c1", "running", "sha256:1", {}, "")
    seen = bare().having(docker=Docker(True, "26", container), models={"codellama:7b": "d1"})

    first = record.entry(declared(), seen)

    known = Record.parse((first["entry"] + ', "run": "", "time": ""}').encode())
    assert known is not None
    assert known.versions == {
        "ollama": "0.24.0",
        "models": {"codellama:7b": "d1"},
        "image": {"name": declared().openhands_image, "id": "sha256:1"},
    }
    assert first["shift"] == "first"
    again = seen.with_file(paths.RECORD, File("file", content=kept(declared(), seen).encode()))
    assert record.entry(declared(), again)["shift"] == "no"
    assert record.entry(declared(ollama_keep_alive="1m"), again)["shift"] == "yes"
    assert record.entry(declared(), again.having(models={"codellama:7b": "d2"}))["shift"] == "yes"
