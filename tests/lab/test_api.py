"""The Python API on real hosts: what the command line does, as objects and values, in threads and in scripts."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fleethands import Event, Fleet, HostDoneEvent, PhaseEvent, Report, SettingsError, StepEvent, Strategy, WorkerDied
from tests.helpers.api_workers import find_workers, wait_until_ended
from tests.helpers.sshd import key
from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, all_proven, break_at, brought, kept_alive, mend
from tests.lab.project import INVENTORY

LAB = "inventory/lab.py"
TWO = "lab-[12]"
EXAMPLE = fleet.ROOT / "examples/canary.py"
STOPPED = """
from fleethands import Fleet, Interrupted, StepEvent
def show(event):
    if isinstance(event, StepEvent):
        print("step", flush=True)
try:
    Fleet.load("inventory/lab.py", hosts="lab-[12]", data={data!r}).apply(on_event=show)
except Interrupted as end:
    print(end.report.result, sorted(host.status for host in end.report.hosts.values()))
"""


@pytest.fixture
def two(lab: Lab, quiet_state: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Host]]:
    """Two hosts, applied and proven."""
    monkeypatch.chdir(fleet.ROOT)
    yield brought(lab, 2, quiet_state)
    assert find_workers(os.getpid()) == []


def keeping(keep_alive: str) -> Fleet:
    """Both hosts, with a setting that they do not have yet."""
    return Fleet.load(LAB, hosts=TWO, data={**QUIET, "ollama_keep_alive": keep_alive})


def statuses(report: Report) -> dict[str, str]:
    return {name: host.status for name, host in report.hosts.items()}


def hints(report: Report, name: str) -> str:
    return "\n".join(report.hosts[name].hints)


def known(name: str) -> dict[str, Any]:
    """The host data that the lab's inventory has."""
    return dict(runpy.run_path(LAB)["lab"])[name]


def test_two_fleets_in_two_threads_then_one_rollout_then_nothing_to_do(two: dict[str, Host]) -> None:
    fleets = [Fleet.load(LAB, hosts=name, data={**QUIET, "ollama_keep_alive": "2m"}) for name in two]
    with ThreadPoolExecutor(2) as pool:
        plans = list(pool.map(Fleet.plan, fleets))
    assert [statuses(plan) for plan in plans] == [{"lab-1": "pending"}, {"lab-2": "pending"}]

    events: list[Event] = []
    report = keeping("2m").apply(Strategy(canary="lab-2"), on_event=events.append)

    assert (report.result, statuses(report)) == ("changed", dict.fromkeys(two, "changed"))
    phases = [event.text for event in events if isinstance(event, PhaseEvent)]
    assert phases == ["canary: lab-2", "batch 1 of 1: lab-1"]
    assert {event.host for event in events if isinstance(event, StepEvent)} == set(two)
    assert [event for event in events if isinstance(event, HostDoneEvent) and not event.ok] == []
    assert all(link.ok for host in report.hosts.values() for link in host.proof)
    assert kept_alive(two.values()) == dict.fromkeys(two, "2m")

    again = keeping("2m").apply()
    assert (again.result, {host.remote_commands for host in again.hosts.values()}) == ("unchanged", {1})

    back = keeping("2m").rollback(to="previous")
    assert back.result == "changed"
    assert kept_alive(two.values()) == dict.fromkeys(two)


def test_a_fleet_that_is_built_in_code(two: dict[str, Host], tmp_path: Path) -> None:
    data = {**known("lab-1"), **QUIET}
    other = key(tmp_path, "ed25519").with_suffix(".pub").read_text()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"{data['ssh_hostname']} {other}")
    hosts = {
        "lab-1": data,
        "stranger": {**data, "ssh_known_hosts_file": str(known_hosts)},
        "nobody": {**data, "ssh_port": 1},
    }

    status = Fleet(hosts).status()
    proof = Fleet(hosts).select("lab-1").verify()

    assert statuses(status) == {"lab-1": "unchanged", "stranger": "unreachable", "nobody": "unreachable"}
    assert status.hosts["lab-1"].facts["ollama"]["version"] == "0.24.0"
    assert status.hosts["stranger"].reason.startswith("its host key changed")
    assert f"`fleethands trust stranger --data ssh_user=root --data ssh_key={data['ssh_key']} " in hints(
        status, "stranger"
    )
    assert (proof.result, all(link.ok for link in proof.hosts["lab-1"].proof)) == ("unchanged", True)
    with pytest.raises(SettingsError, match="`ollama_version`"):
        Fleet(hosts, data={"ollama_version": "newest"}).apply()


def test_the_example_stops_at_its_canary_and_writes_an_issue(two: dict[str, Host], tmp_path: Path) -> None:
    break_at(two["lab-1"], "2m")
    data = {**QUIET, "ollama_keep_alive": "2m"}
    text = INVENTORY.format(data=data, lab=str(fleet.ROOT / LAB), hosts=list(two))
    (tmp_path / "prod.py").write_text(text)

    def run() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, str(EXAMPLE), "prod.py"]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=420, check=False)

    done = run()
    issue = (tmp_path / "issue.md").read_text()

    assert (done.returncode, done.stderr) == (1, "some hosts did not succeed: see issue.md\n")
    assert done.stdout.splitlines()[0] == "== canary: lab-1"
    assert "lab-1: Ollama | " in done.stdout
    assert "# 2 of 2 hosts did not succeed\n\n## lab-1: rolled-back\n\nProof | " in issue
    assert "## lab-2: not-run\n\nthe rollout stopped before this host: the canary failed: lab-1" in issue
    assert "\n- update the remaining hosts: `fleethands apply prod.py --canary 1 --batch 25% --max-fail 2`" in issue

    mend(two["lab-1"])
    assert run().returncode == 0
    assert kept_alive(two.values()) == dict.fromkeys(two, "2m")


def test_ctrl_c_lets_each_host_finish_its_step(two: dict[str, Host]) -> None:
    code = STOPPED.replace("{data!r}", repr({**QUIET, "ollama_keep_alive": "3m"}))
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=fleet.ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "step\n"
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=240)

    assert out.splitlines()[-1].startswith("interrupted ['")
    assert keeping("3m").apply(lock_wait=120).result == "changed"
    assert kept_alive(two.values()) == dict.fromkeys(two, "3m")
    assert all_proven(two.values())


def test_the_next_run_completes_that_of_a_killed_worker(two: dict[str, Host]) -> None:
    def kill(event: Event) -> None:
        if isinstance(event, StepEvent):
            for worker in find_workers(os.getpid()):
                os.kill(worker, signal.SIGKILL)
                assert wait_until_ended(worker)

    with pytest.raises(WorkerDied, match="killed by SIGKILL"):
        keeping("4m").apply(on_event=kill)

    assert keeping("4m").apply(lock_wait=120).result == "changed"
    assert kept_alive(two.values()) == dict.fromkeys(two, "4m")
    assert all_proven(two.values())
    assert keeping("4m").apply().result == "unchanged"
