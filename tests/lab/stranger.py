"""A person who has never seen fleethands, on a machine of their own: a Debian with Python, uv and an SSH key."""

from __future__ import annotations

import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import fleet
from tests.lab.host import Host
from tests.lab.internet.toolchain import uv
from tests.lab.lab import Lab
from tests.lab.shell import CommandFailed, run

USER = "you"
HOME = f"/home/{USER}"
BOX = "gpu-box"  # what the person calls the host
QUESTION = "[y/N]: "
CONSTRAINTS = f"{HOME}/.constraints.txt"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
FROM_HERE = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL)")  # where this machine's packages come from


@dataclass(frozen=True)
class Typed:
    """A command that was typed: its exit code, and what the terminal showed after it."""

    command: str
    code: int
    shown: str


@dataclass
class Stranger:
    """
    The person's account on a lab host.

    + directory: where the next command is typed; `cd` changes it
    """

    machine: Host
    config: Path
    directory: str = HOME

    def enter(self, command: str, timeout: float = 900) -> Typed:
        """Type a command on a terminal. Questions are answered with `y`."""
        if found := re.fullmatch(r"cd (\S+)", command):
            self.directory = f"{self.directory}/{found[1]}"
            return Typed(command, 0, "")
        process = self._start(f"set -o pipefail; {{ {command}; }} 2>&1 | cat")
        try:
            shown = _read(process, timeout)
            return Typed(command, process.wait(10), shown)
        finally:
            _end(process)

    @contextmanager
    def left_open(self, command: str, until: str, timeout: float = 60) -> Iterator[Typed]:
        """Type a command that runs until Ctrl-C. Yields when the terminal shows `until`."""
        process = self._start(command)
        try:
            yield Typed(command, 0, _read(process, timeout, until))
            assert process.stdin is not None
            process.stdin.write(b"\x03")
            process.stdin.flush()
            assert process.wait(20) == 0, command
        finally:
            _end(process)

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        words = f"cd {shlex.quote(self.directory)} && stty -onlcr cols 100 && {command}"
        line = ["ssh", "-F", str(self.config), "-tt", "-l", USER, self.machine.name, f"bash -lc {shlex.quote(words)}"]
        return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def arrive(lab: Lab, machine: Host, box: Host, wheel: Path) -> Stranger:
    """
    Set up the machine as the tutorial expects it: Python, uv, a key that the host accepts, and the wheel.

    The machine must reach real packages (`Host.outward`).
    """
    machine.run("apt-get -q update && apt-get -q -y install --no-install-recommends python3", timeout=240)
    shutil.copy(uv(), machine.root / "usr/local/bin/uv")
    home = machine.root / HOME.removeprefix("/")
    machine.run(f"useradd --create-home --shell /bin/bash {USER} && cp -r /home/plain/.ssh {HOME}/")
    machine.run(f"echo {box.address} {BOX} >> /etc/hosts")
    shutil.copy(lab.site.access.identity, home / ".ssh/id_ed25519")
    shutil.copy(wheel, home)
    (machine.root / CONSTRAINTS.removeprefix("/")).write_text(_tested_versions())
    (home / ".bash_profile").write_text(_variables())
    machine.run(f"chown -R {USER}: {HOME} && chmod 0600 {HOME}/.ssh/id_ed25519")
    return Stranger(machine, lab.site.access.config)


def build_wheel(place: Path) -> Path:
    """The wheel of this checkout."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place, cwd=fleet.ROOT)
    (wheel,) = place.glob("*.whl")
    return wheel


def _tested_versions() -> str:
    """Constraints: an untested release of a dependency must not fail this test."""
    lines = (fleet.ROOT / "requirements/dev.txt").read_text().splitlines()
    return "\n".join(line.split("\\")[0].strip() for line in lines if not line.startswith(" "))


def _variables() -> str:
    sources = {name: value for name, value in os.environ.items() if FROM_HERE.fullmatch(name)}
    known = {"SSL_CERT_FILE": BUNDLE, "UV_CONSTRAINT": CONSTRAINTS, **sources}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in known.items())
    return f"export PATH={HOME}/.local/bin:$PATH\n{exports}"


def _read(process: subprocess.Popen[bytes], timeout: float, until: str = "") -> str:
    """What a terminal shows until its command ends, or until a text is there."""
    assert process.stdout is not None
    assert process.stdin is not None
    shown, answered, end = "", 0, time.monotonic() + timeout
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 1)[0]:
            continue
        if not (data := os.read(process.stdout.fileno(), 65536)):
            return shown
        shown += data.decode(errors="replace").replace("\r", "")
        if shown.count(QUESTION) > answered:
            answered += 1
            process.stdin.write(b"y\n")
            process.stdin.flush()
        if until and until in shown:
            return shown
    raise CommandFailed([str(word) for word in process.args], f"no end after {timeout:g} s", shown)  # type: ignore[union-attr]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
