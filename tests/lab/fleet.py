"""The product, run on lab hosts as its users run it, and what it said and did."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.shell import CommandFailed, run

ROOT = Path(__file__).parents[2]
READERS = ("plan", "status", "verify")
PYINFRA = Path(sys.executable).with_name("pyinfra")
FLEETHANDS = PYINFRA.with_name("fleethands")


@dataclass(frozen=True)
class Run:
    """One finished run: its exit code, what it said, and per host what it changed."""

    code: int
    said: str
    document: dict[str, Any] | None

    @property
    def failed(self) -> set[str]:
        """Hosts that did not succeed."""
        return set((self.document or {"results": {"failed_hosts": []}})["results"]["failed_hosts"])

    def changed(self, host: str) -> list[str]:
        """Names of the operations that changed this host, in their order."""
        return self._operations(host, "success")

    def broken(self, host: str) -> list[str]:
        """Names of the operations that failed on this host."""
        return self._operations(host, "error")

    def planned(self, host: str) -> list[str]:
        """Names of the operations that a dry run says would change this host."""
        rows = (self.document or {"plan": []})["plan"]
        return [row["names"][0] for row in rows if host in row["hosts_with_change"]]

    def _operations(self, host: str, verdict: str) -> list[str]:
        rows = (self.document or {"results": {"operations": []}})["results"]["operations"]
        return [row["names"][0] for row in rows if host in row[verdict]]


def with_data(**data: Any) -> list[str]:
    """Host data as the command lines take it."""
    return [word for key, value in data.items() for word in ("--data", f"{key}={json.dumps(value)}")]


def _command(hosts: Sequence[str], words: Sequence[str], data: dict[str, Any], deploy: str = "deploy.py") -> list[str]:
    limits = [word for host in hosts for word in ("--limit", host)]
    return [str(PYINFRA), "inventory/lab.py", *limits, *with_data(**data), deploy, "--json", *words]


def apply(*hosts: str, timeout: float = 420, deploy: str = "deploy.py", **data: Any) -> Run:
    """`pyinfra inventory/lab.py deploy.py -y` on these hosts, with host data on top."""
    return _run(_command(hosts, ["-y"], data, deploy), timeout)


def plan(*hosts: str, timeout: float = 60, diff: bool = False, **data: Any) -> Run:
    """The same with `--dry`."""
    return _run(_command(hosts, ["--dry", *(["--diff"] if diff else [])], data), timeout)


def start(*hosts: str, **data: Any) -> subprocess.Popen[bytes]:
    """An apply in the background, as leader of its own process group."""
    return subprocess.Popen(
        _command(hosts, ["-y"], data),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )


def say(command: str, *words: str, hosts: str = "lab-1", timeout: float = 60) -> tuple[int, str]:
    """Exit code and report, as people read it, of `fleethands COMMAND inventory/lab.py`."""
    line = [str(FLEETHANDS), command, "inventory/lab.py", "--hosts", hosts, *words]
    done = run(*line, cwd=ROOT, check=False, timeout=timeout)
    return done.returncode, done.stdout


def typed(line: str, timeout: float = 300) -> tuple[int, str]:
    """Exit code and words of a command line of this machine, as a hint gives it."""
    path = f"{FLEETHANDS.parent}:{os.environ['PATH']}"
    done = run("sh", "-c", line, cwd=ROOT, check=False, timeout=timeout, env={"PATH": path})
    return done.returncode, done.stdout + done.stderr


def fleethands(
    command: str, *words: str, hosts: str = "lab-1", timeout: float = 300, **data: Any
) -> tuple[int, dict[str, Any]]:
    """Exit code and document of `fleethands COMMAND inventory/lab.py`, with host data on top and without a terminal."""
    yes = [] if command in READERS else ["--yes"]
    line = [str(FLEETHANDS), command, "inventory/lab.py", "--hosts", hosts, "--json", *yes, *words, *with_data(**data)]
    done = run(*line, cwd=ROOT, check=False, timeout=timeout)
    if not done.stdout.startswith("{"):
        raise CommandFailed(line, f"no document, exit {done.returncode}", done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def trouble(document: dict[str, Any], host: str = "lab-1") -> str:
    """Why a host did not succeed, as its report has it: for the message of a test that fails."""
    told = document["hosts"][host]
    return "\n".join([f"{host}: {told['status']}: {told['reason']}", *told["hints"], *told["log"]])


def begin(command: str, *words: str, hosts: str = "lab-1", **data: Any) -> subprocess.Popen[str]:
    """The same in the background, as leader of its own process group. All output is on its standard output."""
    return subprocess.Popen(
        [str(FLEETHANDS), command, "inventory/lab.py", "--hosts", hosts, "--yes", *words, *with_data(**data)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def changes(document: dict[str, Any], host: str = "lab-1") -> list[str]:
    """Names of the operations that change a host by a document."""
    return [f"{change['task']} | {change['operation']}" for change in document["hosts"][host]["changes"]]


def fleethands_with(hosts: Path, authority: Path, *words: str, timeout: float = 60) -> dict[str, Any]:
    """
    The document of the command line on a controller whose /etc/hosts and certificate authority are these.

    The file is laid over the real one in a mount namespace of the process's own.
    """
    command = shlex.join([str(FLEETHANDS), *words])
    inside = f"mount --bind {shlex.quote(str(hosts))} /etc/hosts && exec {command}"
    outside = {"SSL_CERT_FILE": str(authority), "NO_PROXY": "*", "no_proxy": "*"}
    done = run("unshare", "-m", "sh", "-c", inside, cwd=ROOT, check=False, env=outside, timeout=timeout)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _environment() -> dict[str, str]:
    return {**os.environ, "PYINFRA_PROGRESS": "off"}


def _run(command: list[str], timeout: float) -> Run:
    done = run(*command, cwd=ROOT, check=False, timeout=timeout, env={"PYINFRA_PROGRESS": "off"})
    document = json.loads(done.stdout) if done.stdout.startswith("{") else None
    return Run(done.returncode, done.stderr, document)
