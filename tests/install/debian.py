"""A bare Debian system in a directory, for a Python that this machine does not have."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.install.ways import NETWORK
from tests.lab import cache, sources
from tests.lab.shell import run

PACKAGES = ("python3", "python3-venv", "git", "ca-certificates")
# a mirror that stopped to follow Debian still has signed packages, with a date in the past
OPTIONS = ('--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=path-exclude=/usr/share/doc/*")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class System:
    """A copy of the system, which a test may change."""

    root: Path

    def run(self, *words: str, status: int = 0) -> str:
        """Standard output of a command inside that ends with `status`."""
        network = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "HOME": "/root", "LANG": "C.UTF-8", **network}
        line = ["unshare", "--mount", "--pid", "--fork", f"--root={self.root}", "--mount-proc", "--wd=/root", *words]
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def copy(self, file: Path) -> None:
        """Copy a file to root's home."""
        shutil.copy(file, self.root / "root" / file.name)


@contextmanager
def system(suite: str) -> Iterator[System]:
    """A fresh system of this Debian suite. Needs root and mmdebstrap."""
    name = f"python-{suite}-{cache.key(*PACKAGES, *OPTIONS)}"
    made = cache.made(name, lambda part: _mmdebstrap(suite, part / "root"))
    copy = cache.root() / "installs" / f"{suite}-{os.getpid()}"
    shutil.rmtree(copy, ignore_errors=True)
    try:
        copy.parent.mkdir(exist_ok=True)
        run("cp", "--archive", "--reflink=auto", made / "root", copy, timeout=300)
        shutil.copy("/etc/resolv.conf", copy / "etc/resolv.conf")
        shutil.copy(CERTIFICATES, copy / CERTIFICATES.relative_to("/"))
        yield System(copy)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _mmdebstrap(suite: str, target: Path) -> None:
    lines = [line for line in sources.debian(suite) if line.split()[2] == suite]  # sid has no other pocket
    words = ("--mode=root", "--variant=apt", "--format=directory", "--quiet", f"--include={','.join(PACKAGES)}")
    run("mmdebstrap", *words, *OPTIONS, suite, target, "-", stdin="\n".join(lines) + "\n", timeout=1200)
