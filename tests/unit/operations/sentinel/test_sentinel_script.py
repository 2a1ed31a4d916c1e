"""What the sentinel reports once, keeps and repeats: its own script, with a stand-in for the proof alone."""

from __future__ import annotations

import fcntl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleethands.facts.sentinel import SentinelResult
from tests.helpers.webhooks import Receiver, receiving
from tests.unit.operations.sentinel.sentinel_host import HELD, KEY, SentinelHost, broken


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def host(tmp_path: Path, receiver: Receiver) -> SentinelHost:
    found = SentinelHost(tmp_path)
    found.environment = {"SENTINEL_WEBHOOK": receiver.url, "SENTINEL_KEY": KEY}
    return found


def test_a_break_and_its_healing_are_each_reported_once(host: SentinelHost, receiver: Receiver) -> None:
    said = [host.prove(links) for links in (HELD, broken("docker"), broken("docker"), HELD, HELD)]

    assert [line.partition(" ")[0] for line in said] == ["<6>all", "<3>broken:", "<6>still", "<5>healed:", "<6>all"]
    first, second = receiver.events
    assert first == {
        "schema": 1, "event": "broken", "host": 'gpu-1"', "link": "docker", "reason": "it is broken",
        "hint": "on the host: repair it", "since": first["time"], "time": first["time"],
    }  # fmt: skip
    assert (second["event"], second["link"], second["since"]) == ("healed", "docker", first["since"])
    assert receiver.is_signed_with(KEY)


