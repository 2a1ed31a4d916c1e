"""The lock of a host, by its own scripts on this machine: the kernel decides, not a stand-in."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko import ChannelException, SSHException

from fleethands.command_line import CommandLine
from fleethands.facts.lock import LEASE, Lock, LockState, parse_lock
from fleethands.locks.host_shell import LockSessionError
from fleethands.locks.lock_session import LockSession
from fleethands.locks.run_locks import explain_refusal, is_unchanged
from fleethands.operations.lock import lock as scripts
from fleethands.operations.lock.lock import LockReply, lock_script
from fleethands.ssh.sessions import Sessions

ANA = Lock("ana", "build-2", 7, "aaaa1111", "apply inventory/prod.py", "2026-11-25 17:02:11 UTC")
BO = replace(ANA, owner="bo", run="bbbb2222", reason='new driver\'s "day"')
line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)


class Holding:
    """One process of lock_hold.sh."""

    def __init__(self, text: str) -> None:
        self._process = subprocess.Popen(["sh", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._say(text)
        self.first = self.hears()

    def ask(self, letter: str) -> LockReply:
        self._say(letter)
        return self.hears()

    def _say(self, text: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def sign(self) -> None:
        self._say(".")

    def hears(self) -> LockReply:
        lines: list[str] = []
        while self._process.stdout and f"{scripts.MARK} end" not in lines:
            lines.append(self._process.stdout.readline().decode().rstrip("\n"))
            assert lines[-1] or lines[:-1], "it ended"
        return scripts.parse_reply(lines)

    def end(self, kill: bool = False) -> None:
        if kill:
            self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()


Hold = Callable[..., Holding]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """The paths of a host's lock, in a directory of the test's own."""
    names = {"lock": "run/lock", "described": "run/lock.json", "hold": "lib/hold", "turn": "lib/turn", "busy": "busy"}
    return {name: str(tmp_path / path) for name, path in names.items()}


@pytest.fixture
def hold(places: dict[str, str]) -> Iterator[Hold]:
    begun = []

    def begin(lock: Lock, lease: int = LEASE, begin: str = "wait") -> Holding:
        begun.append(Holding(lock_script("hold", lock, lease=str(lease), begin=begin).with_values(**places).text))
        assert begin == "take" or begun[-1].first.word == "ready"
        return begun[-1]

    yield begin
    for each in begun:
        each.end(kill=True)


def once(name: str, lock: Lock, places: dict[str, str]) -> LockReply:
    text = lock_script(name, lock).with_values(**places).text
    done = subprocess.run(["sh", "-s"], input=text.encode(), capture_output=True, timeout=20, check=True)
    return scripts.parse_reply(done.stdout.decode().splitlines())


def test_one_of_two_gets_it_and_the_other_is_told_whose_it_is(hold: Hold) -> None:
    ana, bo = hold(ANA), hold(BO)

    assert ana.ask("t") == LockReply("locked", LockState())
    assert bo.ask("t") == LockReply("held", LockState(ANA.run, ANA))
    assert ana.ask("r").word == "released"
    assert bo.ask("t") == LockReply("locked", LockState(ANA.run))


def test_a_probe_from_before_or_during_another_run_is_outdated(hold: Hold, places: dict[str, str]) -> None:
    free = once("status", BO, places).before
    ana, bo = hold(ANA), hold(BO)
    ana.ask("t")
    during = once("status", BO, places).before
    ana.ask("r")
    after = once("status", BO, places).before
    got = bo.ask("t")

    assert got.word == "locked"
    assert [is_unchanged(seen, got.before) for seen in (free, during, after)] == [False, False, True]


def test_the_first_of_a_run_takes_it_at_once(hold: Hold) -> None:
    ana, bo = hold(ANA, begin="take"), hold(BO, begin="take")

    assert ana.first == LockReply("locked", LockState())
    assert bo.first == LockReply("held", LockState(ANA.run, ANA))
    assert ana.ask("r").word == "released"
    assert bo.ask("t").word == "locked"


def test_a_run_that_goes_away_without_a_word_is_named_to_the_next(hold: Hold) -> None:
    ana, bo = hold(ANA), hold(BO)
    ana.ask("t")

    ana.end()

    assert bo.ask("t") == LockReply("locked", LockState(ANA.run, replace(ANA, ended=True)))


def test_a_killed_process_holds_nothing(hold: Hold) -> None:
    ana, bo = hold(ANA), hold(BO)
    ana.ask("t")

    ana.end(kill=True)

    assert bo.ask("t").word == "locked"


def test_signs_of_life_keep_the_relay_at_work(hold: Hold, places: dict[str, str]) -> None:
    busy = Path(places["busy"])
    ana = hold(ANA)
    ana.ask("t")
    ana.sign()
    time.sleep(0.5)
    assert not busy.exists()  # no relay is at work

    busy.touch()
    os.utime(busy, (0, 0))
    ana.sign()
    end = time.monotonic() + 10
    while busy.stat().st_mtime == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert busy.stat().st_mtime > 0


def test_without_a_sign_of_life_it_ends_with_the_lease(hold: Hold, places: dict[str, str]) -> None:
    ana, bo = hold(ANA, lease=3), hold(BO)
    ana.ask("t")
    end = time.monotonic() + 4
    while time.monotonic() < end:  # longer than a lease
        ana.sign()
        assert bo.ask("t").word == "held"

    end = time.monotonic() + 15
    while (answer := bo.ask("t")).word == "held" and time.monotonic() < end:
        pass

    assert answer == LockReply("locked", LockState(ANA.run, replace(ANA, ended=True)))


def test_a_person_keeps_runs_out_and_is_kept_out_by_them(hold: Hold, places: dict[str, str]) -> None:
    ana = hold(ANA)
    ana.ask("t")
    assert once("acquire", BO, places).word == "held"
    ana.ask("r")

    assert once("acquire", BO, places).word == "acquired"

    assert hold(ANA).ask("t") == LockReply("kept", LockState(BO.run, hold=BO))
    assert once("acquire", ANA, places).word == "kept"
    assert once("release", ANA, places).before.by == BO
    assert once("status", ANA, places) == LockReply("status", LockState(ANA.run))


def test_released_by_hand_it_is_another_ones_turn(hold: Hold, places: dict[str, str]) -> None:
    hold(ANA).ask("t")

    answer = once("release", BO, places)

    assert answer == LockReply("released", LockState(ANA.run, ANA))
    assert once("status", BO, places) == LockReply("status", LockState(BO.run))
    assert hold(ANA).ask("t").word == "locked"


def test_only_root_can_open_it(hold: Hold, places: dict[str, str]) -> None:
    hold(ANA).ask("t")

    assert stat.S_IMODE(Path(places["lock"]).stat().st_mode) == 0o600


@pytest.mark.parametrize("word", ["acquire", "release"])
def test_a_run_whose_lease_was_over_goes_no_further_where_somebody_came(
    hold: Hold, places: dict[str, str], word: str
) -> None:
    ana = hold(ANA)
    ana.ask("t")
    assert Path(places["turn"]).read_text() == f"{ANA.run}\n"
    ana.end(kill=True)

    assert once(word, BO, places).word in {"acquired", "released"}

    assert Path(places["turn"]).read_text() == f"{BO.run}\n"


def test_a_release_ends_no_process_that_only_has_the_number_of_a_holder(places: dict[str, str]) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        Path(places["lock"]).parent.mkdir(parents=True)
        with Path(places["lock"]).open("w") as lock:
            lock.write(f"{bystander.pid}\n")
            lock.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)  # another program, which did not write who it is

            assert once("release", BO, places).word == "stuck"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_what_a_terminal_would_act_on_is_not_in_a_refusal() -> None:
    said, _ = explain_refusal(
        LockReply("kept", LockState(hold=replace(ANA, reason="\x1b[2Jmine"))), CommandLine(), "gpu-1"
    )

    assert "mine" in said
    assert "\x1b" not in said


def test_a_lock_is_freed_on_that_host_alone() -> None:
    line = CommandLine("apply", "fleet.py", "gpu-*", shard="1/4", data=("ssh_port=2222",))
    for word in ("kept", "held"):
        _, hints = explain_refusal(LockReply(word, LockState(ANA.run, ANA, BO)), line, "gpu-7")

        assert hints[-1].endswith(": fleethands lock release fleet.py --hosts gpu-7 --data ssh_port=2222")


class Server:
    """A stand-in: an SSH server that gives no second session, on another connection neither."""

    name, data = "gpu-7", {"ssh_hostname": "10.0.0.7"}
    connector_cls = type("SSHConnector", (), {})

    def __init__(self, error: Exception | None, _: Any = None) -> None:
        self._error = self.state = error
        self.connector = self.client = self
        self.sessions = Sessions(self.open_session)

    def connect(self) -> None:
        """As pyinfra's connector does."""

    def get_transport(self) -> Any:
        return self if self._error else None

    def open_session(self, timeout: float) -> Any:
        assert timeout
        raise self._error or AssertionError


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        (ChannelException(2, "Connect failed"), "no second session on its connection", "sshd -T | grep maxsessions"),
        (SSHException("SSH session not active"), "the SSH connection was lost: SSH session", "`ssh -v 10.0.0.7`"),
        (EOFError(), "the SSH connection was lost: the connection was closed", "`ssh -v 10.0.0.7`"),
        (None, "the SSH connection was lost: the connection was closed", "`ssh -v 10.0.0.7`"),
    ],
)
def test_a_connection_without_another_session_is_told_from_a_lost_one(
    error: Exception | None, reason: str, hint: str
) -> None:
    with pytest.raises(LockSessionError, match=reason) as caught:
        LockSession(Server(error)).begin("")

    assert len(caught.value.hints) == 1
    assert hint in caught.value.hints[0]


