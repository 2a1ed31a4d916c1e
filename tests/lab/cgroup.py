"""
Control groups of version 2: all processes of a host, also after some were killed.

A host's first process joins the host's group and none of its children can leave. So the kernel knows orphans, and
kills them without a pid file. Processes of another lab are never among them.
"""

from __future__ import annotations

import contextlib
import os
import time
from functools import cache
from pathlib import Path


class Cgroup:
    """One group below the version 2 hierarchy's root; it need not exist."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = _hierarchy() / name

    def alive(self) -> bool:
        """Whether a process lives in it or below it."""
        try:
            return "populated 1" in (self.path / "cgroup.events").read_text()
        except OSError:
            return False

    def pids(self) -> list[int]:
        """The processes in it, those below it not counted."""
        try:
            return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def names(self) -> list[str]:
        """The groups directly below it."""
        return sorted(path.name for path in self.path.iterdir() if path.is_dir()) if self.path.is_dir() else []

    def wait_empty(self, seconds: float) -> bool:
        """Whether the last process exits within this many seconds."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def kill(self) -> None:
        """End everything in it and below it at once, as a power cut would, and remove it."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / "cgroup.kill").write_text("1")
        if not self.wait_empty(20):
            raise TimeoutError(f"processes in {self.path} outlive SIGKILL")
        self.remove()

    def remove(self) -> None:
        """Remove the empty group and those below it."""
        for folder, _, _ in os.walk(self.path, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                Path(folder).rmdir()


@cache
def _hierarchy() -> Path:
    """Where this machine has the version 2 hierarchy mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2":
            return Path(fields[4])
    raise RuntimeError("no cgroup2 hierarchy is mounted on this machine")
