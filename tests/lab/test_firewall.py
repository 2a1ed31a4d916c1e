"""Closed from outside at every moment, whatever else filters on a host, and open to those who are named."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.lab import fleet, observe
from tests.lab.flavors import GUIDE, V1, answers, until
from tests.lab.fleet import changes, fleethands
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.watching import seen, watching

PORTS = (11434, 3000)
# its own table, and before that everybody's gone: what Debian's example of a rules file begins with
RULES = """
flush ruleset
table inet mine { chain input { type filter hook input priority filter; tcp dport 23 drop; }; }
"""
# a set that changes, a chain of each hook, a table of another family
MINE = """
table inet mine {
	set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; elements = { 192.0.2.7 }; }
	chain input { type filter hook input priority filter; policy accept; tcp dport 23 drop; }
	chain forward { type filter hook forward priority filter; policy accept; }
}
table ip6 other { chain input { type filter hook input priority filter; policy accept; tcp dport 23 reject; }; }
"""


@pytest.fixture
def neighbour(lab: Lab) -> Host:
    """Another host of the same network."""
    lab["lab-2"].restore("clean")
    return lab["lab-2"]


@contextmanager
def a_session(host: Host) -> Iterator[None]:
    """SSH, open all the while: it is still there in the end, and its host still answers in it."""
    command = ["ssh", "-F", str(fleet.ROOT / os.environ["FLEETHANDS_LAB"] / "ssh_config"), host.name, "cat"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield
        assert process.stdin is not None
        said, _ = process.communicate("still there\n", timeout=20)
        assert said == "still there\n"
    finally:
        process.kill()
        process.wait()


def serves(host: Host) -> None:
    until(host, "curl -fs -o /dev/null localhost:11434/api/version", 60)
    answers(host)


def others_rules(host: Host) -> str:
    """Every table except fleethands'."""
    tables = "nft list tables | grep -v ' fleethands$' | while read -r _ family name; do {}; done"
    return host.run(tables.format('nft --stateless list table "$family" "$name"')).stdout


def test_ports_are_closed_through_a_run_and_nothing_else_is_touched(converged: Host, neighbour: Host) -> None:
    converged.run("nft --file -", stdin=MINE)
    before = others_rules(converged)
    named: dict[str, Any] = {"allow_from": ["192.0.2.0/24", "2001:db8::/64"]}

    with watching(neighbour, converged, PORTS) as seen_open, a_session(converged):
        code, done = fleethands("apply", **named)
        assert code == 0, fleet.trouble(done)
        converged.run("systemctl restart fleethands-firewall")
        assert changes(fleethands("plan", **named)[1]) == []
        assert seen_open() == set()
        assert others_rules(converged) == before
        converged.run("systemctl stop fleethands-firewall; nft delete table inet fleethands")
        # the watch does see what is open
        until(neighbour, seen(converged, 11434), 20)
    assert changes(fleethands("plan", **named)[1]) == ["Firewall | Load the rules", "Proof | Get an answer to a prompt"]


def rules(host: Host) -> list[str]:
    listed = "nft list chain inet fleethands input | sed -n 's/.*tcp dport \\(.*\\) jump .*/\\1/p'"
    return host.run(listed).stdout.split()


@pytest.mark.soak
def test_a_port_that_is_left_stays_closed_until_its_successor_is_proven(converged: Host, neighbour: Host) -> None:
    moved: dict[str, Any] = {"ollama_host": "0.0.0.0:11500"}
    settle = "Firewall | Close only the declared ports"

    with watching(neighbour, converged, (*PORTS, 11500)) as seen_open:
        code, done = fleethands("apply", **moved)
        assert code == 0, fleet.trouble(done)
        assert changes(done)[-2:] == ["Proof | Get an answer to a prompt", settle]
        assert seen_open() == set()
    assert rules(converged) == ["3000", "11500"]
    code, again = fleethands("apply", **moved)
    assert (code, changes(again)) == (0, [])
    assert again["hosts"]["lab-1"]["remote_commands"] == 1


def test_a_device_of_the_hosts_own_is_outside_though_it_is_named_as_a_bridge(converged: Host, neighbour: Host) -> None:
    """Another leg of the same network, as a host's own bridge has that carries its network card."""
    address = converged.address.rpartition(".")[0] + ".210"
    converged.run(
        "sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip link add br-lan link host0 type macvlan mode bridge;"
        f" ip link set br-lan up; ip address add {address}/24 dev br-lan"
    )
    ask = f"curl -s -o /dev/null --max-time 2 http://{address}:11434/"
    until(neighbour, ask, 20)  # it was closed

    assert fleethands("apply")[0] == 0

    assert neighbour.run(ask, check=False).returncode != 0
    assert changes(fleethands("plan")[1]) == []


