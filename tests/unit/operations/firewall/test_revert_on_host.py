"""The scripts of an automatic revert: what a host stores, restores, keeps and says."""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleethands.operations.core import scripts
from fleethands.operations.firewall.revert import DELAY_UNLOADED, Unconfirmed, restore_script
from fleethands.operations.firewall.scripts import WriteRules
from tests.unit.operations.firewall.on_host import (
    KEY,
    PLACES,
    TOKEN,
    calls,
    change,
    moved,
    restored,
    run_with_revert,
    shell,
)

FILES = ("etc/fleethands/firewall.nft", "etc/fleethands/firewall.sh", "etc/systemd/system/fleethands-firewall.service")
STORE, UNIT = "var/lib/fleethands/revert", "etc/systemd/system/fleethands-revert.service"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host whose firewall is loaded."""
    for path in PLACES:
        (tmp_path / path[1:]).mkdir(parents=True)
    for path in FILES:
        (tmp_path / path).write_text("before")
    (tmp_path / "table").write_text("table before\n")
    return tmp_path


@pytest.fixture
def armed(host: Path) -> Path:
    """A host with new rules that are loaded, and with the firewall from before."""
    store = host / STORE
    store.mkdir()
    for path in FILES:
        (host / path).rename(store / Path(path).name)
        (host / path).write_text("new")
    (store / "armed").write_text(f"{TOKEN}\nanother boot\n1a2b3c4d\nana\n")
    (store / "loaded").write_text("table before\n")
    (store / "enabled").write_text("")
    (host / "table").write_text("table new\n")
    return host


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, errors = process.communicate(timeout=30)
    assert errors == ""
    return process.returncode, out


def confirm(where: Path, token: str = TOKEN) -> str:
    script = Unconfirmed(KEY, token, 30).confirmation
    return finish(shell(where, script.body, **{name: moved(where, each) for name, each in script.values.items()}))[1]


def contents(where: Path) -> list[str]:
    return [(where / path).read_text() for path in FILES]


@contextmanager
def locked(where: Path) -> Iterator[None]:
    with (where / "run/fleethands/lock.revert").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_the_firewall_from_before_is_restored_and_loaded(armed: Path) -> None:
    assert restored(armed, TOKEN, "timeout") == [
        "load",
        "systemctl daemon-reload",
        "systemctl --no-block try-restart fleethands-firewall.service",
    ]

    assert contents(armed) == ["before"] * 3
    assert not (armed / STORE).exists()
    said = (armed / "var/lib/fleethands/reverted").read_text().splitlines()
    assert (said[:3], said[4]) == ([TOKEN, "timeout", "1a2b3c4d"], "ana")


def test_a_host_without_a_firewall_has_none_again(armed: Path) -> None:
    for each in (armed / STORE).iterdir():
        if each.name != "armed":
            each.unlink()

    assert restored(armed, TOKEN, "timeout")[0] == "systemctl stop fleethands-firewall.service"

    assert not any((armed / path).exists() for path in ("table", *FILES))


def test_ports_stay_closed_if_the_files_from_before_do_not_load_the_table(armed: Path) -> None:
    (armed / "broken").write_text("")
    (armed / "run/fleethands/firewall").write_text("of the new rules")

    restored(armed, TOKEN, "timeout")

    assert (armed / "table").read_text() == "table before\n"
    assert not (armed / "run/fleethands/firewall").exists()


def test_a_table_that_does_not_load_at_all_is_removed_rather_than_ssh_lost(armed: Path) -> None:
    for name in ("broken", "broken-nft"):
        (armed / name).write_text("")

    restored(armed, TOKEN, "timeout")

    assert not (armed / "table").exists()


def test_after_a_reboot_the_unit_of_the_firewall_loads_what_was_restored(armed: Path) -> None:
    assert restored(armed, "boot") == []

    assert contents(armed) == ["before"] * 3
    assert (armed / "var/lib/fleethands/reverted").read_text().splitlines()[1] == "reboot"


@pytest.mark.parametrize("word", ["ffffffffffffffff", ""])
def test_the_timer_of_an_earlier_change_restores_nothing(armed: Path, word: str) -> None:
    assert restored(armed, word, "timeout") == []
    assert contents(armed) == ["new"] * 3


def test_a_confirmed_change_is_on_the_disk_before_the_host_says_so(armed: Path) -> None:
    (armed / UNIT).write_text("")

    assert confirm(armed, "ffffffffffffffff") == "\nlate\n"
    assert confirm(armed) == "\nconfirmed\n"

    assert restored(armed, "boot")[0] == f"systemctl stop fleethands-revert-{TOKEN}.timer"
    assert contents(armed) == ["new"] * 3
    synced = (armed / "synced").read_text()
    assert synced.endswith(", not armed\n")
    for place in ("var/lib/fleethands", "etc/systemd/system", "etc/systemd/system/multi-user.target.wants"):
        assert f" {armed}/{place}" in synced.replace(",", " ")
    assert not any((armed / path).exists() for path in (STORE, UNIT))


def test_rules_that_are_only_written_have_longer_until_the_host_reverts_them(host: Path) -> None:
    assert WriteRules(text="new", ports="3000", published="").delay == DELAY_UNLOADED > 60
    assert finish(change(host, "write_rules", text="new", delay=str(DELAY_UNLOADED))) == (0, "")
    written = (host / STORE / "armed").read_text().split("\n")[0]
    digest = hashlib.sha256(b"new").hexdigest()
    assert finish(change(host, "load_rules", digest=digest)) == (0, "loaded\n")

    first, *_, second, stopped = (each for each in calls(host) if "revert" in each)
    assert f"--on-active {DELAY_UNLOADED} " in first
    assert first.endswith(f"{STORE}/restore.sh {written} unloaded")
    assert "--on-active 30 " in second
    assert second.endswith(" timeout")
    assert stopped == f"systemctl stop fleethands-revert-{written}.timer"


def test_what_a_host_stores_is_what_it_restores(host: Path) -> None:
    """The files of the watcher and its unit change between the rules and their load, such as in an upgrade."""
    finish(change(host, "write_rules", text="new"))
    for path in FILES[1:]:
        (host / path).write_text("new")
    digest = hashlib.sha256(b"new").hexdigest()
    finish(change(host, "load_rules", digest=digest))
    (host / "table").write_text("table new\n")
    (host / "broken").write_text("")

    restored(host, (host / STORE / "armed").read_text().split("\n")[0], "timeout")

    assert contents(host) == ["before"] * 3
    assert (host / "table").read_text() == "table before\n"
    assert not (host / UNIT).exists()


def test_a_revert_just_before_the_load_is_noticed(armed: Path) -> None:
    digest = hashlib.sha256(b"new").hexdigest()
    with locked(armed):
        process = change(armed, "load_rules", digest=digest)
        time.sleep(0.3)
        (armed / FILES[0]).write_text("before")

    code, said = finish(process)

    assert (code, said.splitlines()[0]) == (1, f"error: {armed}/{FILES[0]} changed after the plan was made")
    assert calls(armed) == []


def test_a_run_without_a_confirmation_says_where_the_new_rules_are(armed: Path) -> None:
    """The host has reverted them, so `nft list ruleset` does not show them any more."""
    restored(armed, TOKEN, "timeout")

    code, said = finish(run_with_revert(armed, f"token={TOKEN}\nawait_confirmation\n"))

    assert (code, said.splitlines()[1:]) == (
        1,
        [
            "error: no new SSH connection was possible within 30 s, so this host restored its previous firewall",
            "hint: see in the plan which of the new rules blocks SSH",
            "hint: see the rules of other programs, on the host: nft list ruleset",
        ],
    )


def test_without_a_new_ssh_connection_nothing_is_armed(armed: Path) -> None:
    assert finish(change(armed, "write_rules", text="other", confirms="")) == (0, "")

    assert not (armed / STORE).exists()
    assert calls(armed) == [f"systemctl stop fleethands-revert-{TOKEN}.timer"]


def test_a_host_that_dies_while_it_arms_has_no_unit_that_nobody_knows_of(host: Path) -> None:
    (host / "dies").write_text("")
    process = change(host, "load_rules", digest=hashlib.sha256(b"before").hexdigest())

    assert finish(process) == (9, "")

    assert (host / STORE / "restore.sh").exists()
    assert not (host / STORE / "armed").exists()
    assert not (host / UNIT).exists()


def test_a_process_that_keeps_the_lock_delays_a_revert_and_no_more(armed: Path) -> None:
    with locked(armed):
        text = restore_script().replace("flock -w 40 7", "flock -w 0.2 7")
        assert text != restore_script()
        finish(shell(armed, f"sh() {{ :; }}\n{text}", TOKEN, "timeout"))

    assert contents(armed) == ["before"] * 3


def test_nothing_asks_systemd_without_a_limit_while_it_has_the_lock() -> None:
    for text in (restore_script(), Unconfirmed(KEY, TOKEN, 30).confirmation.body, scripts.read("await_confirmation")):
        asked = [line for line in text.splitlines() if re.match(r"[^#']*\bsystem(ctl|d-run) ", line)]
        assert asked
        assert all("timeout " in line for line in asked), asked
