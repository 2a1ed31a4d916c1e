"""Ways that lead through other hosts, between a real `ssh` (or none) and SSH servers on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.answering import Servers, fleethands, servers
from tests.helpers.checkout import ROOT
from tests.helpers.sshd import key, public

# in a process of its own, as a run is: gevent patches it whole
PROGRAM = """
import json, sys
import pyinfra_cli.util  # patches the standard library
import gevent
from pathlib import Path
from pyinfra.connectors import ssh as connector
from fleethands.engine.setup import prepare

prepare(Path.cwd())

def said_by(name):
    client = connector.SSHClient()
    try:
        with gevent.Timeout(60):
            client.connect(name, _pyinfra_ssh_config_file=sys.argv[1], _pyinfra_ssh_strict_host_key_checking="yes")
            return [client.exec_command("anything")[1].read().decode()]
    except BaseException as error:
        return [f"{type(error).__name__}: {error}", *getattr(error, "why", ("", []))[1]]
    finally:
        client.close()

print(json.dumps({name: said_by(name) for name in sys.argv[2:]}))
"""
CARRY = """
import os, socket, sys, threading
there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while block := os.read(0, 9999):
        there.sendall(block)
threading.Thread(target=up, daemon=True).start()
while block := there.recv(9999):
    os.write(1, block)
"""
CONFIG = """
Host star-none
  ProxyJump none
Host star-*
  ProxyJump a
Host via
  ProxyJump a
Host chain
  ProxyJump a,b
Host behind
  ProxyJump b-behind-a
Host b-behind-a
  ProxyJump a
Host loop
  ProxyJump itself
Host itself
  ProxyJump itself
Host through-busy
  ProxyJump busy
Host shut
  Port 1
  ProxyJump a
Host denied
  ProxyJump closed
Host through-new
  ProxyJump new
Host through-swapped
  ProxyJump swapped
Host alias
  HostKeyAlias gpu
Host no-alias
  HostKeyAlias unheard-of
Host command
  ProxyCommand {python} {place}/carry.py %p
Host no-command
  ProxyCommand /bin/echo no way to %h >&2; exit 1
Host keys
  Port {keys}
  IdentityFile {place}/ecdsa
  IdentityFile {place}/none
  IdentityFile {place}/ed25519
Host b-behind-a
  Port {b}
{named}
Host *
  HostName 127.0.0.1
  Port {c}
  User ada
  IdentityFile {place}/rsa
  UserKnownHostsFile {place}/known
  GlobalKnownHostsFile none
  IdentityAgent none
  ForwardAgent yes