@pytest.mark.soak
def test_ports_are_closed_at_every_moment_of_a_hosts_life(clean: Host, neighbour: Host) -> None:
    public: dict[str, Any] = {"openhands_bind": "::"}
    with watching(neighbour, clean, PORTS) as seen_open:
        with a_session(clean):
            code, done = fleethands("apply", **public)
            assert code == 0, fleet.trouble(done)
            assert fleethands("apply", **public, allow_from=["192.0.2.0/24"])[0] == 0
        clean.run("systemctl restart docker", timeout=90)
        serves(clean)
        clean.reboot()
        serves(clean)
        clean.run("systemctl restart fleethands-firewall.service")
        assert changes(fleethands("plan", **public, allow_from=["192.0.2.0/24"])[1]) == []
        assert seen_open() == set()
        clean.run("systemctl stop fleethands-firewall; nft delete table inet fleethands")
        until(neighbour, f"{seen(clean, 11434)} && grep -qxF '{clean.address6} 3000' /tmp/open", 20)


@pytest.mark.parametrize(
    ("family", "port", "says"),
    [
        ("address", 3000, "port 3000 is held by `sshd`"),
        ("address6", 40022, "SSH came in by port 40022 of "),  # in the range in which V1's sandboxes are published
    ],
)
def test_the_port_that_ssh_came_in_by_is_not_closed(clean: Host, family: str, port: int, says: str) -> None:
    clean.run(f"systemd-run --quiet --unit door /usr/sbin/sshd -D -p {port}")
    until(clean, f"ss -Hltn 'sport = :{port}' | grep -q .", 10)
    address: str = getattr(clean, family)
    way: dict[str, Any] = {"ssh_hostname": address, "ssh_port": port, "ssh_strict_host_key_checking": "no"}

    code, done = fleethands("apply", **way, **V1)

    assert code == 1
    assert says in done["hosts"]["lab-1"]["reason"]
    assert "fleethands" not in clean.run("nft list tables").stdout
    assert observe.reachable(address, port)


FLUSHES = {
    "a restart of Debian's service": "systemctl restart nftables",
    "its reload": "systemctl reload nftables",
    "its stop": "systemctl stop nftables",
    "rules loaded by hand": "nft --file /etc/nftables.conf",
    "a flush by hand": "nft flush ruleset",
}


def test_whoever_flushes_all_rules_takes_ours_along_for_a_moment_only(converged: Host) -> None:
    converged.run("cat > /etc/nftables.conf", stdin=RULES)
    converged.run("systemctl enable --quiet --now nftables")

    for words in FLUSHES.values():
        converged.run(words)
        until(converged, "nft list table inet fleethands >/dev/null 2>&1", 5)
        assert not observe.reachable(converged.address, 11434, 0.5)
        assert not observe.reachable(converged.address6, 11434, 0.5)
    converged.run("systemctl restart nftables")
    assert converged.run("nft list table inet mine | grep -c 'dport 23 drop'").stdout == "1\n"
    assert changes(fleethands("plan")[1]) == []


def test_only_the_named_networks_get_in(converged: Host, neighbour: Host) -> None:
    four, six = converged.address.rpartition(".")[0], converged.address6.rpartition("::")[0]
    ranges, inside = [f"{four}.200/29", f"{six}::aa:0/112"], {4: f"{four}.201", 6: f"{six}::aa:5"}
    neighbour.run(f"ip address add {inside[4]}/24 dev host0; ip address add {inside[6]}/64 dev host0 nodad")
    allowed: dict[str, Any] = {"openhands_bind": "0.0.0.0", "allow_from": ranges}

    code, done = fleethands("apply", **allowed)

    assert code == 0, fleet.trouble(done)
    serves(converged)

    def gets_in(source: str, address: str, port: int) -> bool:
        ask = f"curl -s -o /dev/null --max-time 3 --interface {source} http://{address}:{port}/"
        return neighbour.run(ask, check=False).returncode == 0

    host6 = f"[{converged.address6}]"
    assert [gets_in(inside[4], converged.address, port) for port in PORTS] == [True, True]
    assert [gets_in(neighbour.address, converged.address, port) for port in PORTS] == [False, False]
    assert gets_in(inside[6], host6, 11434)
    assert [gets_in(neighbour.address6, host6, port) for port in PORTS] == [False, False]
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
    allowed: dict[str, Any] = {"allow_from": ["192.168.235.0/24"]}
    code, done = fleethands("apply", **allowed)
    assert code == 0, fleet.trouble(done)
    clean.run("docker network create --subnet 192.168.234.0/24 mine")
    named = "-o com.docker.network.bridge.name=mine0"  # no name of Docker's own: its range is named instead
    clean.run(f"docker network create --subnet 192.168.235.0/24 {named} named")
    ask = f"--entrypoint curl {GUIDE} -fsS --max-time 5 http://host.docker.internal:11434/api/version"

    for network in ("bridge", "mine", "named"):
        said = clean.run(f"docker run --rm --network {network} --add-host host.docker.internal:host-gateway {ask}")
        assert "0.24.0" in said.stdout

    assert changes(fleethands("plan", **allowed)[1]) == []
