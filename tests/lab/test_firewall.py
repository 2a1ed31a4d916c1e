"""Closed from outside at every moment, whatever else filters on a host, and open to those who are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.lab import observe
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab

PORTS = (11434, 3000)
# its own table, and before that everybody's gone: what Debian's example of a rules file begins with
RULES = """
flush ruleset
table inet mine { chain input { type filter hook input priority filter; tcp dport 23 drop; }; }
"""
# each port of each address is tried some five times a second, as somebody outside does who waits for his moment
WATCH = """
for address in {addresses}; do for port in {ports}; do
  while :; do
    timeout 0.2 bash -c "</dev/tcp/$address/$port" 2>/dev/null && echo "$address $port" >> /tmp/open
    sleep 0.01
  done &
done; done
wait
"""


@pytest.fixture
def neighbour(lab: Lab) -> Host:
    """Another host of the same network."""
    lab["lab-2"].restore("clean")
    return lab["lab-2"]


@contextmanager
def watching(neighbour: Host, host: Host) -> Iterator[Callable[[], set[str]]]:
    """What the neighbour saw open on a host at any moment so far, as `ADDRESS PORT`."""
    script = WATCH.format(addresses=f"{host.address} {host.address6}", ports=" ".join(map(str, PORTS)))
    neighbour.run("cat > /tmp/watch; : > /tmp/open; systemd-run --quiet --unit watch bash /tmp/watch", stdin=script)
    yield lambda: set(neighbour.run("sort -u /tmp/open").stdout.splitlines())
    neighbour.run("systemctl stop watch")


def serves(host: Host) -> None:
    host.run("until curl -fs -o /dev/null localhost:11434/api/version; do sleep 0.1; done", timeout=30)
    host.run("until curl -fs -o /dev/null localhost:3000/health; do sleep 0.2; done", timeout=90)


@pytest.mark.soak
def test_ports_are_closed_at_every_moment_of_a_hosts_life(clean: Host, neighbour: Host) -> None:
    public: dict[str, Any] = {"openhands_bind": "0.0.0.0"}
    with watching(neighbour, clean) as seen_open:
        assert fleethands("apply", **public)[0] == 0
        assert fleethands("apply", **public, allow_from=["192.0.2.0/24"])[0] == 0
        clean.run("systemctl restart docker", timeout=90)
        serves(clean)
        clean.reboot()
        serves(clean)
        clean.run("systemctl restart fleethands-firewall.service || true; systemctl reload fleethands-firewall.service")
        assert changes(fleethands("plan", **public, allow_from=["192.0.2.0/24"])[1]) == []
        assert seen_open() == set()
        clean.run("nft delete table inet fleethands")  # the watch does see what is open
        neighbour.run("until grep -q 3000 /tmp/open && grep -q 11434 /tmp/open; do sleep 0.1; done", timeout=20)


def test_rules_of_ones_own_that_flush_everything_take_ours_along_for_a_moment_only(converged: Host) -> None:
    converged.run("cat > /etc/nftables.conf", stdin=RULES)
    converged.run("systemctl enable --quiet --now nftables")

    for verb in ("restart", "reload"):
        converged.run(f"systemctl {verb} nftables")
        converged.run("until nft list table inet fleethands >/dev/null 2>&1; do sleep 0.02; done", timeout=5)
        assert not observe.reachable(converged.address, 11434)
        assert not observe.reachable(converged.address6, 11434)
    assert converged.run("nft list table inet mine | grep -c 'dport 23 drop'").stdout == "1\n"
    assert changes(fleethands("plan")[1]) == []


def test_only_the_named_host_gets_in(lab: Lab, converged: Host, neighbour: Host) -> None:
    lab["lab-3"].restore("clean")
    networks = [f"{neighbour.address}/32", f"{neighbour.address6}/128"]
    allowed: dict[str, Any] = {"openhands_bind": "0.0.0.0", "allow_from": networks}

    code, done = fleethands("apply", **allowed)

    assert code == 0, done
    reach = "timeout 3 bash -c '</dev/tcp/{address}/{port}'"
    for port in PORTS:
        for address in (converged.address, converged.address6):
            there = reach.format(address=address, port=port)
            assert lab["lab-3"].run(there, check=False).returncode != 0
            assert neighbour.run(there, check=False).returncode == 0 or (port == 3000 and ":" in address)
    assert changes(fleethands("plan", **allowed)[1]) == []


def with_package(host: Host, package: str) -> None:
    with host.outward():
        install = f"apt-get -q update && apt-get -q -y install --no-install-recommends {package}"
        host.run(install, timeout=240)


@pytest.mark.soak
def test_beside_ufw_the_missing_rule_is_named_and_repairs_it(clean: Host) -> None:
    with_package(clean, "ufw")
    clean.run("ufw allow ssh && ufw --force enable")

    code, done = fleethands("apply")

    host = done["hosts"]["lab-1"]
    assert code == 1
    assert host["reason"].endswith("a firewall drops what containers send to port 11434: ufw")
    (hint,) = host["hints"]
    clean.run(hint.removeprefix("on the host: "))
    assert fleethands("apply")[0] == 0
    clean.run("ufw reload")
    assert fleethands("verify")[0] == 0
    assert changes(fleethands("plan")[1]) == []


@pytest.mark.soak
def test_firewalld_and_ours_leave_each_other_alone(clean: Host) -> None:
    with_package(clean, "firewalld")
    clean.run("systemctl restart firewalld docker", timeout=90)

    assert fleethands("apply")[0] == 0

    clean.run("firewall-cmd --reload && systemctl restart docker", timeout=90)
    code, done = fleethands("verify")
    assert code == 0, done["hosts"]["lab-1"]["reason"]
    assert "table inet firewalld" in clean.run("nft list tables").stdout
    assert changes(fleethands("plan")[1]) == []


@pytest.mark.soak
def test_docker_networks_of_other_ranges_and_names_reach_ollama(clean: Host) -> None:
    clean.run('echo \'{"storage-driver": "overlay2", "bip": "10.199.0.1/24"}\' > /etc/docker/daemon.json')
    clean.run("systemctl restart docker", timeout=90)
    assert fleethands("apply")[0] == 0
    clean.run("docker network create --subnet 192.168.234.0/24 mine")
    image = "--entrypoint curl ghcr.io/all-hands-ai/openhands:main -fsS --max-time 5"
    gateway = "--add-host host.docker.internal:host-gateway"

    answer = clean.run(
        f"docker run --rm --network mine {gateway} {image} http://host.docker.internal:11434/api/version"
    )

    assert "0.24.0" in answer.stdout
    assert changes(fleethands("plan")[1]) == []
