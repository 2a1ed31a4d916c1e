"""Hosts that can't be locked, and runs that are interrupted: who is held up by it, and what is to be typed then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.checkout import ROOT

DEPLOY = """
from pyinfra.operations import server

for number in range(3):
    server.shell(name=f"Step {number}", commands=[f"step {number}"])
"""
# stand-ins: hosts of the connector @fake, which sends nothing. Each has something to do; its name describes its lock
PROGRAM = """
import os, signal, sys
import gevent
from fleethands.runs import change_hosts
from fleethands.cli.main import main
from fleethands.engine import engine
from fleethands.facts.lock import Lock, LockState
from fleethands.operations.lock.lock import LockReply
from fleethands.locks import run_locks
from fleethands.locks.host_shell import LockSessionError
from fleethands.report.model import ChangeReport

ANA = Lock("ana", "build-2", 7, "aaaa1111", "apply inventory/prod.py", "2026-11-25 17:02:11 UTC")
SAID = {"held": LockState(ANA.run, ANA), "kept": LockState(hold=ANA), "stuck": LockState(), "unwritable": LockState()}

class Holder:
    def __init__(self, host):
        self.name = host.name.removeprefix("@fake/")

    def begin(self, text):
        if self.name == "mute":
            raise LockSessionError("no second session", "look there")
        if self.name == "slow":
            os.kill(os.getpid(), signal.SIGINT)
            gevent.sleep(30)
        return self.acquire() if "begin=take" in text else LockReply("ready", LockState())

    def acquire(self):
        if self.name == "lost":
            raise LockSessionError("it went away")
        return LockReply(self.name, SAID[self.name]) if self.name in SAID else LockReply("locked", LockState())

    def send_heartbeat(self): print("heartbeat", self.name, file=sys.stderr)
    def close(self): print("freed", self.name, file=sys.stderr)

def plan_hosts(*words, **more):
    plan = survey(*words, **more)
    for host in plan.hosts.values():
        host.status, host.changes = "pending", [ChangeReport("Ollama", "Write the unit", "ollama.service", "a", "b")]
    return plan

def take(self, names):
    print("reason", self.lock.reason, file=sys.stderr)
    taken(self, names)
    END

engine.forget_host = lambda *_: None  # to the real plan, they have nothing to do
survey, change_hosts.plan_hosts, run_locks.LockSession = change_hosts.plan_hosts, plan_hosts, Holder
taken, run_locks.Locks.take = run_locks.Locks.take, take
main()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a project of three steps."""
    for each in ("deploy.py", "uninstall.py", "rollback.py"):
        (tmp_path / each).write_text(DEPLOY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def ran(names: str, *words: str, end: str = "pass", delay: float = 0) -> subprocess.CompletedProcess[str]:
    """
    What a command prints about these hosts, all of which would change.

    + end: a program, when hosts are locked
    """
    data = {"fake_delay": delay, "fake_delay_jitter": 0, "models": ["any"]}
    Path("fleet.py").write_text(f"hosts = [('@fake/' + name, {data}) for name in {names.split()}]\n")
    line = [sys.executable, "-c", PROGRAM.replace("END", end), *words]
    return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def hosts(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Hosts of the document on stdout, by their short names."""
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    return {name.removeprefix("@fake/"): host for name, host in document["hosts"].items()}


