"""A change of the firewall that waits for its confirmation: decisions, scripts, and what a host wrote about it."""

from __future__ import annotations

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.firewall import firewall
from fleethands.operations.firewall.revert import Unconfirmed, reverted_note
from fleethands.tasks.firewall import rules
from tests.hosts import bare, declared
from tests.unit.operations.firewall.on_host import KEY, TOKEN


def on_host(path: str, content: bytes) -> Probe:
    return with_firewall().with_file(path, File("file", "0644", owner="root:root", content=content))


def with_firewall() -> Probe:
    seen = bare()
    for step in (firewall.write_rules, firewall.load_rules):
        change = step.decide(declared(), seen, render=rules)
        assert isinstance(change, Change)
        seen = change.predict(seen)
    return seen


def test_a_change_that_no_run_confirmed_is_loaded_again() -> None:
    seen = on_host(paths.REVERT_ARMED, b"")

    change = firewall.load_rules.decide(declared(), seen, render=rules)

    assert isinstance(change, Change)
    assert change.before == "loaded, but no new SSH connection has confirmed it"
    assert isinstance(firewall.load_rules.decide(declared(), change.predict(seen), render=rules), Unchanged)


def test_an_armed_revert_alone_is_removed() -> None:
    seen = bare().with_file(paths.REVERT_ARMED, File("file", "0644", owner="root:root", content=b""))

    change = firewall.remove_table.decide(declared(firewall=False), seen)

    assert isinstance(change, Change)
    assert isinstance(firewall.remove_table.decide(declared(firewall=False), change.predict(seen)), Unchanged)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("timeout", "no new SSH connection confirmed its change in time (run 1a2b3c4d of ana@build-2 since then); "),
        ("unloaded", "because its run wrote new rules and did not load them (run 1a2b3c4d of "),
        ("reboot", "because it rebooted before"),
        ("failed", "because the changed one did not load"),
        ("\x1b[31m", "because its change was not confirmed"),
    ],
)
def test_what_the_host_reverted_is_a_note_of_the_next_plan(reason: str, told: str) -> None:
    record = f"{TOKEN}\n{reason}\n1a2b3c4d\n2026-11-30 03:30:00 UTC\nana@build-2 since then\n"

    decision = firewall.load_rules.decide(declared(), on_host(paths.REVERTED, record.encode()), render=rules)

    assert isinstance(decision, Unchanged)
    (note,) = decision.notes
    assert note.startswith("at 2026-11-30 03:30:00 UTC this host restored its previous firewall by itself, ")
    assert told in note
    assert "\x1b" not in note


@pytest.mark.parametrize("record", [b"", b"\xff", b"one\ntwo\n", b"\n" * 3 + b"x" * 70_000])
def test_a_record_of_someone_else_is_short_or_nothing(record: bytes) -> None:
    assert sum(map(len, reverted_note(on_host(paths.REVERTED, record)))) < 1500


@pytest.mark.parametrize(
    "line",
    [
        "",
        "confirm: ",
        f"confirm: {TOKEN} 30",
        f"confirm: {KEY} {TOKEN} 1000",
        f"confirm: {KEY.upper()} {TOKEN} 30",
        "confirm: ; ; 30",
    ],
)
def test_a_line_that_names_no_change_confirms_nothing(line: str) -> None:
    assert Unconfirmed.parse(line) is None
