"""The machine where fleethands is typed: a directory, a home, and a person at a terminal who says yes."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.lab import Lab
from tests.lab.shell import CommandFailed, run
from tests.lab.zoo.state import State

QUIET_SECONDS = 1.5  # after which a program is taken to wait for the person
SAID = ("yes\n", "exit\n")


@dataclass(frozen=True)
class Controller:
    """
    Where a state is tried from.

    + here: the directory in which commands are typed; its `home` is the user's
    + inventory, hosts: as they are typed; data: on top
    """

    here: Path
    host: Host
    inventory: str
    hosts: str
    data: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def laid(cls, lab: Lab, host: Host, state: State, here: Path, proxy: str) -> Controller:
        """
        Its files written, with what is this lab's in the places of @ADDRESS@ and the like.

        + proxy: the address of a way to the registries and the releases
        """
        access = lab.site.access
        values: dict[str, Any] = {
            "HERE": here,
            "ADDRESS": host.address,
            "KEY": access.identity,
            "KNOWN_HOSTS": access.known_hosts,
        }
        values |= {f"LAB{number}": lab[f"lab-{number}"].address for number in (2, 3)}
        (here / "home").mkdir(parents=True, exist_ok=True)
        values |= {"KNOWN": access.known_hosts.read_text(), "PROXY": proxy, "ROOT": fleet.ROOT}
        values["HASHED"] = _hashed(values["KNOWN"], here / "home/hashed")
        for name, text in state.controller.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(_filled(text, values))
        data = json.loads(_filled(json.dumps({"openhands_flavor": "off", **state.data}), values))
        lab_s_own = str(fleet.ROOT / "inventory/lab.py")
        return cls(here, host, state.inventory or lab_s_own, state.hosts or host.name, data)

    def fleethands(self, command: str, *words: str, timeout: float = 500, **data: Any) -> tuple[int, dict[str, Any]]:
        """Exit code of `fleethands COMMAND` and the host's part of its document."""
        yes = [] if command in fleet.READERS else ["--yes"]
        line = [str(fleet.FLEETHANDS), command, self.inventory, "--hosts", self.hosts, "--json", *yes, *words]
        line += fleet.with_data(**{**self.data, **data})
        done = run(*line, cwd=self.here, check=False, timeout=timeout, env=self._environment)
        if not done.stdout.startswith("{"):
            raise CommandFailed(line, f"no document, exit {done.returncode}", done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)["hosts"][self.host.name]
        return done.returncode, told

    def type(self, line: str, timeout: float = 60) -> None:
        """A command line, typed at a terminal. Raises CommandFailed."""
        ours, theirs = pty.openpty()
        words = ["setsid", "--ctty", "--wait", "sh", "-c", line]
        process = subprocess.Popen(
            words, cwd=self.here, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **self._environment}
        )
        os.close(theirs)
        try:
            said = _talk(ours, timeout)
        finally:
            os.close(ours)
            process.terminate()
        if status := process.wait(10):
            raise CommandFailed(words, status, said)

    @property
    def _environment(self) -> dict[str, str]:
        path = f"{fleet.FLEETHANDS.parent}:{os.environ['PATH']}"
        return {"HOME": str(self.here / "home"), "PATH": path}


def _talk(terminal: int, timeout: float) -> str:
    """All output until the program exits. Answers a question with yes, then sends Ctrl-C."""
    said, answers, deadline = b"", [*SAID], time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], QUIET_SECONDS)[0]:
            if answers:
                os.write(terminal, answers.pop(0).encode())
            continue
        try:
            said += os.read(terminal, 65536)
        except OSError:  # the last program has closed it
            break
    return said.decode(errors="replace")


def _hashed(known: str, place: Path) -> str:
    """The same lines as ssh-keygen hides their names."""
    place.write_text(known)
    run("ssh-keygen", "-H", "-f", place)
    return place.read_text()


def _filled(text: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