def test_status_leaves_nothing_behind(places: dict[str, str], tmp_path: Path) -> None:
    assert once("status", ANA, places) == LockReply("status", LockState())
    assert list(tmp_path.iterdir()) == []


@given(line, line, line)
def test_words_come_back_as_they_were(owner: str, host: str, reason: str) -> None:
    lock = replace(ANA, owner=owner, host=host, reason=reason)

    assert Lock.parse(lock.file.encode()) == lock
    assert lock.file.splitlines()[1:] == [str(lock)]


@given(st.binary(min_size=1, max_size=200))
def test_whatever_stands_there_locks(text: bytes) -> None:
    assert Lock.parse(text).owner


def test_a_sign_that_is_too_old_is_none() -> None:
    word = base64.b64encode(ANA.file.encode()).decode()

    assert parse_lock([f"run {LEASE} {word}"]).by == ANA
    assert parse_lock([f"run {LEASE + 1} {word}"]).by is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("pid", "1e999"), ("pid", "-1"), ("pid", '"7"'), ("owner", "[]"), ("since", "{}"), ("reason", "[" * 10**4)],
)
def test_a_lock_of_whatever_words_locks(key: str, value: str) -> None:
    row = {name: json.dumps(each) for name, each in ANA.to_json().items()} | {key: value}
    text = "{" + ", ".join(f'"{name}": {each}' for name, each in row.items()) + "}"

    lock = Lock.parse(text.encode())

    assert (lock.who, lock.ended) == ("unknown@the host itself", False)
    assert len(lock.reason) <= 200


def test_the_words_of_a_lock_are_one_line_that_moves_no_terminal() -> None:
    lock = Lock.parse(replace(ANA, reason="new \x1b[2Jdriver\r\nhint: \x9b\u202ex" + "y" * 5000).file.encode())

    assert lock.reason.startswith("new driver hint: \ufffd\ufffdxyyy")
    assert (lock.owner, len(lock.reason)) == ("ana", 1000)
