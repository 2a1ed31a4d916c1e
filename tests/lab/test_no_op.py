"""How many commands a run sends: the report agrees with sshd's own log, and a host with nothing to do costs one."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paramiko
import pytest

from fleethands.paths import OLLAMA_OVERRIDE
from tests.lab import fleet, observe, sessions
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import run

NAMES = ("lab-1", "lab-2")


@pytest.fixture(scope="module")
def hosts(lab: Lab, converged_state: str) -> list[Host]:
    """Applied and proven, their sshd writing its sessions down."""
    lab.internet.clear_faults()
    hosts = [lab[name] for name in NAMES]

    def bring(host: Host) -> None:
        host.restore(converged_state)
        sessions.write_down(host)

    with ThreadPoolExecutor() as pool:
        list(pool.map(bring, hosts))
    return hosts


def counted(hosts: list[Host], *words: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The document of a run, and the sessions of each connection that every host's sshd logged meanwhile."""
    marks = [sessions.mark(host) for host in hosts]
    command = [str(fleet.PYINFRA.with_name("fleethands")), *words, "inventory/lab.py", "--json", "--hosts", "lab-[12]"]
    done = run(*command, cwd=fleet.ROOT, timeout=300, check=False)
    sys.stderr.write(done.stderr)
    logged = {host.name: list(sessions.since(host, mark).values()) for host, mark in zip(hosts, marks, strict=True)}
    return json.loads(done.stdout)["hosts"], logged


@pytest.mark.parametrize("words", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_host_with_nothing_to_do_costs_one_command(hosts: list[Host], words: tuple[str, ...]) -> None:
    reports, logged = counted(hosts, *words)

    assert {name: report["status"] for name, report in reports.items()} == dict.fromkeys(NAMES, "unchanged")
    assert {name: [report["remote_commands"]] for name, report in reports.items()} == logged
    assert logged == {name: [1] for name in NAMES}


@pytest.mark.soak  # test_round_trips.py has a sample
def test_a_host_that_changes_costs_what_the_report_says(hosts: list[Host]) -> None:
    changing, other = hosts
    changing.run(f"echo '# by hand' >> {OLLAMA_OVERRIDE}")

    reports, logged = counted(hosts, "apply", "--yes")

    assert reports[changing.name]["status"] == "changed"
    assert {name: [report["remote_commands"]] for name, report in reports.items()} == logged
    assert logged[changing.name][0] > len(reports[changing.name]["changes"])
    assert logged[other.name] == [1]
    assert observe.proven(changing)
    again, _ = counted(hosts, "apply", "--yes")
    assert again[changing.name]["status"] == "unchanged"


def test_the_log_counts_every_command_of_a_connection(lab: Lab, hosts: list[Host]) -> None:
    """Checks the log itself: what five commands over one connection leave in it."""
    host, access = hosts[0], lab.site.access
    begin = sessions.mark(host)
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(access.known_hosts))
        client.connect(host.address, username="root", key_filename=str(access.identity), allow_agent=False)
        for _ in range(5):
            client.exec_command("true")[1].channel.recv_exit_status()
    host.run("true")

    assert sorted(sessions.since(host, begin).values()) == [1, 5]
