"""The programs that take the guide's steps on one host, and the files that each reads."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.access import Access
from tests.lab.host import Host

from .timing import BIN, ROOT

VERSION = "0.24.0"
ANSIBLE = ROOT / ".venv" / "bench" / "bin" / "ansible-playbook"
HERE = "127.0.0.1"
FAST = {
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_FORKS": "32",
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=300s -o Compression=no",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
    "ANSIBLE_LOCALHOST_WARNING": "0",
}


@dataclass(frozen=True)
class Case:
    """What a host should have; from the case before it, one thing changes."""

    name: str
    models: tuple[str, ...] = ("codellama:7b",)
    keep_alive: str = "5m"

    @property
    def variables(self) -> dict[str, str]:
        return {"OLLAMA_KEEP_ALIVE": self.keep_alive}


CASES = (
    Case("first apply"),
    Case("nothing to do"),
    Case("one changed variable", keep_alive="10m"),
    Case("one added model", keep_alive="10m", models=("codellama:7b", "tiny-tools:latest")),
)


@dataclass(frozen=True)
class Route:
    """
    One host behind a relay, and a directory for the files of the programs.

    + port: of the relay, on this machine
    """

    host: Host
    access: Access
    port: int
    place: Path

    def write(self, case: Case) -> None:
        """Write the inventories of all programs."""
        kind, key = self.access.host_key(self.host.name).with_suffix(".pub").read_text().split()[:2]
        (self.place / "known_hosts").write_text(f"[{HERE}]:{self.port} {kind} {key}\n")
        self._write_python(case)
        self._write_ansible(case)
        override = "\n".join(["[Service]", *(f'Environment="{name}={each}"' for name, each in case.variables.items())])
        values = {"version": VERSION, "models": " ".join(case.models), "override": override}
        script = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        spec = {"hosts": {self.host.name: HERE}, "port": self.port, "user": "root", "key": str(self.access.identity)}
        body = script + (ROOT / "bench" / "guide.sh").read_text()
        self._write_json("bare.json", {**spec, "known_hosts": str(self.place / "known_hosts"), "script": body})

    def _write_python(self, case: Case) -> None:
        """For fleethands and for pyinfra, which read different keys."""
        connection = {
            "ssh_hostname": HERE, "ssh_port": self.port, "ssh_user": "root", "ssh_key": str(self.access.identity),
            "ssh_known_hosts_file": str(self.place / "known_hosts"), "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False, "ssh_look_for_keys": False,
        }  # fmt: skip
        shared = {"ollama_version": VERSION, "models": list(case.models)}
        ours = {"openhands_flavor": "off", "ollama_keep_alive": case.keep_alive}
        for name, own in (("fleethands.py", ours), ("pyinfra.py", {"variables": case.variables})):
            data: dict[str, Any] = {**connection, **shared, **own}
            (self.place / name).write_text(f"boxes = [({self.host.name!r}, {data!r})]\n")

    def _write_ansible(self, case: Case) -> None:
        check = f"-o UserKnownHostsFile={self.place / 'known_hosts'} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        connection = {
            "ansible_host": HERE, "ansible_port": self.port, "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.access.identity), "ansible_ssh_common_args": check,
            "ansible_python_interpreter": "/usr/bin/python3",
        }  # fmt: skip
        wanted = {"ollama_version": VERSION, "models": list(case.models), "variables": case.variables}
        self._write_json("ansible.json", {"all": {"hosts": {self.host.name: {**connection, **wanted}}}})

    def _write_json(self, name: str, value: Any) -> None:
        (self.place / name).write_text(json.dumps(value))

    def commands(self) -> dict[str, list[str]]:
        """Program → its command line."""
        control = f"ANSIBLE_SSH_CONTROL_PATH_DIR={self.place / 'control'}"
        settings = [*(f"{name}={value}" for name, value in FAST.items()), control]
        play = str(ROOT / "bench" / "guide_play.yml")
        return {
            "bare paramiko": [str(BIN / "python"), str(ROOT / "bench" / "bare.py"), str(self.place / "bare.json")],
            "plain pyinfra": [
                str(BIN / "pyinfra"), str(self.place / "pyinfra.py"), str(ROOT / "bench" / "guide_ollama.py"), "-y",
            ],
            "Ansible": ["env", *settings, str(ANSIBLE), "-i", str(self.place / "ansible.json"), play],
            "fleethands": [str(BIN / "fleethands"), "apply", str(self.place / "fleethands.py"), "--yes", "--json"],
        }  # fmt: skip
