"""One address for several hosts: requests go to a host that has the model, and a rollout costs no client a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleethands import paths
from tests.lab import fleet
from tests.lab.flavors import until
from tests.lab.gateways import PORT
from tests.lab.group import FRONT, Group
from tests.lab.lab import Lab
from tests.lab.many import brought


@pytest.fixture
def group(lab: Lab, gateway_state: str, tmp_path: Path) -> Group:
    """Three hosts behind the gateway of lab-1."""
    group = Group(brought(lab, 3, gateway_state), tmp_path)
    group.apply()
    return group


@pytest.mark.timeout(900)
def test_a_rollout_behind_one_address_costs_no_request(group: Group) -> None:
    assert group.run("plan")[2]["hosts"][FRONT]["changes"] == []
    said = group.run("verify")[2]["hosts"][FRONT]["proof"]
    assert "3 of 3 hosts behind it answer" in str(said)

    with group.clients(4) as clients:
        clients.wait_for(12)
        group.more["ollama_keep_alive"] = "3m"
        narration, document = group.apply()
        clients.wait_for(12)

    assert clients.failures == []
    assert set(group.answering_hosts()) == set(group.hosts)
    batches = [line.split(": ")[1].split(" (")[0] for line in narration.splitlines() if line.startswith("batch ")]
    assert batches == ["lab-2, lab-3", "lab-1"], narration
    notes = [note for host in document["hosts"].values() for note in host["notes"]]
    assert sum("taken out of the gateway of lab-1" in note for note in notes) == 3, notes
    assert "the longest wait for answers under way was" in narration
    assert [fleet.changes(group.run("plan")[2], name) for name in group.hosts] == [[], [], []]
    left = group.front.run(f"ls {paths.GATEWAY_DRAINED}; systemctl list-timers --all 'fleethands-return-*' --no-legend")
    assert left.stdout == ""


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_host_that_dies_or_lacks_the_model_is_left_out(group: Group) -> None:
    group.hosts["lab-2"].run("ollama rm codellama:7b", timeout=60)
    status = [group.ask()[0] for _ in range(6)]
    assert status == [200] * 6
    assert "lab-2" not in group.answering_hosts()
    assert group.ask(model="unknown:1b")[0] == 404
    group.apply()
    with group.clients(3) as clients:
        clients.wait_for(6)
        group.hosts["lab-3"].kill()
        clients.wait_for(12)
    assert len(clients.failures) <= 3, clients.failures
    before = len(group.answering_hosts())
    with group.clients(3) as clients:
        clients.wait_for(12)
    assert clients.failures == []
    assert "lab-3" not in group.answering_hosts()[before:]


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_an_upgrade_of_four_hosts_with_eight_clients(lab: Lab, gateway_state: str, tmp_path: Path) -> None:
    lab.up(count=4)
    group = Group(brought(lab, 4, gateway_state), tmp_path, fronts=("lab-1", "lab-2"))
    group.apply()

    with group.clients(8) as clients:
        clients.wait_for(16)
        group.more["ollama_version"] = "0.24.1"
        narration, _ = group.apply("--batch", "1")
        clients.wait_for(16)

    print(narration, clients.answers, f"longest {clients.longest:.1f} s")
    assert clients.failures == []
    assert set(group.answering_hosts()) == set(group.hosts)
    versions = [host.run("ollama --version").stdout for host in group.hosts.values()]
    assert all("0.24.1" in each for each in versions), versions
    assert [fleet.changes(group.run("plan")[2], name) for name in group.hosts] == [[]] * 4

    with group.clients(8) as clients:
        clients.wait_for(16)
        group.more["ollama_version"] = "0.24.0"
        group.hosts["lab-4"].kill()
        group.run("apply", "--batch", "1", "--max-fail", "2")
        clients.wait_for(16)

    print(clients.answers, clients.failures, f"longest {clients.longest:.1f} s")
    assert len(clients.failures) <= 8
    lab.trim(3)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_wait_has_a_limit_and_a_gateway_that_is_gone_stops_nothing(group: Group) -> None:
    group.more["ollama_keep_alive"] = "4m"
    with group.clients(3, tokens=4000) as clients:
        until(group.front, "ss -Htn state established dport = :11434 | grep -q .", 60)
        narration, _ = group.apply("--hosts", "lab-1", "--drain-timeout", "2s")
        clients.over.set()
    assert "requests that take longer are cut" in narration

    group.front.run("systemctl kill -s KILL --kill-whom=main fleethands-gateway")
    until(group.front, f"curl -sk https://127.0.0.1:{PORT}/ -o /dev/null", 30)  # its sockets do not stop it
    group.front.kill()
    group.more["ollama_keep_alive"] = "5m"
    code, _, document = group.run("apply", "--hosts", "lab-2")
    notes = document["hosts"]["lab-2"]["notes"]
    assert code == 0, document
    assert "gateway of lab-1: the host cannot be reached, so nothing is taken out there" in notes