"""
NAMES = (
    "c", "star-none", "star-1", "via", "chain", "behind", "loop", "through-busy", "shut", "denied", "through-new",
    "through-swapped", "alias", "no-alias", "command", "no-command", "keys",
)  # fmt: skip
C = ["c\n"]


@dataclass
class Net:
    """What hosts said that are reached by one configuration, and what servers saw of it."""

    place: Path
    ports: dict[str, int]
    lines: dict[str, str]
    path: str
    said: dict[str, list[str]]
    seen: dict[str, list[dict[str, Any]]]

    def forwards(self, server: str) -> list[int]:
        return [each["forward"] for each in self.seen[server] if "forward" in each]

    def name(self, server: str) -> str:
        """What it is called in known_hosts."""
        return f"[127.0.0.1]:{self.ports[server]}"


def write(place: Path, there: Servers) -> None:
    named = "".join(f"Host {name}\n  Port {port}\n" for name, port in there.ports.items() if name != "c")
    words = {"python": sys.executable, "place": place, "named": named, **there.ports}
    (place / "config").write_text(CONFIG.format(**words))
    (place / "carry.py").write_text(CARRY)
    known = {name: line for name, line in there.lines.items() if name not in {"new", "swapped"}}
    swapped = there.lines["swapped"].split()[0] + " " + public(place / "rsa") + "\n"
    (place / "known").write_text("".join(known.values()) + swapped + f"gpu {there.lines['c'].split(' ', 1)[1]}")


@pytest.fixture(scope="module", params=["with ssh", "without ssh"])
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    place = tmp_path_factory.mktemp("net")
    accepted = [public(key(place, kind)).split()[1] for kind in ("rsa", "ecdsa", "ed25519")][2]
    path = os.environ["PATH"] if request.param == "with ssh" else str(place / "nothing")
    wanted: dict[str, dict[str, Any]] = {name: {} for name in ("a", "b", "c", "new", "swapped")}
    with servers(place, **wanted, busy={"drops": 2}, closed={"accepts": []}, keys={"accepts": [accepted]}) as there:
        write(place, there)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(place / "config"), *NAMES],
            cwd=ROOT, env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(place)},
            capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Net(place, there.ports, there.lines, path, json.loads(done.stdout), there.seen())


def test_a_way_leads_through_each_jump_host_in_turn(net: Net) -> None:
    hosts = ("c", "star-none", "star-1", "via", "chain", "behind", "through-busy")

    assert {name: net.said[name] for name in hosts} == dict.fromkeys(hosts, C)
    b, c = net.ports["b"], net.ports["c"]
    assert net.forwards("a") == [c, c, b, b, 1]  # star-1, via, chain, behind, shut
    assert net.forwards("b") == [c, c]
    assert net.forwards("busy") == [c]


def test_no_agent_is_forwarded(net: Net) -> None:
    assert not any("agent" in each for seen in net.seen.values() for each in seen)


def test_a_way_that_leads_back_ends(net: Net) -> None:
    said, hint = net.said["loop"]

    assert said.startswith("JumpHostError: its ")
    assert "itself" in said
    assert "`Host itself` and `ProxyJump none`" in hint


def test_the_key_of_a_jump_host_counts(net: Net) -> None:
    said, hint = net.said["through-new"]
    assert said == f"JumpHostError: the host key of its jump host {net.name('new')} is not in known_hosts"
    assert hint.startswith(f"compare and accept it: `ssh -F {net.place}/config ")

    said, hint = net.said["through-swapped"]
    changed = "changed: the host was reinstalled, or this is a man-in-the-middle attack"
    assert said == f"JumpHostError: the host key of its jump host {net.name('swapped')} {changed}"
    subprocess.run(hint.split("`")[1], shell=True, check=True, capture_output=True)  # noqa: S602  as a person types it
    assert net.name("swapped") not in (net.place / "known").read_text()


def test_a_way_that_does_not_lead_there_is_told(net: Net) -> None:
    assert "cannot reach" in net.said["shut"][0]
    assert "refuses the login" in net.said["denied"][0]
    assert net.said["no-command"][0] == "JumpHostError: its ProxyCommand failed: no way to 127.0.0.1"
    assert all(hints and "`ssh -v " in hints[0] for _, *hints in (net.said[each] for each in ("shut", "no-command")))


def test_commands_aliases_and_keys_are_those_of_the_configuration(net: Net) -> None:
    assert (net.said["command"], net.said["alias"]) == (C, C)
    assert net.said["no-alias"][0].startswith("HostKeyRefused: the host key of unheard-of is not in known_hosts")
    tried = [each["key"] for each in net.seen["keys"] if "login" in each]
    keys = {kind: public(net.place / kind).split()[1] for kind in ("rsa", "ecdsa", "ed25519")}
    assert tried[:2] == [keys["ecdsa"], keys["ed25519"]]
    assert net.said["keys"] == ["keys\n"]


@pytest.mark.parametrize("ssh", [True, False])
def test_trust_says_the_same_as_a_run(ssh: bool, tmp_path: Path) -> None:
    path = os.environ["PATH"] if ssh else str(tmp_path)
    key(tmp_path, "rsa")
    with servers(tmp_path, a={}, c={}) as there:
        known, config = tmp_path / "known", tmp_path / "config"
        known.write_text(there.lines["c"])
        config.write_text(
            f"Host a\n  Port {there.ports['a']}\nHost box\n  Port {there.ports['c']}\n  ProxyJump a\nHost *\n"
            f"  HostName 127.0.0.1\n  IdentityFile {tmp_path}/rsa\n  UserKnownHostsFile {known}\n"
        )
        hosts = {"box": {"ssh_config_file": str(config)}}

        trust = fleethands(tmp_path, "trust", "--yes", "--json", hosts=hosts, PATH=path)
        plan = fleethands(tmp_path, "plan", "--json", hosts=hosts, PATH=path)

        one, other = (json.loads(each.stdout)["hosts"]["box"] for each in (trust, plan))
        assert (
            one["reason"]
            == other["reason"]
            == f"the host key of its jump host [127.0.0.1]:{there.ports['a']} " + ("is not in known_hosts")
        )
        assert one["hints"] == other["hints"] != []
        known.write_text(there.lines["a"])
        assert fleethands(tmp_path, "trust", "--yes", hosts=hosts, PATH=path).returncode == 0
        assert known.read_text() == there.lines["a"] + there.lines["c"]


def test_without_ssh_what_it_alone_can_judge_is_named(tmp_path: Path) -> None:
    (tmp_path / "more").write_text('# comment\nMatch exec "true"\n  Port 1\nHost elsewhere\n  Port 2\n')
    config = tmp_path / "config"
    config.write_text(
        f"Include {tmp_path}/more\nMatch host box localnetwork 10.0.0.0/8\n  Port 3\nHost box\n  Port 9\n"
    )
    hosts = {"box": {"ssh_config_file": str(config), "ssh_hostname": "127.0.0.1"}}

    done = fleethands(tmp_path, "plan", hosts=hosts, PATH=str(tmp_path))

    assert f'warning: {tmp_path}/more, line 2: `Match exec "true"` is ignored' in done.stderr
    assert f"warning: {config}, line 2: `Match host box localnetwork 10.0.0.0/8` is ignored" in done.stderr
