"""The worker processes of the Python API, as the kernel lists them."""

from __future__ import annotations

import os
import time
from pathlib import Path


def find_workers(parent: int) -> list[int]:
    """Process ids of the workers that a process has started."""
    return [pid for pid, ppid in _list_workers() if ppid == parent]


def wait_until_ended(pid: int, seconds: float = 60) -> bool:
    """Whether a worker ends in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if pid not in [each for each, _ in _list_workers()]:
            return True
        time.sleep(0.1)
    return False


def _list_workers() -> list[tuple[int, int]]:
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdecimal() and b"fleethands.api.worker" in (place / "cmdline").read_bytes():
                parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
                found.append((int(place.name), int(parent)))
        except OSError:  # it has just ended
            continue
    return [each for each in found if each[0] != os.getpid()]
