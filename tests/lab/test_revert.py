"""A change of the firewall that blocks SSH is undone by the host itself, and the next run says so."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.revert import ways_in
from tests.lab.revert.cases import Case, cases
from tests.lab.shell import run

PROJECT = Path(__file__).parent / "revert"
INVENTORY = str(fleet.ROOT / "inventory/lab.py")
LIMIT = 60.0  # seconds without SSH
NOTE = "this host restored its previous firewall by itself"
LOADS = "Firewall | Load the rules"
# nothing of an automatic revert is left on a host
LEFT = """
ls -d /var/lib/fleethands/revert* /etc/systemd/system/fleethands-revert* 2>/dev/null
ls -d /etc/systemd/system/*/fleethands-revert* 2>/dev/null
systemctl list-units 'fleethands-revert*' --all --no-legend --plain
"""


def words(command: str, data: dict[str, Any], *more: str) -> list[str]:
    yes = list(more) if command in fleet.READERS else ["--yes", *more]
    line = [str(fleet.FLEETHANDS), command, INVENTORY, "--hosts", "lab-1", "--json", *yes]
    return [*line, *fleet.with_data(**data)]


def fleethands(command: str, data: dict[str, Any], *more: str) -> tuple[int, dict[str, Any]]:
    done = run(*words(command, data, *more), cwd=PROJECT, check=False, timeout=180)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)["hosts"]["lab-1"]


def changes(said: dict[str, Any]) -> list[str]:
    return [f"{each['task']} | {each['operation']}" for each in said["changes"]]


def begin(data: dict[str, Any]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(words("apply", data), cwd=PROJECT, stdout=pipe, stderr=pipe, text=True)


def armed(host: Host) -> str:
    """What the host keeps of a change that waits, read from its disk, because SSH may not answer."""
    try:
        return (host.root / "var/lib/fleethands/revert/armed").read_text()
    except FileNotFoundError:
        return ""


def until_loaded(host: Host, process: subprocess.Popen[str]) -> None:
    """Until the rules load: the host is armed a second time then, after the file of the rules was written."""
    first = ""
    while not first or armed(host) == first:
        assert process.poll() is None, process.communicate()
        first = first or armed(host)
        time.sleep(0.01)


def kill_controller(case: Case, host: Host) -> None:
    process = begin(case.data(host))
    until_loaded(host, process)
    time.sleep(case.moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def reboot(case: Case, host: Host) -> None:
    process = begin(case.data(host))
    session = subprocess.Popen(
        ["ssh", "-F", str(fleet.ROOT / os.environ["FLEETHANDS_LAB"] / "ssh_config"), host.name, "read x; reboot"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    until_loaded(host, process)
    time.sleep(case.moment)
    if case.gently and "new" in case.rule:
        session.communicate("now\n", timeout=60)
    else:
        session.kill()
        session.wait()
        host.kill()
        host.boot()
    process.communicate(timeout=180)


def fail(case: Case, host: Host) -> None:
    code, said = fleethands("apply", case.data(host))
    assert (code, said["status"]) == (1, "failed"), said
    assert said["reason"], said


HAPPENS = {"rule": fail, "allow_from": fail, "killed": kill_controller, "reboot": reboot}


def check(case: Case, host: Host) -> float:
    """One case from beginning to end. The seconds in which SSH did not answer."""
    if case.first or case.kind == "allow_from":  # the port of the relay would stay closed from an earlier case
        assert fleethands("uninstall", {})[0] == 0
    if case.kind == "allow_from" and not case.first:
        assert fleethands("apply", case.correct(host))[0] == 0
    before = host.run("nft list table inet fleethands", check=False).stdout
    with ways_in.logging_in(host.name, case.ssh_options(host)) as answers:
        HAPPENS[case.kind](case, host)
        deadline = time.monotonic() + LIMIT
        while armed(host) and time.monotonic() < deadline:
            time.sleep(0.1)
        answers.wait(LIMIT)
        gap = answers.longest_gap()
    assert gap < LIMIT
    settle(case, host, before)
    return gap


def settle(case: Case, host: Host, before: str) -> None:
    """The next run says what happened and shows the change again. The one after it, with right settings, ends it."""
    assert armed(host) == ""
    code, said = fleethands("plan", case.data(host))
    is_reverted = any(NOTE in note for note in said["notes"])
    assert is_reverted == (LOADS in changes(said)), (case, said)
    assert is_reverted or case.rule == "", (case, said)
    if is_reverted:
        assert host.run("nft list table inet fleethands", check=False).stdout == before
    # no packet told the host that the controller is dead, so its lock ends after a minute without a heartbeat
    code, said = fleethands("apply", case.correct(host), "--lock-wait", "90")
    assert code == 0, (case, said)
    if is_reverted and not changes(said):  # the host has these settings again: nothing was left to confirm
        (note,) = (note for note in said["notes"] if NOTE in note)
        host.run(note.rpartition("on the host: ")[2])
    assert host.run(LEFT, check=False).stdout == ""


def try_all(host: Host, count: int, delays: tuple[int, ...]) -> None:
    seed = int(os.environ.get("FLEETHANDS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FLEETHANDS_SEED={seed}")
    ways_in.relay(host)
    assert fleethands("apply", {})[0] == 0
    for number, case in enumerate(cases(seed, count, delays), 1):
        print(f"{number}: {case}", flush=True)
        print(f"   {check(case, host):.1f} s without SSH", flush=True)


@pytest.mark.timeout(1800)
def test_a_host_that_ssh_no_longer_reaches_reverts_the_change_by_itself(clean: Host) -> None:
    try_all(clean, 12, (3,))


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_a_hundred_ways_to_cut_an_operator_off_end_with_ssh(clean: Host) -> None:
    try_all(clean, 100, (4, 4, 4, 30))
