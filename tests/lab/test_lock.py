"""One run at a time has a host: two controllers, dead ones, cut networks, and people."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from fleethands.facts.lock import LEASE
from tests.lab import fleet
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.internet.faults import Fault
from tests.lab.lab import Lab
from tests.lab.many import QUIET, brought

NAMES = ("lab-1", "lab-2")
BOTH = "lab-[12]"
WHOSE = r"locked by \S+@\S+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: apply inventory/lab.py .*"
TRIES, SOAK_TRIES = 2, 20
SLOW = Fault(rate=1_500_000)  # bytes a second: a release takes some ten seconds


@pytest.fixture(scope="module")
def hosts(lab: Lab, quiet_state: str) -> list[Host]:
    """Two hosts that serve a model, without OpenHands: what is tried here is not what a run does."""
    return list(brought(lab, len(NAMES), quiet_state).values())


def journal(host: Host) -> list[str]:
    """What the lock wrote into the host's own journal."""
    return host.run("journalctl --sync; journalctl -q -t fleethands -o cat").stdout.splitlines()


def turns(host: Host) -> list[str]:
    """The runs that had this host, in their order. Fails where two had it at once."""
    having, found = "", []
    for line in journal(host):
        if match := re.match(r"locked: run (\w+)", line):
            assert not having, f"{host.name}: {having} had it still, when: {line}"
            having = match[1]
            found.append(having)
        elif match := re.match(r"freed: run (\w+)", line):
            assert match[1] == having, f"{host.name}: {having} had it, when: {line}"
            having = ""
    assert not having, f"{host.name}: {having} has it still"
    return found


def free(hosts: str = "lab-1") -> bool:
    code, said = lock("status", hosts=hosts)
    assert code == 0, said
    return all(line.split(None, 1)[1].startswith("free") for line in said.splitlines())


def lock(action: str, *words: str, hosts: str = "lab-1") -> tuple[int, str]:
    """Exit code and words of `fleethands lock ACTION`."""
    return fleet.typed(f"fleethands lock {action} inventory/lab.py --hosts '{hosts}' {' '.join(words)}")


@contextmanager
def in_a_slow_download(lab: Lab, host: Host, version: str) -> Iterator[subprocess.Popen[str]]:
    """A run that has the host's lock and fetches a release which the host does not have."""
    host.run(f"rm -rf /opt/ollama/{version}")
    with lab.internet.fault(SLOW, f"archive:{version}"):
        process = fleet.begin("apply", hosts=host.name, ollama_version=version, **QUIET)
        try:
            host.run("until [ -e /opt/ollama/.incoming/ollama-linux-*.zst ]; do sleep 0.05; done", timeout=60)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.mark.parametrize("tries", [TRIES, pytest.param(SOAK_TRIES, marks=pytest.mark.soak)])
def test_of_two_controllers_one_proceeds_and_the_other_says_who_does(hosts: list[Host], tries: int) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    before = {host.name: len(turns(host)) for host in hosts}
    proceeded = 0

    for number in range(tries):
        with ThreadPoolExecutor() as pool:
            runs = [
                pool.submit(_after, chance.uniform(0, 0.3), ollama_keep_alive=f"{10 + 2 * number + each}m")
                for each in range(2)
            ]
        ended = [run.result() for run in runs]

        codes = sorted(code for code, _ in ended)
        assert codes in ([0, 1], [0, 0]), ended  # the second may have come when the first was done
        proceeded += codes.count(0)
        for each, (code, document) in enumerate(ended):
            if code:
                _assert_refused(document, ollama_keep_alive=f"{10 + 2 * number + each}m")

    assert {host.name: len(turns(host)) - before[host.name] for host in hosts} == dict.fromkeys(NAMES, proceeded)
    assert proceeded < 2 * tries, "no two of them ever met"
    value = hosts[0].run("systemctl show ollama -p Environment | grep -o 'KEEP_ALIVE=[0-9]*m'").stdout
    data = {"ollama_keep_alive": value.strip().partition("=")[2], **QUIET}
    code, again = fleethands("apply", hosts=BOTH, **data)
    assert (code, changes(again, "lab-1"), changes(again, "lab-2")) == (0, [], [])


def _after(seconds: float, **data: Any) -> tuple[int, dict[str, Any]]:
    time.sleep(seconds)
    return fleethands("apply", hosts=BOTH, **data, **QUIET)


def _assert_refused(document: dict[str, Any], **data: Any) -> None:
    """The loser's report: the first host that is locked says whose, the others were not touched."""
    states = {name: host["status"] for name, host in document["hosts"].items()}
    assert states["lab-1"] == "refused"
    assert states["lab-2"] in {"not-run", "refused"}  # refused if the other run had both before this one looked
    assert all(
        re.fullmatch(WHOSE, host["reason"]) for host in document["hosts"].values() if host["status"] == "refused"
    )
    wait, take = document["hosts"]["lab-1"]["hints"]
    words = shlex.join(["inventory/lab.py", "--hosts", BOTH, *fleet.with_data(**data, **QUIET)])
    assert wait == f"wait for it: fleethands apply {words} --yes --lock-wait 600"
    release = "fleethands lock release inventory/lab.py --hosts lab-1"
    assert take == f"if its machine died, its lock ends by itself within {LEASE} s; to take it away now: {release}"
    assert not any(host["changes"] for host in document["hosts"].values())


