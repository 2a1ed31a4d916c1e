"""One host that does what it can against its operator costs the others nothing, and is named with the reason."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.many import QUIET, brought
from tests.lab.measured import MOST, RunResult, measured

CANARY = "canary-8b1f0c"  # in the controller's environment, and in one of its files
INVENTORY = """
from runpy import run_path as _run_path

_honest = _run_path("inventory/lab.py")["lab"]
_data = {"ssh_hostname": "127.0.0.1", "ssh_known_hosts_file": %r, "ssh_forward_agent": True}
lab = [*_honest, *((name, {**_honest[0][1], **_data, "ssh_port": port}) for name, port in %r.items())]
"""
LOGIN = {
    "greets-for-ever": "sends no SSH banner",
    "huge-packet": "it sent a packet of 42949672",
    "slow-login": "does not answer the login",
    "asks-a-person": "a second factor",
}
PROBE = {
    "gigabytes": "more than 8 MiB, and was given up",
    "short-lines": "more than 100000 lines, and was given up",
    "endless-line": "a line of more than 1 MiB, and was given up",
    "past-the-window": "and was given up",
    "chatter": "the SSH connection was lost",
    "not-utf-8": "owned",
    "odd-values": "",
    "odd-words": "",
    "odd-numbers": "",
    "large-numbers": "",
}
STEP = {
    "step-holds": "printed nothing for 20 s",
    "step-floods": "more than 8 MiB, and was given up",
    "step-lock-floods": "more than 64 KiB, and was given up",
    "step-fails-oddly": "owned",
}


@dataclass(frozen=True)
class Rogues:
    """An inventory with the lab's hosts and rogues with these behaviors."""

    directory: Path
    inventory: Path

    @property
    def received(self) -> str:
        """All that they were sent."""
        return (self.directory / "received").read_text()

    def run(self, command: str, *words: str, **data: Any) -> RunResult:
        """A run over the whole fleet."""
        canary = self.directory / "canary"
        canary.write_text(CANARY)
        config = self.directory / ".ssh" / "config"
        config.parent.mkdir(exist_ok=True)
        config.write_text("Host *\n  ForwardAgent yes\n")
        env = {"CANARY": CANARY, "HOME": str(self.directory)}
        return measured(command, str(self.inventory), *words, env=env, **data)


@contextmanager
def rogues(directory: Path, like: Host, behaviours: Sequence[str], config: Path) -> Iterator[Rogues]:
    """
    These hosts are there.

    + like: the real host that answers the probe for them; config: of ssh, that knows it
    """
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"], check=True)
    ports = dict(zip(behaviours, free_ports(len(behaviours)), strict=True))
    kind, key = (directory / "key.pub").read_text().split()[:2]
    known = "".join(f"[127.0.0.1]:{port} {kind} {key}\n" for port in ports.values())
    (directory / "known_hosts").write_text(known)
    (directory / "received").touch()
    spec = {
        "behaviours": ports,
        "host_key": str(directory / "key"),
        "real": ["ssh", "-F", str(config), like.name, "sh -s"],
        "received": str(directory / "received"),
    }
    (directory / "spec.json").write_text(json.dumps(spec))
    inventory = directory / "fleet.py"
    inventory.write_text(INVENTORY % (str(directory / "known_hosts"), ports))
    program = [sys.executable, str(Path(__file__).with_name("rogue.py")), str(directory / "spec.json")]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield Rogues(directory, inventory)
        process.kill()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nothing listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def assert_reported(told: RunResult, reasons: dict[str, str]) -> None:
    """The report has each rogue with its reason, and no terminal escape."""
    hosts = told.document["hosts"]
    for name, reason in reasons.items():
        assert hosts[name]["status"] in {"unreachable", "refused", "failed", "pending"}, (name, hosts[name])
        assert reason in hosts[name]["reason"], (name, hosts[name])
    for text in (told.said, json.dumps(told.document, ensure_ascii=False)):
        assert "Traceback" not in text
        assert not any(character < " " and character not in "\n\t" for character in text)


def learnt_nothing(there: Rogues) -> None:
    """No rogue was sent what is the controller's own."""
    assert "'script'" in there.received
    assert CANARY not in there.received
    assert "'agent'" not in there.received
    assert "'env'" not in there.received
    assert "'answered'" not in there.received


def test_a_plan_is_made_for_all_others(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    honest = brought(lab, 3, quiet_state)
    with rogues(tmp_path, honest["lab-1"], [*LOGIN, *PROBE], lab.site.access.config) as there:
        told = there.run("plan", ollama_keep_alive="2m", **QUIET)

        assert_reported(told, {**LOGIN, **PROBE})
        assert {told.document["hosts"][name]["status"] for name in honest} == {"pending"}
        assert told.code == 1
        assert told.memory < MOST, told.memory >> 20
        learnt_nothing(there)


def test_a_change_is_carried_out_on_all_others(lab: Lab, quiet_state: str, tmp_path: Path) -> None:
    honest = brought(lab, 3, quiet_state)
    words = ("--yes", "--no-rollback", "--max-fail", "100%", "--command-timeout", "20", "--host-timeout", "60")
    with rogues(tmp_path, honest["lab-1"], list(STEP), lab.site.access.config) as there:
        told = there.run("apply", *words, ollama_keep_alive="2m", **QUIET)

        assert_reported(told, STEP)
        told_of = {name: (host["status"], host["reason"]) for name, host in told.document["hosts"].items()}
        assert {name: told_of[name] for name in honest} == dict.fromkeys(honest, ("changed", ""))
        assert told.code == 1
        assert told.memory < MOST, told.memory >> 20
        learnt_nothing(there)
