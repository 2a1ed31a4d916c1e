"""A change of the firewall that waits for its confirmation: decisions, scripts, and what a host wrote about it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleethands import paths
from fleethands.facts import Probe
from fleethands.facts.files import File
from fleethands.operations.core.decision import Change, Unchanged
from fleethands.operations.firewall import firewall
from fleethands.operations.firewall.revert import Unconfirmed, restore_script, reverted_note
from fleethands.tasks.firewall import rules
from tests.hosts import bare, declared

TOKEN = "00112233445566ff"  # noqa: S105 (no secret: the name of a change)


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
        ("timeout", "because no new SSH connection confirmed its change in time: run 1a2b3c4d (ana@build-2"),
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
    ["", "confirm: ", f"confirm: {TOKEN}", f"confirm: {TOKEN} 1000", f"confirm: {TOKEN.upper()} 30", "confirm: ; 30"],
)
def test_a_line_that_names_no_change_confirms_nothing(line: str) -> None:
    assert Unconfirmed.parse(line) is None


def test_a_host_is_armed_before_its_rules_change() -> None:
    written = firewall.write_rules.decide(declared(), bare(), render=rules).script.body
    assert written.rindex("arm_revert\n") < written.rindex("atomic_file")


# of programs that a test can't have
STAND_INS = """
nft() { case $1 in list) [ -e "$where/table" ] ;; delete) rm -f "$where/table" ;; esac; }
systemctl() { echo "systemctl $*" >>"$where/calls"; }
logger() { :; }
sh() { echo "load" >>"$where/calls"; [ ! -e "$where/broken" ]; }
flock() { :; }
mkdir() { :; }
"""


def restored(where: Path, *words: str) -> list[str]:
    """What the script on the host calls, on files below a directory. systemd and nft are stand-ins."""
    text = restore_script()
    for path in ("/var/lib/fleethands", "/etc/fleethands", "/etc/systemd/system", "/run/fleethands"):
        text = text.replace(path, f"{where}{path}")
    script = f"where={where}\n{STAND_INS}\n{text}"
    done = subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    calls = where / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def armed(tmp_path: Path) -> Path:
    """A host with new rules that are loaded, and with the rules from before."""
    for path in ("var/lib/fleethands/revert", "etc/fleethands", "etc/systemd/system", "run/fleethands"):
        (tmp_path / path).mkdir(parents=True)
    store = tmp_path / "var/lib/fleethands/revert"
    (store / "armed").write_text(f"{TOKEN}\nanother boot\n1a2b3c4d\nana\n")
    for name in ("rules", "loaded", "enabled"):
        (store / name).write_text("before")
    (tmp_path / "etc/fleethands/firewall.nft").write_text("new")
    (tmp_path / "table").write_text("")
    return tmp_path


def test_the_rules_from_before_are_restored_and_loaded(armed: Path) -> None:
    assert restored(armed, TOKEN) == ["load", "systemctl daemon-reload"]

    assert (armed / "etc/fleethands/firewall.nft").read_text() == "before"
    assert not (armed / "var/lib/fleethands/revert").exists()
    said = (armed / "var/lib/fleethands/reverted").read_text().splitlines()
    assert (said[:3], said[4]) == ([TOKEN, "timeout", "1a2b3c4d"], "ana")


def test_a_host_without_a_firewall_has_none_again(armed: Path) -> None:
    for name in ("rules", "loaded", "enabled"):
        (armed / "var/lib/fleethands/revert" / name).unlink()

    calls = restored(armed, TOKEN)

    assert calls[0] == "systemctl stop fleethands-firewall.service"
    assert not (armed / "table").exists()
    assert not (armed / "etc/fleethands/firewall.nft").exists()


def test_rules_that_do_not_load_leave_no_table_rather_than_a_host_without_ssh(armed: Path) -> None:
    (armed / "broken").write_text("")

    restored(armed, TOKEN)

    assert not (armed / "table").exists()


def test_after_a_reboot_the_unit_of_the_firewall_loads_what_was_restored(armed: Path) -> None:
    assert restored(armed, "boot") == []

    assert (armed / "etc/fleethands/firewall.nft").read_text() == "before"
    assert (armed / "var/lib/fleethands/reverted").read_text().splitlines()[1] == "reboot"


@pytest.mark.parametrize("word", ["ffffffffffffffff", ""])
def test_the_timer_of_an_earlier_change_restores_nothing(armed: Path, word: str) -> None:
    assert restored(armed, word) == []
    assert (armed / "etc/fleethands/firewall.nft").read_text() == "new"
