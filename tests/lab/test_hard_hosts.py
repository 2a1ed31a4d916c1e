"""Hosts that are not reached, not to be changed, or hang: each is named with its cause, none holds up the others."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, all_proven, brought, statuses
from tests.lab.shell import run

SILENCE = 45  # seconds that a command may be silent
INVENTORY = """
import runpy

CHANGES = {changes!r}
hosts = [
    (name, {{**data, **CHANGES.get(name, {{}}), **{data!r}}})
    for name, data in runpy.run_path({lab!r})["lab"]
    if name in {names!r}
]
"""


@dataclass(frozen=True)
class FleetResult:
    """What a run said, and how long it took."""

    code: int
    document: dict[str, Any]
    seconds: float

    def host_line(self, name: str) -> str:
        """Status, reason and hints of a host."""
        host = self.document["hosts"][name]
        return " ".join([host["status"], host["reason"], *host["hints"]])


def applied(place: Path, names: list[str], changes: Mapping[str, Mapping[str, Any]], **data: Any) -> FleetResult:
    """`fleethands apply` at a terminal without an answer, on an inventory with difficult hosts."""
    lab = str(fleet.ROOT / "inventory/lab.py")
    place.write_text(INVENTORY.format(changes=dict(changes), data={**QUIET, **data}, lab=lab, names=names))
    words = [str(fleet.FLEETHANDS), "apply", str(place), "--yes", "--json", "--command-timeout", str(SILENCE)]
    ours, theirs = pty.openpty()
    begun = time.monotonic()
    try:
        done = subprocess.run(
            words, cwd=fleet.ROOT, stdin=theirs, capture_output=True, text=True, timeout=500, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return FleetResult(done.returncode, json.loads(done.stdout), time.monotonic() - begun)


def another_key(place: Path, host: Host) -> dict[str, Any]:
    """Host data by which the host's key is not the one that is known."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", place / "other")
    (place / "known_hosts").write_text(f"{host.address} {(place / 'other.pub').read_text()}")
    return {"ssh_known_hosts_file": str(place / "known_hosts")}


def mute(host: Host) -> None:
    """Its kernel takes connections, and its sshd says nothing."""
    host.run("systemctl kill --kill-whom=main --signal=STOP ssh")


def hang(host: Host) -> None:
    """A restart of Ollama does not return."""
    text = (
        '#!/bin/sh\\ncase "$*" in "restart ollama.service") exec sleep 86400 ;; esac\\nexec /usr/bin/systemctl "$@"\\n'
    )
    host.run(f"printf '{text}' > /usr/local/sbin/systemctl && chmod 0755 /usr/local/sbin/systemctl")


@contextmanager
def no_room(host: Host) -> Iterator[None]:
    with host.out_of_disk("/opt/ollama", "60m"):
        yield


def test_a_host_with_another_key_and_one_that_says_nothing_hold_up_nobody(
    lab: Lab, quiet_state: str, tmp_path: Path
) -> None:
    hosts = brought(lab, 3, quiet_state)
    mute(hosts["lab-3"])

    told = applied(
        tmp_path / "fleet.py", [*hosts], {"lab-2": another_key(tmp_path, hosts["lab-2"])}, ollama_keep_alive="2m"
    )

    assert told.code == 1
    assert statuses(told.document) == {"lab-1": "changed", "lab-2": "unreachable", "lab-3": "unreachable"}
    assert "its host key changed" in told.host_line("lab-2")
    assert "the server accepts the connection but sends no SSH banner" in told.host_line("lab-3")
    assert told.seconds < 120
    assert all_proven([hosts["lab-1"]])


SSH_CONFIG = """
Host jump
    HostName {jump}
    User root
    IdentityFile {key}
    UserKnownHostsFile {trusted}
Host behind
    HostName {behind}
    User root
    IdentityFile {key}
    UserKnownHostsFile {known}
    ProxyJump jump
"""


