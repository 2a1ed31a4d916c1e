"""A run that is interrupted, killed or cut off leaves nothing that the next run does not complete."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.fleet import fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import CURL, QUIET, all_proven, brought, kept_alive, mend, statuses

THREE, SIX = "lab-[123]", "lab-[1-6]"
MOMENTS = 10
STARTED = 3.0  # seconds; earlier, the command line may not be read yet, and the report's directory is unknown
ENDS_WITHIN = 240  # seconds after the signal or the cut: one step of each host, or the timeout of a lost connection
WORDS = ("--batch", "3", "--lock-wait", "120")  # a lock whose controller was cut off ends within a minute
HANGS = """#!/bin/sh
case "$*" in */api/tags*) exec sleep 86400 ;; esac
exec /usr/bin/curl "$@"
"""


@dataclass(frozen=True)
class Round:
    """One change, begun and cut short: to which value, on which hosts, and where it reports."""

    keep_alive: str
    hosts: dict[str, Host]
    pattern: str
    report: Path

    def begin(self) -> subprocess.Popen[str]:
        words = (*WORDS, "--report", str(self.report))
        return fleet.begin("apply", *words, hosts=self.pattern, ollama_keep_alive=self.keep_alive, **QUIET)

    def complete(self) -> None:
        """The next run ends proven, the one after it has nothing to do, and no host is locked."""
        code, done = fleethands(
            "apply", *WORDS, hosts=self.pattern, timeout=600, ollama_keep_alive=self.keep_alive, **QUIET
        )
        assert code == 0, done
        assert set(kept_alive(self.hosts.values()).values()) == {self.keep_alive}
        assert all_proven(self.hosts.values())
        code, said = fleet.typed(f"fleethands lock status inventory/lab.py --hosts '{self.pattern}'")
        assert all(line.split(None, 1)[1].startswith("free") for line in said.splitlines()), said
        code, done = fleethands("apply", hosts=self.pattern, timeout=180, ollama_keep_alive=self.keep_alive, **QUIET)
        assert (code, set(statuses(done).values())) == (0, {"unchanged"}), done

    def check_report(self, before: str | None) -> dict[str, Any]:
        """The report matches the hosts."""
        done: dict[str, Any] = json.loads((self.report / "report.json").read_text())
        seen = kept_alive(self.hosts.values())
        for name, status in statuses(done).items():
            if status in {"changed", "unchanged"}:
                assert seen[name] == self.keep_alive, (name, done)
            elif status in {"not-run", "unreachable", "refused"}:
                assert seen[name] == before, (name, done)
            else:
                assert status == "failed", (name, done)
                assert done["hosts"][name]["reason"]
        return done


def end_by_signal(number: int) -> Callable[[subprocess.Popen[str], Round], int]:
    """The run's own end after a signal."""

    def end(process: subprocess.Popen[str], _: Round) -> int:
        process.send_signal(number)
        process.communicate(timeout=ENDS_WITHIN)
        return process.returncode

    return end


def cut_off(process: subprocess.Popen[str], this: Round) -> int:
    """The run's own end after no packet reaches its hosts any more; they are there again afterwards."""
    for host in this.hosts.values():
        host.unplug()
    try:
        process.communicate(timeout=ENDS_WITHIN)
    finally:
        for host in this.hosts.values():
            host.plug()
    return process.returncode


ENDS = {
    "SIGINT": (end_by_signal(signal.SIGINT), {130}),
    "SIGTERM": (end_by_signal(signal.SIGTERM), {130}),
    "SIGKILL": (end_by_signal(signal.SIGKILL), {-signal.SIGKILL}),
    "bridge cut": (cut_off, {1}),
}


def wait(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether a run is still at work by then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_ctrl_c_lets_each_host_finish_its_step_and_the_next_run_completes(
    lab: Lab, quiet_state: str, tmp_path: Path
) -> None:
    this = Round("2m", brought(lab, 3, quiet_state), THREE, tmp_path)
    process = this.begin()
    this.hosts["lab-1"].run(
        "until grep -q 2m /etc/systemd/system/ollama.service.d/50-fleethands.conf; do sleep 0.02; done"
    )
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=ENDS_WITHIN)

    assert process.returncode == 130, said
    assert "interrupted: each host finishes its current step (press Ctrl-C again to abort)" in said
    assert this.check_report(before=None)["result"] == "interrupted"
    this.complete()


@pytest.mark.soak
def test_a_second_ctrl_c_ends_it_at_once_and_still_reports(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    this = Round("2m", brought(lab, 3, quiet_state), THREE, tmp_path)
    slow = this.hosts["lab-2"]
    slow.run(f"cat > {CURL}; chmod 0755 {CURL}", stdin=HANGS)
    process = this.begin()
    slow.run("until pgrep -f 'sleep 8640[0]'; do sleep 0.02; done", timeout=120)
    process.send_signal(signal.SIGINT)
    assert wait(process, 1)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 130, said
    assert time.monotonic() - begun < 30
    assert this.check_report(before=None)["hosts"]["lab-2"]["reason"].startswith("interrupted during `Proof | ")
    slow.run("pkill -f 'sleep 8640[0]'")
    mend(slow)
    this.complete()


@dataclass(frozen=True)
class Six:
    """Six hosts, and how long a change of them all takes when nothing disturbs it."""

    hosts: dict[str, Host]
    seconds: float

    @property
    def keep_alive(self) -> str:
        """What is set on all of them."""
        (value,) = set(kept_alive(self.hosts.values()).values())
        return value or "1m"


@pytest.fixture(scope="module")
def six(lab: Lab, quiet_state: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Six]:
    undisturbed = Round("2m", brought(lab, 6, quiet_state), SIX, tmp_path_factory.mktemp("undisturbed"))
    begun = time.monotonic()
    said, _ = undisturbed.begin().communicate(timeout=600)
    took = time.monotonic() - begun
    assert set(kept_alive(undisturbed.hosts.values()).values()) == {"2m"}, said
    yield Six(undisturbed.hosts, took)
    lab.trim(3)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ENDS)
def test_at_any_moment(six: Six, tmp_path: Path, name: str) -> None:
    seed = int(os.environ.get("FLEETHANDS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed: {seed}")
    luck = random.Random(f"{seed} {name}")
    end, codes = ENDS[name]
    struck, number, longest = 0, 0, six.seconds
    while struck < int(os.environ.get("FLEETHANDS_MOMENTS") or MOMENTS):
        before, moment, number = six.keep_alive, luck.uniform(0, longest), number + 1
        this = Round(f"{int(before.removesuffix('m')) % 50 + 1}m", six.hosts, SIX, tmp_path / str(number))
        process = this.begin()
        if not wait(process, moment):
            assert process.returncode == 0
            longest = moment  # it was shorter than what was measured, and nothing struck it
            continue
        struck += 1
        code = end(process, this)
        print(f"{name} after {moment:.1f} of {longest:.1f} s: exit {code}")
        is_told = (this.report / "report.json").exists()
        assert is_told or name == "SIGKILL" or moment < STARTED
        done = this.check_report(before) if is_told else {}
        to_its_end = done and set(statuses(done).values()) == {"changed"}  # a moment before it was disturbed
        assert code in codes or (to_its_end and code == 0) or (moment < STARTED and not is_told), (code, done)
        this.complete()
