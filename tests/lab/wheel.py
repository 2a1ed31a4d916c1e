"""The wheel, installed in an environment of its own, for a user with a home and an empty directory, and no checkout."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab import fleet
from tests.lab.internet.toolchain import uv
from tests.lab.lab import Lab
from tests.lab.project import Done
from tests.lab.shell import run


@dataclass(frozen=True)
class Installed:
    """Its directories: `bin` has its commands, `home` the user's keys, `work` is where commands are typed."""

    bin: Path
    home: Path
    work: Path

    @classmethod
    def build(cls, place: Path) -> Installed:
        """Build the wheel of this checkout and install it, its dependencies at the versions that are tested."""
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place / "dist", cwd=fleet.ROOT)
        (wheel,) = (place / "dist").glob("*.whl")
        run(uv(), "venv", "--quiet", "--python", sys.executable, place / "venv")
        exact = place / "constraints.txt"
        lines = (fleet.ROOT / "requirements/dev.txt").read_text().splitlines()
        exact.write_text("\n".join(line.split("\\")[0].strip() for line in lines if not line.startswith(" ")))
        python = place / "venv/bin/python"
        run(uv(), "pip", "install", "--quiet", "--python", python, "--constraint", exact, wheel, timeout=300)
        for name in ("home", "work"):
            (place / name).mkdir()
        return cls(place / "venv/bin", place / "home", place / "work")

    def knows(self, lab: Lab) -> None:
        """The user reaches the lab's hosts by `ssh lab-1`: address, key and host keys are where ssh looks for them."""
        ssh = self.home / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(lab.site.access.identity, ssh / "id_ed25519")
        shutil.copy(lab.site.access.known_hosts, ssh / "known_hosts")
        hosts = (lab[name] for name in lab.running())
        (ssh / "config").write_text("".join(f"Host {host.name}\n  HostName {host.address}\n" for host in hosts))

    def typed(self, *words: str, timeout: float = 420) -> Done:
        """One command line, in the empty directory, with nothing of this checkout in the environment."""
        clean = {"PATH": f"{self.bin}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.home), "LANG": "C.UTF-8"}
        done = run(
            "env",
            "-i",
            *(f"{name}={value}" for name, value in clean.items()),
            *words,
            cwd=self.work,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)