def test_a_host_behind_a_jump_host_is_reached_and_the_jump_hosts_key_is_checked_too(
    lab: Lab, quiet_state: str, tmp_path: Path
) -> None:
    hosts = brought(lab, 2, quiet_state)
    access, trusted, config = lab.site.access, tmp_path / "trusted", tmp_path / "config"
    jump, behind = hosts["lab-1"].address, hosts["lab-2"].address
    trusted.touch()
    config.write_text(
        SSH_CONFIG.format(jump=jump, behind=behind, key=access.identity, known=access.known_hosts, trusted=trusted)
    )
    data = {"ssh_config_file": str(config), "ssh_allow_agent": False, "ollama_version": "0.24.0", **QUIET}
    (tmp_path / "fleet.py").write_text(f"hosts = [('behind', {{**{data!r}, 'models': ['codellama:7b']}})]\n")
    line = f"fleethands apply {tmp_path}/fleet.py --yes --json --data ollama_keep_alive=2m"

    code, said = fleet.typed(f"{line} 2>/dev/null")
    host = json.loads(said)["hosts"]["behind"]
    assert (code, host["status"]) == (1, "unreachable")
    assert host["reason"] == f"the host key of its jump host {jump} is not in known_hosts"
    assert host["hints"] == [f"compare and accept it: `ssh -F {config} behind`"]

    trusted.write_text(access.known_hosts.read_text())
    code, said = fleet.typed(f"{line} 2>/dev/null")
    assert (code, json.loads(said)["result"]) == (0, "changed"), said
    code, said = fleet.typed(f"{line} 2>/dev/null")
    assert (code, json.loads(said)["result"]) == (0, "unchanged"), said
    assert f"from {jump} " in hosts["lab-2"].run("journalctl -q -u ssh -n 50 -o cat").stdout


@pytest.fixture
def eight(lab: Lab, quiet_state: str) -> Iterator[dict[str, Host]]:
    yield brought(lab, 8, quiet_state)
    lab.trim(3)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_three_of_eight_are_done_and_five_are_named(eight: dict[str, Host], tmp_path: Path) -> None:
    changes = {"lab-4": another_key(tmp_path, eight["lab-4"]), "lab-8": {"ssh_user": "plain"}}
    hang(eight["lab-7"])
    with no_room(eight["lab-5"]):
        mute(eight["lab-6"])
        told = applied(tmp_path / "fleet.py", [*eight], changes, ollama_version="0.24.1")

    good = [f"lab-{number}" for number in (1, 2, 3)]
    assert told.code == 1
    assert {name for name, status in statuses(told.document).items() if status == "changed"} == {*good}
    assert "unreachable its host key changed" in told.host_line("lab-4")
    shown = told.host_line("lab-4")
    assert f"ssh-keygen -R {eight['lab-4'].address}" in shown
    assert "then `fleethands trust" in shown
    assert told.host_line("lab-5").startswith("rolled-back Ollama | Install the pinned release: /opt has ")
    assert "unreachable the server accepts the connection but sends no SSH banner" in told.host_line("lab-6")
    assert "`ssh -v -i " in told.host_line("lab-6")
    assert f" root@{eight['lab-6'].address}`" in told.host_line("lab-6")
    assert told.host_line("lab-7").startswith(
        "failed Ollama | Serve this revision: the command printed nothing for 45 s"
    )
    assert "`ssh " in told.host_line("lab-7")
    assert told.host_line("lab-8").startswith("refused plain is not root and has no passwordless sudo")
    assert "/etc/sudoers.d/zz-fleethands" in told.host_line("lab-8")
    assert all(told.document["hosts"][name]["hints"] for name in told.document["hosts"] if name not in good)
    assert told.seconds < 300
    assert all_proven(eight[name] for name in good)

    again = applied(tmp_path / "fleet.py", good, {}, ollama_version="0.24.1")
    assert (again.code, set(statuses(again.document).values())) == (0, {"unchanged"})