@pytest.mark.soak
def test_who_waits_finds_the_work_done(hosts: list[Host]) -> None:
    with ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(fleethands, "apply", "--lock-wait", "60", hosts=BOTH, ollama_keep_alive="1h", **QUIET)
            for _ in range(2)
        ]
    (_, one), (_, other) = (run.result() for run in runs)

    assert {one["result"], other["result"]} <= {"changed", "unchanged"}
    restarts = hosts[0].run("journalctl -q -u ollama -o cat | grep -c 'Started.*ollama' || true").stdout
    results = sorted(each["result"] for each in (one, other))
    assert results == ["changed", "unchanged"], (restarts, one, other)


def test_a_killed_controller_frees_its_hosts_at_once_and_the_next_run_says_so(lab: Lab, hosts: list[Host]) -> None:
    host = hosts[0]
    with in_a_slow_download(lab, host, "0.24.1") as process:
        assert not free()
        os.killpg(process.pid, signal.SIGKILL)
        host.run("until grep -q '\"ended\": true' /run/fleethands/lock.json; do sleep 0.05; done", timeout=5)

    assert "its controller went away" in journal(host)[-1]
    code, said = lock("status")
    dead = r"lab-1  free; a run died without releasing its lock: \S+@\S+ since .* apply inventory/lab.py"
    assert re.match(dead, said), said
    code, done = fleethands("apply", ollama_version="0.24.1", **QUIET)
    assert code == 0, done
    assert any(re.match(r"took over the lock of \S+@\S+ since ", note) for note in done["hosts"]["lab-1"]["notes"])
    assert fleethands("apply", ollama_version="0.24.1", **QUIET)[1]["result"] == "unchanged"
    assert fleethands("apply", **QUIET)[0] == 0
    assert lock("status") == (0, "lab-1  free\n")


@pytest.mark.soak
def test_a_run_whose_lock_was_taken_away_goes_no_further(lab: Lab, hosts: list[Host]) -> None:
    with in_a_slow_download(lab, hosts[0], "0.24.1") as process:
        code, said = lock("release")
        assert code == 0
        assert re.match(r"lab-1  free; it was locked by \S+@\S+ since .*: apply inventory/lab.py", said), said
        out, _ = process.communicate(timeout=120)

    assert process.returncode == 1
    assert "this run has lost the lock of this host" in out
    assert hosts[0].run("curl -fsS localhost:11434/api/version").stdout == '{"version":"0.24.0"}'
    assert fleethands("apply", **QUIET)[0] == 0
    code, again = fleethands("apply", **QUIET)
    assert (code, changes(again)) == (0, []), again


def test_a_persons_lock_is_never_waited_out(hosts: list[Host]) -> None:
    assert fleethands("apply", **QUIET)[0] == 0
    assert lock("acquire", "--reason", "'new driver'") == (0, "lab-1  locked for you\n")
    begun = time.monotonic()

    code, refused = fleethands("apply", "--lock-wait", "600", ollama_keep_alive="2h", **QUIET)

    assert time.monotonic() - begun < 60
    assert (code, refused["hosts"]["lab-1"]["status"]) == (1, "refused")
    assert re.fullmatch(r"locked by \S+@\S+ since .* UTC: new driver", refused["hosts"]["lab-1"]["reason"])
    stock = fleet.apply("lab-1", ollama_keep_alive="2h", **QUIET)
    assert "error: this host is locked by " in stock.said
    assert stock.changed("lab-1") == []
    assert fleethands("apply", **QUIET)[0] == 0  # nothing is to be done, so nothing is in its way
    code, said = lock("acquire", "--reason", "mine")
    assert (code, "locked by" in said) == (1, True)
    hosts[0].reboot()
    assert not free()
    code, said = lock("release")
    assert (code, "free; it was locked by " in said, ": new driver" in said) == (0, True, True)
    assert fleethands("apply", **QUIET)[0] == 0
    code, again = fleethands("apply", **QUIET)
    assert (code, changes(again)) == (0, []), again


@pytest.mark.soak
def test_a_cut_network_frees_a_host_when_the_lease_is_over(lab: Lab, hosts: list[Host]) -> None:
    host = hosts[0]
    with in_a_slow_download(lab, host, "0.24.1"):
        host.unplug()
        time.sleep(LEASE + 10)
        host.plug()

        assert f"no sign of it for {LEASE} s" in journal(host)[-1]
        assert free()
    code, done = fleethands("apply", **QUIET)
    assert code == 0, done
    assert any(note.startswith("took over the lock of ") for note in done["hosts"]["lab-1"]["notes"])
    code, again = fleethands("apply", **QUIET)
    assert (code, changes(again)) == (0, []), again