def test_another_link_is_reported_too(host: SentinelHost, receiver: Receiver) -> None:
    for link in ("docker", "list", "docker"):
        host.prove(broken(link))

    assert [(each["event"], each["link"]) for each in receiver.events] == [
        ("broken", "docker"), ("broken", "list"), ("broken", "docker"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["k" * 16, "k" * 64, "k" * 65, "'\"$`\\ %s %d" * 9, ""])
def test_a_receiver_can_check_the_signature(host: SentinelHost, receiver: Receiver, key: str) -> None:
    host.environment["SENTINEL_KEY"] = key
    host.prove(broken("docker"))

    assert receiver.is_signed_with(key) if key else receiver.signatures == [None]


def test_neither_the_key_nor_the_address_is_on_a_command_line(host: SentinelHost, receiver: Receiver) -> None:
    log, commands = host.place / "log", host.place / "bin"
    commands.mkdir()
    for name in ("awk", "cat", "curl", "cut", "env", "od", "sed", "sha256sum", "tr"):
        real = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (commands / name).write_text(f'#!/bin/sh\nprintf "%s " "$0" "$@" >>{log}; echo >>{log}\nexec {real} "$@"\n')
        (commands / name).chmod(0o755)

    host.prove(broken("docker"), path=str(commands))

    seen = log.read_text()
    assert len(receiver.bodies) == 1
    assert "curl" in seen
    assert KEY not in seen
    assert KEY.encode().hex() not in seen
    assert "token=of-the-address" not in seen


def test_a_webhook_that_nobody_took_is_kept_and_the_order_stays(host: SentinelHost, receiver: Receiver) -> None:
    receiver.statuses = [404, 301]
    assert "<4>the webhook is kept, because its server did not take it: HTTP 404, curl 0" in host.prove(broken("list"))
    assert "HTTP 301" in host.prove(HELD)
    assert receiver.bodies == []

    host.prove(HELD)

    assert [each["event"] for each in receiver.events] == ["broken", "healed"]
    assert receiver.is_signed_with(KEY)
    assert list((host.results / "kept").iterdir()) == []


def test_a_server_that_fails_for_a_moment_is_asked_again(host: SentinelHost, receiver: Receiver) -> None:
    receiver.statuses = [503]

    assert "kept" not in host.prove(broken("list"))
    assert len(receiver.events) == 1


def test_only_the_newest_webhooks_are_kept(host: SentinelHost, receiver: Receiver) -> None:
    receiver.statuses = [400]
    host.prove(broken("list"))
    (kept,) = (host.results / "kept").iterdir()
    for number in range(2, 23):
        kept.with_name(f"{number:07d}").write_text(f'{{"number": {number}}}')
    receiver.statuses = [400]
    assert host.prove(broken("list")).count("<4>a webhook is dropped, because more than 20 are kept") == 2

    host.prove(broken("list"))

    assert [each["number"] for each in receiver.events] == list(range(3, 23))


def test_without_a_webhook_the_journal_is_all(host: SentinelHost) -> None:
    host.environment = {}
    (host.results / "kept").mkdir(parents=True)

    assert host.prove(broken("list")).startswith("<3>broken: list: it is broken; hint: on the host: repair it\n")
    assert sorted(each.name for each in host.results.iterdir()) == ["errors", "links", "state"]


def test_what_a_host_prints_stays_one_plain_line_of_json(host: SentinelHost, receiver: Receiver) -> None:
    host.secrets.write_text('# a comment\nOLLAMA_API_KEY="hunter2\\"hunter3"\nMASK="********"\nSHORT="12"\n')
    reason = 'key hunter2"hunter3 of \x1b[31m\x85\u202e12 \\ ' + "x" * 500

    said = host.prove(broken("container", reason))

    (event,) = receiver.events
    assert event["reason"].startswith("key ******** of ?[31m?????12 \\ xxx")
    assert len(event["reason"]) == 300
    found = SentinelResult.parse(host.state)
    assert found is not None
    assert found.reason == event["reason"]
    assert all(char.isprintable() for char in said.replace("\n", ""))


def test_a_run_or_a_person_that_has_locked_the_host_is_left_alone(host: SentinelHost, receiver: Receiver) -> None:
    host.manual_lock.write_text("ana\n")
    assert "this host is locked" in host.prove(broken("list"))
    host.manual_lock.unlink()
    for lock in (host.run_lock, host.step_lock):
        with lock.open("w") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            assert "this host is locked" in host.prove(broken("list"))

    assert receiver.bodies == []
    assert not (host.results / "state").exists()


@pytest.mark.parametrize("claim", ["run", "step"])
def test_a_run_that_begins_meanwhile_ends_the_proof(host: SentinelHost, receiver: Receiver, claim: str) -> None:
    host.write_proof(f"exec 9>>'{host.step_lock}'; flock 9; echo >'{host.place}/begun'; sleep 60 & wait; exit 1")
    process, begun = host.begin(), time.monotonic()
    while not (host.place / "begun").exists():
        time.sleep(0.05)
    lock = host.run_lock if claim == "run" else host.step_lock
    lock.touch()

    with subprocess.Popen(["flock", lock, "sleep", "1" if claim == "step" else "5"]):
        said, _ = process.communicate(timeout=20)
        took = time.monotonic() - begun
        assert subprocess.run(["flock", "-w", "3", host.step_lock, "true"], check=False).returncode == 0

    assert said == "<6>the proof was stopped: a run wants to change this host\n"
    assert took < 8
    assert receiver.bodies == []


def test_a_proof_that_gives_no_result_is_a_break(host: SentinelHost, receiver: Receiver) -> None:
    host.write_proof("echo 'error: cannot write /run' >&2; exit 1")
    assert "<3>broken: proof: cannot write /run; hint: on the host: journalctl" in host.prove("")
    host.write_proof("printf 'list\\tok\\t1\\t\\t\\n'; exit 2")
    assert "still broken" in host.prove("")
    host.write_proof("exit 0")
    assert "still broken" in host.prove("")
    assert [each["link"] for each in receiver.events] == ["proof"]


def test_a_changed_script_is_not_run_and_a_plan_will_show_it(host: SentinelHost) -> None:
    script = host.write_proof("exit 0")
    script.write_text(f"touch {host.place}/ran")

    said = host.prove("")

    assert "<3>broken: proof: its script is missing, or was changed; hint: on this machine: fleethands apply" in said
    assert not (host.place / "ran").exists()
    assert not (host.place / "proof.sh").is_symlink()


def test_an_interrupted_report_is_finished_by_the_next_proof(host: SentinelHost, receiver: Receiver) -> None:
    host.prove(HELD)
    before = host.state
    receiver.statuses = [400]
    host.prove(broken("list"))
    (host.results / "state").write_bytes(before)  # as if it had been killed before the state was written

    host.prove(broken("list"))

    assert [each["event"] for each in receiver.events] == ["broken"]


def test_a_state_that_cannot_be_read_is_none(host: SentinelHost, receiver: Receiver) -> None:
    host.results.mkdir()
    for state in ("", "1\nbroken\n", "1\nbroken\nx\nx\ndocker\n\n\n$(reboot)\n", "\0" * 100):
        (host.results / "state").write_text(state)
        host.prove(broken("list"))

    assert {each["link"] for each in receiver.events} == {"list"}