def statuses(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {name: host["status"] for name, host in hosts(done).items()}


def test_who_waits_types_the_same_change_again() -> None:
    words = ["--data", "ollama_version=0.24.1", "--data", 'openhands_env={"TOKEN": "hunter2"}']
    manner = ["--canary", "1", "--batch", "50%", "--lock-wait", "0.1", "--yes", "--json"]

    done = ran("held", "apply", "fleet.py", "--shard", "1/1", *words, *manner)

    wait, take = hosts(done)["held"]["hints"]
    told = "--data ollama_version=0.24.1 --data 'openhands_env=…' --shard 1/1 --canary 1 --batch 50%"
    assert wait == f"wait for it: fleethands apply fleet.py {told} --yes --lock-wait 600"
    assert take.endswith(": fleethands lock release fleet.py --hosts @fake/held")
    assert "reason apply fleet.py\n" in done.stderr  # what others may read there
    assert "hunter2" not in done.stdout


@pytest.mark.parametrize(
    ("command", "told"),
    [(["rollback", "--to", "current"], "rollback fleet.py --to current"), (["uninstall", "--models"], None)],
)
def test_who_waits_types_what_the_command_was_told(command: list[str], told: str | None) -> None:
    done = ran("held", *command, "fleet.py", "--yes", "--json")

    wait = hosts(done)["held"]["hints"][0]
    assert wait == f"wait for it: fleethands {told or 'uninstall fleet.py --models'} --yes --lock-wait 600"


def test_only_the_host_that_somebody_has_is_to_be_freed() -> None:
    done = ran("free kept x", "apply", "fleet.py", "--hosts", "@fake/*", "--exclude", "@fake/x", "--yes", "--json")

    told = "ask them; only if it was forgotten: fleethands lock release fleet.py --hosts @fake/kept"
    assert hosts(done)["kept"]["hints"] == [told]


@pytest.mark.parametrize("broken", ["mute", "lost", "stuck", "unwritable"])
def test_a_host_that_can_not_be_locked_is_refused_alone(broken: str) -> None:
    done = ran(f"a {broken} z", "apply", "fleet.py", "--canary", "1", "--yes", "--json")

    assert done.returncode == 1
    assert statuses(done) == {"a": "unchanged", broken: "refused", "z": "unchanged"}
    assert hosts(done)[broken]["hints"]
    assert hosts(done)[broken]["changes"] == []
    assert f"freed {broken}" in done.stderr


def test_where_none_can_be_locked_nothing_begins() -> None:
    done = ran("mute lost", "uninstall", "fleet.py", "--yes", "--json")

    assert done.returncode == 1
    said = {name: (host["reason"], host["hints"]) for name, host in hosts(done).items()}
    assert said["mute"] == ("no second session", ["look there"])
    look = "see what it says: fleethands lock status fleet.py --hosts @fake/lost"
    assert said["lost"] == ("it went away", [look])


def test_an_interrupted_run_releases_the_lock_that_its_first_host_took_at_once() -> None:
    done = ran("a slow", "apply", "fleet.py", "--yes", "--json")

    assert done.returncode == 130
    assert statuses(done) == {"a": "not-run", "slow": "not-run"}
    assert "freed a" in done.stderr


def test_a_lock_gets_a_heartbeat_as_soon_as_all_hosts_have_answered() -> None:
    done = ran("a z", "apply", "fleet.py", "--yes", "--json", end="gevent.sleep(0.1)")

    assert statuses(done) == {"a": "unchanged", "z": "unchanged"}
    assert "heartbeat a" in done.stderr


def test_a_named_canary_that_can_not_be_locked_ends_the_rollout() -> None:
    done = ran("a mute", "apply", "fleet.py", "--canary", "@fake/mute", "--batch", "1", "--yes", "--json")

    assert statuses(done) == {"a": "not-run", "mute": "refused"}
    left = hosts(done)["a"]
    assert left["reason"] == "the rollout stopped before this host: the canary @fake/mute is refused"
    again = "fleethands apply fleet.py --canary @fake/mute --batch 1"
    assert left["hints"] == [f"update the remaining hosts: `{again}`"]


def test_a_host_that_somebody_has_still_keeps_the_run_from_all() -> None:
    done = ran("a held mute", "apply", "fleet.py", "--yes", "--json")

    assert statuses(done) == {"a": "not-run", "held": "refused", "mute": "refused"}
    assert hosts(done)["a"]["reason"] == "@fake/held of this run is locked"
    assert hosts(done)["mute"]["reason"] == "no second session"
    assert "freed a" in done.stderr


@pytest.mark.parametrize(
    ("command", "hints"),
    [
        (["uninstall", "--models"], ["the next run completes it: `fleethands uninstall fleet.py --models`"]),
        (
            ["rollback", "--to", "current"],
            ["the next run completes it: `fleethands rollback fleet.py --hosts @fake/a --to current`"],
        ),
        (["apply", "--canary", "1"], ["the next run completes it: `fleethands apply fleet.py --canary 1`"]),
    ],
)
def test_what_is_interrupted_is_completed_by_the_same_command(command: list[str], hints: list[str]) -> None:
    soon = "gevent.spawn_later(1, os.kill, os.getpid(), signal.SIGINT)"

    done = ran("a", *command, "fleet.py", "--yes", "--json", end=soon, delay=0.7)

    assert done.returncode == 130
    assert hosts(done)["a"]["hints"] == hints


def test_the_last_line_has_the_whole_command() -> None:
    done = ran("mute", "rollback", "fleet.py", "--to", "current", "--yes")

    assert done.stdout.endswith("Fix the cause, then run: fleethands rollback fleet.py --to current\n")


def test_a_plan_that_comes_next_is_told_no_manner() -> None:
    done = ran("a", "apply", "fleet.py", "--canary", "1", "--yes")

    assert done.stdout.startswith("fleet.py: 1 host")
    assert "--canary" not in done.stdout
